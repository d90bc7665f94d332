"""What a replay is measured by: births found and when, alerts that were worth it, identity, agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from narratives.language import base_language
from narratives.replay.streams import Stream

MANY = 5  # texts a week from which on a birth has to be found


@dataclass(frozen=True)
class Alert:
    """One alert: its week, the rows of the stream that it rests on, whether rule R passed, and what became of it."""

    week: int
    rows: tuple[int, ...]
    passed: bool
    confirmed: bool


@dataclass(frozen=True)
class Tracked:
    """What a tracker left behind.

    `narrative` holds an id or "" for each text of the stream, `born` the week in which each narrative appeared, `weak`
    the rows of texts that neighbours have placed for the time being (they count like others in all but their own
    figures).
    """

    narrative: Sequence[str]
    born: dict[str, int]
    alerts: Sequence[Alert] = ()
    cpu_seconds: float = 0.0
    notes: dict[str, float] = field(default_factory=dict)
    weak: frozenset[int] = frozenset()


def measure(stream: Stream, tracked: Tracked) -> dict[str, float]:
    """All figures of one run.

    Returns
    -------
    `found 5`, `found 3`: share of planted stories with so many texts a week that became a narrative (half of the texts
    of their first four weeks or more in it, and half of its texts or more theirs); `found 5+`: of those with five or
    more; stories in two languages are counted apart, in `found both`; `late`: median weeks from the first text to the
    narrative's birth; `alerted`: share of planted stories that rule R reported, at any time, `alerted 5+` of those with
    five texts a week or more, `confirmed 5+` of the same with an alert that was confirmed; `alert late`: median weeks
    from the first text to the alert; `FA`: alerts by rule R a week that are not the first of a planted story, of which
    `FA old` are on a story known from week 0 and `FA again` second ones; `FA conf.`: those of them that were confirmed;
    `FA read`, `FA read conf.`: the same without alerts that are the first of a story which begins in the background
    (`Text.beside`), only where somebody has read it; `prec.`, `prec. conf.`: share of alerts that are the first of a
    planted story; `switch`: how often two consecutive weeks of a story lie mostly in different narratives (an id
    switch); `IDF1`: over all texts, so that a single text in a narrative counts against it; `IDF1 told`, `BCubed`, `VI`
    (bits; unassigned texts stand alone): over the texts of planted and known stories; `IDF1 stories`: over those of
    stories that are no subjects and of those that begin in the background; `IDF1 stories, whole`: the same where what
    else their narratives hold counts against them; `stories found 5+`, `stories alerted 5+`, `subjects found 5+`: of
    the births of many texts apart; these five only where some labels are subjects;
    `joined`: share of the planted stories in two languages of which one narrative holds half of the texts or more in
    each;
    `weak`: texts placed by their neighbours, `weak right` the share of them that tell what most others of the narrative
    do, `weak single` the share that are single texts;
    `coverage`: share of all texts in a narrative; `loose`: share of the stories' texts in no narrative; `noise in`:
    share of single texts in some narrative.
    """
    truth = [text.story for text in stream.texts]
    found = {story: home_of(stream, tracked, story) for story in stream.born}
    alone = [story for story in stream.born if story not in stream.in_both]
    many = [story for story in alone if stream.rate[story] >= MANY]
    by_rate = {
        f"found {r}": _mean([bool(found[s]) for s in alone if stream.rate[s] == r])
        for r in sorted({stream.rate[s] for s in alone}, reverse=True)
    }
    late = [tracked.born[home] - stream.born[story] for story, home in found.items() if home]
    kinds = _kinds(stream, tracked)
    confirmed = [kind for kind, _, alert in kinds if alert.confirmed]
    false = [kind for kind, _, _ in kinds if kind != "first"]
    first = {story: alert.week - stream.born[story] for kind, story, alert in kinds if kind == "first"}
    followed = {story for kind, story, alert in kinds if kind == "first" and alert.confirmed}
    inside = [i for i, story in enumerate(truth) if story]
    told, into = [truth[i] for i in inside], [tracked.narrative[i] for i in inside]
    return {
        "found 5+": _mean([bool(found[s]) for s in many]),
        **by_rate,
        "found both": _mean([bool(found[s]) for s in stream.born if s in stream.in_both]),
        "late": _median(late),
        "alerted": len(first) / max(1, len(stream.born)),
        "alerted 5+": _mean([s in first for s in many]),
        "confirmed 5+": _mean([s in followed for s in many]),
        "alert late": _median(list(first.values())),
        "FA": len(false) / stream.n_weeks,
        "FA old": false.count("old") / stream.n_weeks,
        "FA again": false.count("again") / stream.n_weeks,
        "FA conf.": sum(kind != "first" for kind in confirmed) / stream.n_weeks,
        **_read(stream, kinds),
        "prec.": _mean([kind == "first" for kind, _, _ in kinds]),
        "prec. conf.": _mean([kind == "first" for kind in confirmed]),
        "switch": _switches(stream, tracked),
        "IDF1": idf1(truth, tracked.narrative),
        "IDF1 told": idf1(told, into),
        **_of_stories(stream, tracked, found, first),
        "BCubed": bcubed(told, into),
        "VI": variation_of_information(told, into),
        "joined": joined(stream, tracked.narrative),
        **_weak(stream, tracked),
        "coverage": _mean([bool(n) for n in tracked.narrative]),
        "loose": _mean([not tracked.narrative[i] for i in inside]),
        "noise in": _mean([bool(n) for n, story in zip(tracked.narrative, truth, strict=True) if not story]),
        "CPU s/week": tracked.cpu_seconds / stream.n_weeks,
        **tracked.notes,
    }


def _of_stories(
    stream: Stream, tracked: Tracked, found: Mapping[str, str], alerted: Collection[str]
) -> dict[str, float]:
    """Identity and births of stories apart from subjects; `found` is where each birth lies, \"\" for nowhere."""
    if not stream.subjects:
        return {}
    many = [story for story in found if stream.rate[story] >= MANY]
    planted = [story for story in many if story not in stream.subjects]
    stories = [text.beside or ("" if text.story in stream.subjects else text.story) for text in stream.texts]
    inside = [i for i, story in enumerate(stories) if story]
    return {
        "stories found 5+": _mean([bool(found[story]) for story in planted]),
        "stories alerted 5+": _mean([story in alerted for story in planted]),
        "subjects found 5+": _mean([bool(found[story]) for story in many if story in stream.subjects]),
        "IDF1 stories": idf1([stories[i] for i in inside], [tracked.narrative[i] for i in inside]),
        "IDF1 stories, whole": idf1_among_others(stories, tracked.narrative),
    }


def _weak(stream: Stream, tracked: Tracked) -> dict[str, float]:
    told: dict[str, Counter[str]] = {}
    for i, (text, home) in enumerate(zip(stream.texts, tracked.narrative, strict=True)):
        if home and i not in tracked.weak:
            told.setdefault(home, Counter())[text.story] += 1
    right = []
    for i in sorted(tracked.weak):
        main = told.get(tracked.narrative[i], Counter({"": 1})).most_common(1)[0][0]
        right.append(bool(main) and stream.texts[i].story == main)
    single = [not stream.texts[i].story for i in sorted(tracked.weak)]
    return {"weak": float(len(tracked.weak)), "weak right": _mean(right), "weak single": _mean(single)}


def joined(stream: Stream, narrative: Sequence[str]) -> float:
    """Share of the planted stories in two languages of which one narrative holds half or more in each language."""
    return _mean([_in_one(stream, narrative, story) for story in sorted(stream.in_both)])


def _in_one(stream: Stream, narrative: Sequence[str], story: str) -> bool:
    homes: dict[str, list[str]] = {}
    for text, own in zip(stream.texts, narrative, strict=True):
        if text.story == story:
            homes.setdefault(base_language(text.lang), []).append(own)
    shared = set.intersection(*(set(own) for own in homes.values())) - {""}
    return any(all(own.count(name) * 2 >= len(own) for own in homes.values()) for name in shared)


def _median(values: Sequence[int]) -> float:
    return float(np.median(values)) if values else float("nan")


def _mean(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def home_of(stream: Stream, tracked: Tracked, story: str) -> str:
    """The narrative that a planted story became, or ""."""
    first = [
        tracked.narrative[i]
        for i, text in enumerate(stream.texts)
        if text.story == story and text.week < stream.born[story] + 4
    ]
    best, n = Counter(first).most_common(1)[0]
    own = [text.story == story for text, n in zip(stream.texts, tracked.narrative, strict=True) if n == best]
    return best if best and n >= len(first) / 2 and _mean(own) >= 0.5 else ""


def _kinds(stream: Stream, tracked: Tracked) -> list[tuple[str, str, Alert]]:
    """Each alert by rule R with what it is (first or again of a planted story, old: of a known one, noise), and of
    which story."""
    seen: set[str] = set()
    kinds = []
    for alert in sorted((a for a in tracked.alerts if a.passed), key=lambda a: (a.week, a.rows)):
        story, n = Counter(stream.texts[i].story for i in alert.rows).most_common(1)[0]
        kind = "noise"
        if story and n >= len(alert.rows) / 2:
            kind = "old" if story not in stream.born else "again" if story in seen else "first"
            seen.add(story)
        kinds.append((kind, story, alert))
    return kinds


def _read(stream: Stream, kinds: Sequence[tuple[str, str, Alert]]) -> dict[str, float]:
    """False alarms without the first alert on each story beside the planted ones, half of whose texts or more are of
    it; nothing where nobody has read the background."""
    if not any(text.beside for text in stream.texts):
        return {}
    told, false = set[str](), list[Alert]()
    for kind, _, alert in kinds:
        story, n = Counter(stream.texts[i].beside for i in alert.rows).most_common(1)[0]
        is_told = bool(story) and n >= len(alert.rows) / 2 and story not in told
        told |= {story} if is_told else set()
        false += [alert] if kind != "first" and not is_told else []
    confirmed = [alert for alert in false if alert.confirmed]
    return {"FA read": len(false) / stream.n_weeks, "FA read conf.": len(confirmed) / stream.n_weeks}


def _switches(stream: Stream, tracked: Tracked) -> float:
    by_week: dict[str, dict[int, Counter[str]]] = {}
    for text, narrative in zip(stream.texts, tracked.narrative, strict=True):
        if text.story and narrative:
            by_week.setdefault(text.story, {}).setdefault(text.week, Counter())[narrative] += 1
    changed = []
    for counts in by_week.values():
        main = [counts[week].most_common(1)[0][0] for week in sorted(counts)]
        changed += [a != b for a, b in pairwise(main)]
    return _mean(changed)


def idf1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Identity F1 of a one-to-one match of stories and narratives; "" is no story, or no narrative.

    >>> idf1(["a", "a", "b", ""], ["1", "1", "1", ""])
    0.6666666666666666

    References
    ----------
    Ristani et al., Performance measures for multi-target tracking, 2016.
    """
    stories, narratives = sorted(set(truth) - {""}), sorted(set(predicted) - {""})
    if not stories or not narratives:
        return 0.0
    both = np.zeros((len(stories), len(narratives)))
    for story, narrative in zip(truth, predicted, strict=True):
        if story and narrative:
            both[stories.index(story), narratives.index(narrative)] += 1
    rows, columns = linear_sum_assignment(-both)
    n = sum(map(bool, truth)) + sum(map(bool, predicted))
    return float(2 * both[rows, columns].sum() / n)


def idf1_among_others(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """IDF1 of stories that are told among other texts: the narrative of a story is all that it holds.

    Each story has one narrative or none, whichever makes the fewest mistakes; the narratives of none are not counted.

    >>> idf1_among_others(["a", "a", "", ""], ["1", "1", "1", "2"])
    0.8
    >>> idf1_among_others(["a", "a", "", "", "", ""], ["1", "1", "1", "1", "1", ""])  # no home of this story
    0.0
    """
    size, held = Counter(filter(None, truth)), Counter(filter(None, predicted))
    if not size or not held:
        return 0.0
    stories, narratives = sorted(size), sorted(held)
    both = np.zeros((len(stories), len(narratives)))
    for (story, narrative), n in Counter(zip(truth, predicted, strict=True)).items():
        if story and narrative:
            both[stories.index(story), narratives.index(narrative)] = n
    others = np.array([held[narrative] for narrative in narratives]) - both
    rows, columns = linear_sum_assignment(-np.maximum(both - others, 0.0))
    is_home = both[rows, columns] > others[rows, columns]
    right, wrong = both[rows, columns][is_home].sum(), others[rows, columns][is_home].sum()
    return float(2 * right / (right + wrong + size.total()))


def bcubed(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """BCubed F1; a text without narrative is a cluster of its own.

    >>> round(bcubed(["a", "a", "b", "b"], ["1", "1", "1", ""]), 3)
    0.706
    """
    found = [name or f"alone {i}" for i, name in enumerate(predicted)]
    both = Counter(zip(truth, found, strict=True))
    n_true, n_found = Counter(truth), Counter(found)
    precision = sum(n * n / n_found[f] for (_, f), n in both.items()) / len(truth)
    recall = sum(n * n / n_true[t] for (t, _), n in both.items()) / len(truth)
    return 2 * precision * recall / (precision + recall)


def variation_of_information(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Entropy of each given the other, in bits; 0 for the same partition. A text without narrative stands alone.

    >>> variation_of_information(["a", "a", "b", "b"], ["1", "1", "2", "2"])
    0.0
    >>> variation_of_information(["a", "a", "b", "b"], ["1", "1", "1", "1"])
    1.0

    References
    ----------
    Meilă, Comparing clusterings, 2007.
    """
    found = [name or f"alone {i}" for i, name in enumerate(predicted)]
    both, n_true, n_found = Counter(zip(truth, found, strict=True)), Counter(truth), Counter(found)
    bits = sum(n * (np.log2(n_true[t] / n) + np.log2(n_found[f] / n)) for (t, f), n in both.items())
    return float(bits / max(1, len(truth)))
