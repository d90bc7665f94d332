"""Is a new cluster worth a message? A rule whose every part is stated, and what becomes of what it reported.

Rule R of the measurements (enough stories in the last two weeks, most members recent, cohesion clear of the cut, more
than one independent source) and beside it: growth against the subject's own past (more of it where earlier texts are
nearly as like it as its own are to each other), routine series, a second birth beside a young alert, and the health of
the feeds that it rests on. Routine and doubles are told apart, never sent; what rests on a feed that doubled is held
until other feeds have it too. `benchmarks/alert_rules.py` measures each part with and without.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from narratives.growth import Growth
from narratives.level import Level
from narratives.routine import Series, outlet
from narratives.settings import AlertSettings

RECENT = timedelta(weeks=2)
_RETRACT = timedelta(weeks=2)
_HELD_LONGEST = timedelta(weeks=4)
_SURER = 10.0  # times as surprising must growth be where the like of a newborn was told before
_GATHERED = {
    "zh": "标题中的“{word}”此前几乎没有文章用过，这些报道因它归为一组。",
    "en": "“{word}” in headlines, which hardly any text held before, brought its stories together.",
}
_TOLD_BEFORE = {
    "zh": "此前几周最相近的文章与它的相似度，达到其报道彼此相似度的 {share:.0%}，因此对其增长的要求严格 {times:g} 倍。",
    "en": "The nearest texts of the weeks before are {share:.0%} as like it as its own stories are to each other, so "
    "its growth had to be {times:g} times as surprising.",
}


@dataclass(frozen=True)
class Newborn:
    """What the rule looks at; counts are of stories, not of copies.

    `weeks` is the week of each member story's first article, `sources` the outlet of each, `cohesion` the mean
    similarity between members, `cut` the level at which groups were cut this week, `loose` the share of it that is
    asked (1, or what parts of one story must have to each other where it was born of several), `nearest_young` the
    narrative of the young alert that it is most like ("" for none) and `likeness` their mean similarity, `suspects`
    the outlets whose feed doubled or began in these weeks, `told_before` how like it the nearest texts of the weeks
    before are, as a share of how like each other its own are (`narratives.novelty`).
    """

    weeks: Sequence[date]
    sources: Sequence[str]
    cohesion: float
    cut: float
    growth: Growth | None = None
    series: Series = field(default_factory=lambda: Series(0.0))
    nearest_young: str = ""
    likeness: float = -1.0
    suspects: frozenset[str] = frozenset()
    loose: float = 1.0
    told_before: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """`tier` is alert, watch or routine, `state` emerging or held; `why` says each part with its number.

    `statistic` is the cohesion, `threshold` what is asked of it, `p_value` that of its growth.
    """

    tier: str
    state: str
    statistic: float
    threshold: float
    p_value: float | None
    why: dict[str, Any]


def gathered_said(word: str, lang: str) -> str:
    """What it means that a word gathered a newborn's stories (`narratives.bursts`), in zh or en."""
    return _GATHERED[lang].format(word=word)


def told_before_said(evidence: Mapping[str, Any], lang: str) -> str:
    """What it means that the like of a newborn was told before, in zh or en; "" where it was not."""
    times = float(evidence.get("growth_times") or 1.0)
    return _TOLD_BEFORE[lang].format(share=float(evidence["told_before"]), times=times) if times > 1.0 else ""


def growth_asked(evidence: Mapping[str, Any]) -> float | None:
    """The p-value that an alert's growth must not have exceeded; None where no level is on record."""
    level = (evidence.get("level") or {}).get("value")
    return None if level is None else float(level) / float(evidence.get("growth_times") or 1.0)


def judge(newborn: Newborn, week: date, settings: AlertSettings, level: Level | None = None) -> Judgement:
    """Apply the rule in the week of birth.

    Parameters
    ----------
    level
        Which p-value its growth must not exceed; the settings' default where None.

    Example
    -------
    >>> born = date(2025, 10, 20)
    >>> judge(Newborn([born] * 5, ["a", "b", "a", "c", "d"], .30, .12), born, AlertSettings()).tier
    'alert'
    >>> judge(Newborn([born] * 5, ["a"] * 5, .30, .12), born, AlertSettings()).tier
    'watch'
    """
    level = level or Level(settings.max_p_value)
    recent = sum(week - w < RECENT for w in newborn.weeks)
    n = len(newborn.weeks)
    outlets = [outlet(source) for source in newborn.sources if source.strip()]
    n_sources = len(set(outlets))
    threshold = newborn.loose * newborn.cut + settings.cohesion_margin
    p_value = newborn.growth.p_value if newborn.growth else None
    times = _SURER if newborn.told_before >= settings.told_before else 1.0
    passed = {
        "recent_stories": recent >= settings.min_recent_stories,
        "recent_share": n > 0 and recent / n >= settings.min_recent_share,
        "cohesion": newborn.cohesion >= threshold,
        "sources": n_sources >= settings.min_sources,
        "growth": newborn.growth is None or (1.0 if p_value is None else p_value) * times <= level.value,
    }
    suspects = {outlet(source) for source in newborn.suspects}
    on_suspects = sum(name in suspects for name in outlets) / n if n else 0.0
    is_double = bool(newborn.nearest_young) and newborn.likeness >= newborn.cut + settings.same_margin
    is_routine = newborn.series.share >= settings.routine_share
    why: dict[str, Any] = {
        "n_stories": n,
        "n_recent": recent,
        "recent_share": round(recent / n, 4) if n else 0.0,
        "n_sources": n_sources,
        "cohesion": round(newborn.cohesion, 4),
        "cut": round(newborn.cut, 4),
        "level": asdict(level),
        "growth": vars(newborn.growth) if newborn.growth else None,
        "growth_times": times,
        "told_before": newborn.told_before,
        "series": vars(newborn.series),
        "nearest_young": newborn.nearest_young,
        "likeness": round(newborn.likeness, 4),
        "same_as": newborn.nearest_young if is_double else "",
        "suspects": sorted(newborn.suspects),
        "suspect_share": round(on_suspects, 4),
        "passed": passed,
    }
    tier = "routine" if is_routine else "alert" if all(passed.values()) and not is_double else "watch"
    state = "held" if tier == "alert" and on_suspects > 0.5 else "emerging"
    return Judgement(tier, state, newborn.cohesion, threshold, p_value, why)


def settle(
    born: date,
    joined: Sequence[tuple[date, str]],
    week: date,
    state: str = "emerging",
    suspects: Sequence[str] = (),
    confirm_stories: int = 1,
) -> str:
    """State of a young alert at the end of `week`: emerging or held, confirmed by growth, or retracted.

    Confirmed when enough stories joined in later weeks than that of birth; retracted when they did not in two weeks.
    A held one needs them from other outlets than those whose feed was unusual, or in two later weeks, and waits for
    four.

    Parameters
    ----------
    joined
        Week in which each story joined, and its source; weak members are left out by the caller.

    Example
    -------
    >>> settle(date(2025, 10, 20), [(date(2025, 10, 20), "a"), (date(2025, 10, 27), "b")], date(2025, 10, 27))
    'confirmed'
    >>> settle(date(2025, 10, 20), [(date(2025, 10, 20), "a")], date(2025, 11, 3))
    'retracted'
    """
    later = [(w, outlet(source)) for w, source in joined if w > born]
    longest = _RETRACT
    if state == "held":
        unusual, longest = {outlet(source) for source in suspects}, _HELD_LONGEST
        if len({w for w, _ in later}) < 2:
            later = [(w, name) for w, name in later if name not in unusual]
    if len(later) >= confirm_stories:
        return "confirmed"
    return "retracted" if week - born >= longest else state


@dataclass(frozen=True)
class Precision:
    """How many of the settled alerts were confirmed, with the 95 % interval of the share.

    `share`, `low` and `high` (0 to 1) are None where nothing is settled; `n_open` alerts are emerging, `n_held`
    wait for a feed to calm down.
    """

    n: int
    n_confirmed: int
    share: float | None
    low: float | None
    high: float | None
    n_open: int = 0
    n_held: int = 0


def running_precision(states: Sequence[str]) -> Precision:
    """Share of settled alerts that were confirmed, with Wilson's interval.

    >>> running_precision(["confirmed", "retracted", "confirmed", "emerging"])
    Precision(n=3, n_confirmed=2, share=0.6667, low=0.2077, high=0.9385, n_open=1, n_held=0)

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    counts = Counter(states)
    good, n = counts["confirmed"], counts["confirmed"] + counts["retracted"]
    n_open, n_held = counts["emerging"], counts["held"]
    if not n:
        return Precision(0, 0, None, None, None, n_open, n_held)
    share, z = good / n, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Precision(n, good, round(share, 4), round(middle - half, 4), round(middle + half, 4), n_open, n_held)
