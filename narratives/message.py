"""What an alert's message says: what is new, how much there is of it, why it is none of the known, where to look."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from narratives.alerts import gathered_said, told_before_said
from narratives.archive import Archive, schema
from narratives.settings import Settings
from narratives.weeks import label

_TITLE_CHARS = 120
# A headline comes from outside: it must not call out to everybody in a chat, nor be read as markup.
_HARMLESS = str.maketrans({"@": "＠", "<": "‹", ">": "›"})
_KINDS = {"emerging": "warning", "confirmed": "success", "retracted": "info"}

_HEADS = {
    "emerging": {"zh": "新叙事", "en": "New narrative"},
    "confirmed": {"zh": "新叙事已证实", "en": "New narrative confirmed"},
    "retracted": {"zh": "新叙事已撤回", "en": "New narrative retracted"},
}
_WHAT = {
    "emerging": {
        "zh": "新叙事：“{name}”（{id}，{subject}），{week} 首次出现。{n_stories} 条独立报道，{n_sources} 个来源。",
        "en": "New narrative: “{name}” ({id}, {subject}), first seen in {week}. {stories} from {outlets}.",
    },
    "confirmed": {
        "zh": "已证实：“{name}”（{id}，{subject}，{week} 预警）此后又有报道加入。"
        "出现时 {n_stories} 条独立报道，{n_sources} 个来源{now}。",
        "en": "Confirmed: “{name}” ({id}, {subject}, alerted in {week}) has gained stories since. "
        "{stories} from {outlets} at its birth{now}.",
    },
    "retracted": {
        "zh": "已撤回：“{name}”（{id}，{subject}，{week} 预警）两周内没有新的报道加入。"
        "当时 {n_stories} 条独立报道，{n_sources} 个来源。",
        "en": "Retracted: “{name}” ({id}, {subject}, alerted in {week}) gained no story in two weeks. "
        "It had {stories} from {outlets}.",
    },
}
_NOW = {"zh": "；现有 {n_stories} 条，{n_sources} 个来源", "en": "; {stories} from {outlets} now"}
_WHY = {
    "zh": "不属于任何已知叙事：最近的是“{name}”（{id}），得分 {score:.2f}{level}。",
    "en": "None of the known: the nearest is “{name}” ({id}) with a score of {score:.2f}{level}.",
}
_LEVEL = {"zh": "，归入需 {:.2f}", "en": ", joining needs {:.2f}"}
_NO_OTHER = {"zh": "当时没有可比的叙事。", "en": "There was no narrative to compare it with."}
_SPLIT = {"zh": "由“{name}”（{id}）分出。", "en": "It split off from “{name}” ({id})."}
_LOOK = {"zh": "细看", "en": "Look closer"}


@dataclass(frozen=True)
class Message:
    """`id` is the same whenever the same state of the same alert is sent; `kind` is info, success or warning."""

    id: str
    title: str
    body: str
    kind: str


def message_id(alert: Mapping[str, Any], state: str) -> str:
    """Names one state of one alert, for ever: `A0001-emerging-` and a hash of what the alert rests on.

    The hash tells alerts of two desks apart that send to the same channel.

    >>> from datetime import date
    >>> row = {"id": "A0001", "narrative_id": "N0002", "week": date(2025, 11, 10), "evidence": {"article_ids": ["a"]}}
    >>> message_id(row, "emerging")
    'A0001-emerging-1f37920a'
    """
    ids = sorted(str(i) for i in (alert["evidence"] or {}).get("article_ids", []))
    said = "|".join([alert["id"], alert["narrative_id"], alert["week"].isoformat(), *ids])
    return f"{alert['id']}-{state}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def compose(archive: Archive, alert: Mapping[str, Any], settings: Settings) -> Message:
    """The message of an alert in its present state, in the report's language or in both.

    Parameters
    ----------
    alert
        A row of the archive's table `alert`; its state is emerging, confirmed or retracted.
    """
    state, evidence = str(alert["state"]), dict(alert["evidence"] or {})
    chosen = settings.report.language
    langs = ("zh", "en") if chosen == "both" else (chosen,)
    narratives = {row["id"]: row for row in archive.rows(schema.narrative)}
    own = narratives[alert["narrative_id"]]
    born = _articles(archive, [str(i) for i in evidence.get("article_ids", [])])
    members = _members(archive, alert)
    head = " / ".join(_HEADS[state][lang] for lang in langs)
    names = " / ".join(dict.fromkeys(_name(own, lang) for lang in langs))
    lines = []
    now = _counts(_articles(archive, list(members)))
    for lang in langs:
        figures = {"n_stories": int(evidence.get("n_stories", 0)), "n_sources": int(evidence.get("n_sources", 0))}
        lines.append(
            _WHAT[state][lang].format(
                name=_name(own, lang),
                id=own["id"],
                subject=_line(settings.subject),
                week=label(alert["week"]),
                now=_NOW[lang].format(**_said(**now)) if now["n_stories"] else "",
                **_said(**figures),
            )
        )
    joined = [i for i, week in members.items() if week > alert["week"]] if state == "confirmed" else []
    shown = list(reversed(_articles(archive, joined))) or born
    zone = ZoneInfo(settings.discover.timezone)
    lines += ["", *(_headline(row, zone) for row in _two(shown, langs[0])), ""]
    lines += [_why(evidence, narratives, lang) for lang in langs]
    lines += [" / ".join(_LOOK[lang] for lang in langs) + f": narratives alerts show {alert['id']}"]
    name = message_id(alert, state)
    lines += ["", f"Message id: {name}"]
    return Message(name, f"{head}: {names}", "\n".join(lines), _KINDS[state])


def _why(evidence: Mapping[str, Any], narratives: Mapping[str, Mapping[str, Any]], lang: str) -> str:
    nearest = narratives.get(str(evidence.get("nearest") or ""))
    if nearest is None:
        said = _NO_OTHER[lang]
    else:
        level = evidence.get("level_of_nearest")
        said = _WHY[lang].format(
            name=_name(nearest, lang),
            id=nearest["id"],
            score=float(evidence.get("nearest_score") or 0.0),
            level=_LEVEL[lang].format(float(level)) if level is not None else "",
        )
    parts, parent = [said], narratives.get(str(evidence.get("split_from") or ""))
    if parent is not None:
        parts.append(_SPLIT[lang].format(name=_name(parent, lang), id=parent["id"]))
    if evidence.get("gathered_by"):
        parts.append(gathered_said(_line(str(evidence["gathered_by"])), lang))
    if before := told_before_said(evidence, lang):
        parts.append(before)
    return ("" if lang == "zh" else " ").join(parts)


def _articles(archive: Archive, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The articles with these ids, the earliest first."""
    table, rows = schema.article, []
    for start in range(0, len(ids), 500):
        rows += archive.rows(table, table.c.id.in_(ids[start : start + 500]))
    return sorted(rows, key=lambda row: (row["published_at"], row["id"]))


def _members(archive: Archive, alert: Mapping[str, Any]) -> dict[str, Any]:
    """Articles of the alert's narrative today -> the week in which each joined."""
    table = schema.membership
    rows = archive.rows(table, table.c.narrative_id == alert["narrative_id"], table.c.primary, ~table.c.weak)
    return {row["article_id"]: row["week"] for row in rows}


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    sources = {row["source"].strip().casefold() for row in rows if row["source"].strip()}
    return {"n_stories": len({row["story_id"] for row in rows}), "n_sources": len(sources)}


def _said(n_stories: int, n_sources: int) -> dict[str, Any]:
    """The two counts as figures (Chinese) and with their nouns (English)."""
    stories = f"{n_stories:,} {'story' if n_stories == 1 else 'stories'}"
    outlets = f"{n_sources:,} {'outlet' if n_sources == 1 else 'outlets'}"
    return {"n_stories": n_stories, "n_sources": n_sources, "stories": stories, "outlets": outlets}


def _two(rows: Sequence[Mapping[str, Any]], first: str) -> list[Mapping[str, Any]]:
    """Two articles that differ in story, and if possible in language and source; one in `first` leads."""
    if not rows:
        return []
    lead = next((row for row in rows if row["lang"].partition("-")[0] == first), rows[0])
    others = [row for row in rows if row["story_id"] != lead["story_id"]]
    other = min(others, key=lambda row: (row["lang"] == lead["lang"]) + (row["source"] == lead["source"]), default=None)
    return [lead] if other is None else [lead, other]


def _headline(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    published: datetime = row["published_at"]
    day = published.replace(tzinfo=UTC).astimezone(zone).date()
    source = _line(row["source"])
    said = f"- {_line(row['title'] or row['text'])} — {source + ', ' if source else ''}{day}"
    url = str(row["url"])
    return f"{said}\n  {url}" if url.startswith(("https://", "http://")) and url.isprintable() else said


def _name(narrative: Mapping[str, Any], lang: str) -> str:
    zh, en = narrative["name_zh"], narrative["name_en"]
    return _line(((zh or en) if lang == "zh" else (en or zh)) or narrative["id"])


def _line(text: str) -> str:
    """One harmless line of at most 120 characters."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()).translate(_HARMLESS)
    return shown if len(shown) <= _TITLE_CHARS else shown[: _TITLE_CHARS - 1] + "…"
