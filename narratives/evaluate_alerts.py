"""Alerts on a labelled, dated file: a desk lives through it week by week: `narratives evaluate alerts FILE`.

Beside the rule stand two that users of other systems have: a message for every birth, and for every birth of enough
recent stories from two sources.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives import weeks
from narratives.evaluate_groups import GroupEvaluation
from narratives.metrics import bootstrap_interval
from narratives.settings import Settings

if TYPE_CHECKING:
    from embeddings import Encoder
    from narratives.desk import Desk

_FIRST_WEEKS = 4  # a story's birth is judged by its first weeks
_LEAST_PER_WEEK = 5
_OUTLETS = 40  # that texts without a source are shared out among: a rule that asks for two could never pass
_RULE_R = ("recent_stories", "recent_share", "sources")


@dataclass(frozen=True)
class _Told:
    """A birth that one of the ways would have told: its week, its stories' labels, whether it was confirmed."""

    week: date
    stories: tuple[str, ...]
    confirmed: bool


def births_in(stories: Sequence[str], weeks_of: Sequence[date], first_week: date) -> dict[str, date]:
    """Stories that begin in or after `first_week`, with five texts in one of their first four weeks -> first week.

    >>> births_in(["a"] * 5 + ["b"] * 5, [date(2025, 1, 6)] * 5 + [date(2025, 2, 3)] * 5, date(2025, 1, 27))
    {'b': datetime.date(2025, 2, 3)}
    """
    by_story: dict[str, list[date]] = {}
    for story, week in zip(stories, weeks_of, strict=True):
        by_story.setdefault(story, []).append(week)
    born = {}
    for story, own in by_story.items():
        first = min(own)
        counts = Counter(week for week in own if (week - first).days < 7 * _FIRST_WEEKS)
        if first >= first_week and max(counts.values()) >= _LEAST_PER_WEEK:
            born[story] = first
    return born


def evaluate_alerts(
    rows: Sequence[Mapping[str, Any]], settings: Settings, encoder: Encoder, cache: Path | None = None
) -> GroupEvaluation:
    """Replay the file through a desk of its own and compare its alerts with the first weeks of the labelled stories.

    Figures: found (share of the stories born with five texts a week or more that an alert reported), late (median
    weeks from a story's first text to its alert), false (alerts a week that are not the first of a story born in the
    file after its first clustering), false_confirmed (those of them that were confirmed), precision. Intervals are
    bootstrap intervals over stories, and over weeks for the two rates.

    Parameters
    ----------
    rows
        From `read_grouped(path, dated=True)`.
    """
    import narratives
    from narratives.archive import schema
    from narratives.material import Material
    from narratives.pipeline import update
    from narratives.replay.tracker import NoTone

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
        sourceless = not any(row.get("source") for row in rows)
        with (place / "rows.jsonl").open("w", encoding="utf-8") as out:
            for i, row in enumerate(rows):
                kept = {
                    name: row[name] for name in ("title", "text", "lang", "source", "published_at") if row.get(name)
                }
                if sourceless:
                    kept["source"] = f"Outlet {i % _OUTLETS}"
                out.write(json.dumps({**kept, "url": f"https://row.invalid/{i}"}, ensure_ascii=False) + "\n")
        desk = narratives.init(place / "desk", place / "none.yaml")
        try:
            desk.ingest([place / "rows.jsonl"])
            update(desk.archive, settings, [], Material(cache or place / "vectors", settings, encoder), NoTone())
            first = desk.archive.get_meta("alerts_since")
            if first is None:
                raise ValueError("too few texts for a first clustering: no alert can be judged")
            articles = desk.archive.rows(schema.article)
            at = {row["id"]: int(row["url"].rsplit("/", 1)[1]) for row in articles}
            zone = desk.zone
            weeks_of = [weeks.monday_of(row["published_at"], zone) for row in articles]
            stories = [str(rows[at[row["id"]]]["story"]) for row in articles]
            born = births_in(stories, weeks_of, date.fromisoformat(first))
            done = [week for week in desk.weeks() if week >= date.fromisoformat(first)]
            ways = _ways(desk, {i: str(rows[n]["story"]) for i, n in at.items()})
        finally:
            desk.close()
    notes = [
        f"{len(born)} stories were born in {len(done)} weeks after the first clustering, with five texts a week or "
        f"more; {len(rows) - len(articles)} rows could not be read or were reprints by address."
    ]
    if sourceless:
        notes.append(f"No text names its source: they were shared out among {_OUTLETS}, so sources prove nothing here.")
    if not born:
        notes.append("No story was born: only false alarms can be measured.")
    table = tuple({"by": name, **_figures(told, born, done)} for name, told in ways.items())
    predictions = tuple(
        {"week": told.week.isoformat(), "story": _story(told.stories), "confirmed": told.confirmed}
        for told in ways["alerts"]
    )
    return GroupEvaluation("alerts", len(rows), table, tuple(notes), predictions)


def _ways(desk: Desk, story_of: Mapping[str, str]) -> dict[str, list[_Told]]:
    from narratives.archive import schema

    ways: dict[str, list[_Told]] = {"alerts": [], "rule of counts": [], "every birth": []}
    for row in desk.archive.rows(schema.alert):
        evidence = row["evidence"]
        stories = tuple(story_of[i] for i in evidence["article_ids"])
        told = _Told(row["week"], stories, row["state"] == "confirmed")
        ways["every birth"].append(told)
        if all(evidence["passed"][name] for name in _RULE_R):
            ways["rule of counts"].append(told)
        if row["tier"] == "alert" and not (row["state"] == "held" or _held_back(row)):
            ways["alerts"].append(told)
    return ways


def _held_back(row: Mapping[str, Any]) -> bool:
    return row["state"] == "retracted" and float(row["evidence"].get("suspect_share", 0.0)) > 0.5


def _story(stories: Sequence[str]) -> str:
    """The label of half of the stories or more, "" where there is none."""
    story, n = Counter(stories).most_common(1)[0]
    return story if n >= len(stories) / 2 else ""


def _figures(told: Sequence[_Told], born: Mapping[str, date], done: Sequence[date]) -> dict[str, Any]:
    first: dict[str, date] = {}
    false: list[_Told] = []
    for one in sorted(told, key=lambda one: (one.week, one.stories)):
        story = _story(one.stories)
        if story in born and story not in first and one.week >= born[story]:
            first[story] = one.week
        else:
            false.append(one)
    names = sorted(born)
    hit = np.array([name in first for name in names], dtype=float)
    late = [(first[name] - born[name]).days // 7 for name in names if name in first]
    by_week = np.array([sum(one.week == week for one in false) for week in done], dtype=float)
    confirmed = np.array([sum(one.week == week and one.confirmed for one in false) for week in done], dtype=float)
    return {
        "found": _with_interval(lambda rows: float(hit[rows].mean()), len(hit)),
        "late": float(np.median(late)) if late else None,
        "false": _with_interval(lambda rows: float(by_week[rows].mean()), len(done)),
        "false_confirmed": _with_interval(lambda rows: float(confirmed[rows].mean()), len(done)),
        "precision": round(len(first) / len(told), 3) if told else None,
        "n_alerts": len(told),
    }


def _with_interval(measure: Callable[[np.ndarray], float], n: int) -> tuple[float, float, float] | None:
    return (measure(np.arange(n)), *bootstrap_interval(measure, n)) if n else None
