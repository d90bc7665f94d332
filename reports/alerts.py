"""Alerts as the reader needs them: state, figures, why it is none of the known, and the stories behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from reports.content import AlertNote, Near, Words
from reports.figures import number
from reports.frames import Frames, as_list, each, week_label
from reports.quotes import headlines, one_line

PENDING_WEEKS = 4
_MAX_STORIES = 6


def alert_notes(frames: Frames, names: Mapping[str, Words], zone: ZoneInfo) -> tuple[AlertNote, ...]:
    """Alerts raised or settled in the report's week, and those of the last four weeks that still wait."""
    out = []
    oldest = frames.week - timedelta(weeks=PENDING_WEEKS)
    levels = dict(zip(frames.narratives["id"], frames.narratives["level"], strict=True))
    for row in each(frames.alerts):
        waits = row.state in ("emerging", "held") and row.week > oldest
        if not (row.week == frames.week or row.settled_week == frames.week or waits):
            continue
        evidence = row.evidence if isinstance(row.evidence, dict) else {}
        out.append(
            AlertNote(
                id=row.id,
                narrative=row.narrative,
                name=names.get(row.narrative, Words(row.narrative, row.narrative)),
                week=week_label(row.week),
                tier=row.tier,
                state=row.state,
                settled=week_label(row.settled_week)
                if row.settled_week and row.settled_week <= frames.week
                else "",
                acknowledged=bool(row.acknowledged),
                statistic=number(row.statistic),
                threshold=number(row.threshold),
                p_value=number(row.p_value),
                n_stories=_count(evidence.get("n_stories")),
                n_sources=_count(evidence.get("n_sources")),
                cohesion=number(evidence.get("cohesion")),
                level=number(levels.get(row.narrative)),
                nearest=nearest(evidence, names),
                why=one_line(str(evidence.get("why", "") or "")),
                stories=_stories(frames, row.narrative, evidence, zone),
            )
        )
    order = {"emerging": 0, "held": 1, "confirmed": 2, "retracted": 3}
    return tuple(sorted(out, key=lambda a: (order.get(a.state, 9), a.week != week_label(frames.week), a.id)))


def _count(value: Any) -> int | None:
    got = number(value)
    return None if got is None else int(got)


def nearest(evidence: Mapping[str, Any], names: Mapping[str, Words]) -> tuple[Near, ...]:
    """Known narratives and their cosines, nearest first, from any of the forms that evidence takes.

    >>> nearest({"nearest": [["N1", 0.3], ["N2", 0.4]]}, {})[0].narrative
    'N2'
    >>> nearest({"nearest": {"N1": 0.3}}, {"N1": Words("甲", "A")})[0].name.en
    'A'
    """
    raw = evidence.get("nearest") or evidence.get("nearest_narratives") or []
    if isinstance(raw, Mapping):
        pairs = list(raw.items())
    else:
        pairs = []
        for item in raw:
            if isinstance(item, Mapping):
                pairs.append(
                    (item.get("narrative", item.get("id", "")), item.get("cosine", item.get("similarity")))
                )
            elif isinstance(item, (list, tuple)) and len(item) == 2:
                pairs.append((item[0], item[1]))
    found = [(str(k), number(v)) for k, v in pairs]
    known = [Near(k, names.get(k, Words(k, k)), v) for k, v in found if k and v is not None]
    return tuple(sorted(known, key=lambda n: (-n.cosine, n.narrative)))[:3]


def _stories(frames: Frames, narrative: str, evidence: Mapping[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    articles = frames.articles
    ids = set(as_list(evidence.get("article_ids")))
    mine = articles[articles["id"].isin(ids)] if ids else articles[articles["narrative"] == narrative]
    first = mine[mine["is_first"].astype(bool)]
    return headlines(first if len(first) else mine.drop_duplicates("story"), zone, _MAX_STORIES)
