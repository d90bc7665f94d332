"""Alerts as the reader needs them: state, figures, why it is none of the known, and the stories behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from narratives.alerts import gathered_said, growth_asked, running_precision, told_before_said
from narratives.settings import AlertSettings
from reports.content import AlertNote, AlertRecord, Near, RulePart
from reports.figures import number
from reports.frames import Frames, as_list, each, week_label
from reports.quotes import headlines, one_line
from reports.records import Span, Words

PENDING_WEEKS = 4
_MAX_STORIES = 6


def alert_notes(
    frames: Frames, names: Mapping[str, Words], zone: ZoneInfo, rule: AlertSettings
) -> tuple[AlertNote, ...]:
    """Alerts raised or settled in the report's week, and those of the last four weeks that still wait."""
    out = []
    oldest = frames.week - timedelta(weeks=PENDING_WEEKS)
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
                settled=week_label(row.settled_week) if row.settled_week and row.settled_week <= frames.week else "",
                acknowledged=bool(row.acknowledged),
                statistic=number(row.statistic),
                threshold=number(row.threshold),
                p_value=number(row.p_value),
                n_stories=_count(evidence.get("n_stories")),
                n_sources=_count(evidence.get("n_sources")),
                cohesion=number(evidence.get("cohesion", row.statistic)),
                nearest=nearest(evidence, names),
                why=explain(evidence, nearest(evidence, names)),
                rule=rule_parts(evidence, number(row.statistic), number(row.threshold), rule),
                stories=_stories(frames, row.narrative, evidence, zone),
            )
        )
    order = {"emerging": 0, "held": 1, "confirmed": 2, "retracted": 3}
    return tuple(sorted(out, key=lambda a: (order.get(a.state, 9), a.week != week_label(frames.week), a.id)))


def rule_parts(
    evidence: Mapping[str, Any], statistic: float | None, threshold: float | None, rule: AlertSettings
) -> tuple[RulePart, ...]:
    """Each part of the alert rule with what it found and what it needs; nothing where no part is on record."""
    passed = dict(evidence.get("passed") or {})
    asked = {
        "recent_stories": (number(evidence.get("n_recent")), float(rule.min_recent_stories)),
        "recent_share": (number(evidence.get("recent_share")), rule.min_recent_share),
        "cohesion": (number(evidence.get("cohesion", statistic)), threshold),
        "sources": (number(evidence.get("n_sources")), float(rule.min_sources)),
        "growth": (number((evidence.get("growth") or {}).get("p_value")), growth_asked(evidence)),
    }
    return tuple(RulePart(name, *asked.get(name, (None, None)), bool(ok)) for name, ok in passed.items())


def alert_record(frames: Frames) -> AlertRecord:
    """How the alerts up to the report's week turned out, as it was known then."""
    own = frames.alerts[frames.alerts["tier"] == "alert"]
    known = running_precision(list(own["state"]))
    return AlertRecord(known.n, known.n_confirmed, Span(known.share, known.low, known.high), known.n_open, known.n_held)


def _count(value: Any) -> int | None:
    got = number(value)
    return None if got is None else int(got)


def nearest(evidence: Mapping[str, Any], names: Mapping[str, Words]) -> tuple[Near, ...]:
    """Known narratives and the similarity to them, nearest first: one id with `nearest_score`, or pairs.

    >>> nearest({"nearest": "N1", "nearest_score": 0.12, "level_of_nearest": 0.2}, {"N1": Words("甲", "A")})
    (Near(narrative='N1', name=Words(zh='甲', en='A'), cosine=0.12, level=0.2),)
    >>> [n.narrative for n in nearest({"nearest": [["N1", 0.3], ["N2", 0.4]]}, {})]
    ['N2', 'N1']
    """
    raw = evidence.get("nearest") or []
    pairs: list[tuple[Any, Any, Any]] = []
    if evidence.get("near"):
        pairs += [(one["id"], one["score"], one["level"]) for one in evidence["near"]]
    elif isinstance(raw, str):
        pairs.append((raw, evidence.get("nearest_score"), evidence.get("level_of_nearest")))
    elif isinstance(raw, Mapping):
        pairs += [(k, v, None) for k, v in raw.items()]
    else:
        pairs += [(item[0], item[1], None) for item in raw if len(item) == 2]
    found = [
        Near(str(k), names.get(str(k), Words(str(k), str(k))), number(v) or 0.0, number(level)) for k, v, level in pairs
    ]
    return tuple(sorted(found, key=lambda n: (-n.cosine, n.narrative)))[:3]


def explain(evidence: Mapping[str, Any], near: Sequence[Near]) -> Words | None:
    """Why the new narrative is none of the known, in words; a text of the evidence stands as it is."""
    said = one_line(str(evidence.get("why") or ""))
    if said:
        return Words(said, said)
    shared = _beside(evidence)
    if not near or near[0].level is None:
        return shared
    first, level = near[0], near[0].level
    short = first.cosine < level
    zh = f"与最接近的“{first.name.zh}”的相似度为 {first.cosine:.2f}，"
    zh += f"{'未达到' if short else '虽达到'}该叙事收稿所需的 {level:.2f}"
    en = f"Its similarity to the nearest, “{first.name.en}”, is {first.cosine:.2f}; "
    en += f"that narrative takes articles from {level:.2f} on"
    if not short:
        zh, en = (
            zh + "，但成员彼此更接近，自成一组",
            en + ", but its stories are closer to each other and stand apart",
        )
    zh, en = zh + "。", en + "."
    return Words(zh + shared.zh, f"{en} {shared.en}") if shared else Words(zh, en)


def _beside(evidence: Mapping[str, Any]) -> Words | None:
    """What gathered it, if a word did, and that its like was told before, if it was."""
    word = one_line(str(evidence.get("gathered_by") or ""))
    said = {
        lang: [line for line in (word and gathered_said(word, lang), told_before_said(evidence, lang)) if line]
        for lang in ("zh", "en")
    }
    return Words("".join(said["zh"]), " ".join(said["en"])) if said["en"] else None


def _stories(frames: Frames, narrative: str, evidence: Mapping[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    articles = frames.articles
    ids = set(as_list(evidence.get("article_ids")))
    mine = articles[articles["id"].isin(ids)] if ids else articles[articles["narrative"] == narrative]
    first = mine[mine["is_first"].astype(bool)]
    return headlines(first if len(first) else mine.drop_duplicates("story"), zone, _MAX_STORIES)
