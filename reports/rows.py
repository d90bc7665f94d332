"""The figures of a report as rows for its charts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.content import WeeklyReport
from reports.records import WeekPoint, Words
from reports.theme import CATEGORIES

MAX_COLOURED = len(CATEGORIES)
MAX_LANES = 30
OTHER_KEY = "其他 other"
UNASSIGNED_KEY = "未归类 unassigned"
Row = dict[str, Any]


def say(words: Words, lang: str) -> str:
    """A text for a chart: one language, or both with a blank between.

    >>> say(Words("立场", "stance"), "both")
    '立场 stance'
    """
    if lang == "zh" or words.zh == words.en:
        return words.zh
    return words.en if lang == "en" else f"{words.zh} {words.en}"


def volume_rows(points: Iterable[WeekPoint]) -> list[Row]:
    """Rows of `volume_chart` and `share_chart`."""
    return [{"week": p.label, "n_stories": p.n_stories, "reach": p.reach, "share": round(p.share, 4)} for p in points]


def score_rows(points: Iterable[WeekPoint], *, stance: bool = True) -> list[Row]:
    """Rows of `score_chart`; without a claim only the tone."""
    out: list[Row] = []
    for p in points:
        for what, e in (("stance", p.stance), ("tone", p.tone)):
            if what == "stance" and not stance:
                continue
            numbers = {
                k: None if v is None else round(v, 3) for k, v in (("mean", e.mean), ("low", e.low), ("high", e.high))
            }
            out.append({"week": p.label, "what": what, **numbers, "n": e.n})
    return out


def chart_names(report: WeeklyReport, lang: str) -> dict[str, str]:
    """Narrative id to its name in pictures: the largest ones of the weeks shown, the rest fall under `other`.

    Two narratives of one name are told apart by their id.
    """
    ranked = sorted(report.sections, key=lambda s: (-sum(s.row.series), s.row.id))[:MAX_COLOURED]
    out: dict[str, str] = {}
    for s in ranked:
        name = _short(say(s.row.name, lang))
        out[s.row.id] = name if name not in out.values() else f"{name} {s.row.id}"
    return out


def _short(text: str, limit: int = 48) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def overview_rows(report: WeeklyReport, names: dict[str, str]) -> list[Row]:
    """Rows of `overview_chart`: named narratives, all others, the unassigned."""
    totals: dict[str, list[int]] = {v: [0] * len(report.labels) for v in [*names.values(), OTHER_KEY, UNASSIGNED_KEY]}
    for row in (*report.rows, *report.quiet):
        target = totals[names.get(row.id, OTHER_KEY)]
        for i, n in enumerate(row.series):
            target[i] += n
    totals[UNASSIGNED_KEY] = list(report.unassigned.series)
    return [
        {"week": week, "name": name, "n_stories": counts[i], "order": order}
        for order, (name, counts) in enumerate(totals.items())
        for i, week in enumerate(report.labels)
        if counts[i] or order == 0
    ]


def map_rows(report: WeeklyReport, names: dict[str, str]) -> list[Row]:
    """Rows of `map_chart`."""
    return [
        {
            "x": p.x,
            "y": p.y,
            "name": names.get(p.narrative, OTHER_KEY) if p.narrative else UNASSIGNED_KEY,
            "title": p.title,
            "source": p.source,
            "date": p.date,
            "url": p.url,
        }
        for p in report.map
    ]


def lineage_rows(report: WeeklyReport, lang: str) -> list[Row]:
    """Rows of `lineage_chart` for the narratives with stories or events in the weeks shown."""
    first, last = report.labels[0], report.labels[-1]
    shown = {e.narrative for e in report.lineage if e.week >= first} | {
        e.other for e in report.lineage if e.week >= first
    }
    rows = [r for r in (*report.rows, *report.quiet) if sum(r.series) or r.id in shown]
    rows.sort(key=lambda r: (r.born or first, r.id))
    rows = rows[:MAX_LANES]
    lane = {r.id: _short(f"{r.id} {say(r.name, lang)}", 40) for r in rows}
    out: list[Row] = []
    for order, r in enumerate(rows):
        weeks = [w for w, n in zip(report.labels, r.series, strict=True) if n]
        start = max(first, min([*weeks, r.born or last]))
        if weeks:
            out.append({"kind": "life", "lane": lane[r.id], "order": order, "week": start, "week2": weeks[-1]})
        out += [
            {"kind": "week", "lane": lane[r.id], "order": order, "week": w, "n": n}
            for w, n in zip(report.labels, r.series, strict=True)
            if n
        ]
    order_of = {r.id: i for i, r in enumerate(rows)}
    for e in report.lineage:
        if e.week < first or e.narrative not in lane or e.kind in ("renamed", "grew", "faded"):
            continue
        place = {"lane": lane[e.narrative], "order": order_of[e.narrative], "week": e.week}
        out.append({"kind": "event", **place, "event": e.kind, "text": say(e.text, lang)})
        if e.other in lane and e.kind in ("split", "merged", "born"):
            out.append({"kind": "link", **place, "lane2": lane[e.other]})
    return out
