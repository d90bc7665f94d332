"""What each kind of decision changes in the archive at once, and what was there before, for taking it back.

Every function works in the transaction of `decisions.py`, checks before it writes, and needs no model: scores toward
a claim that an article meets for the first time are left to the next update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select, update

from narratives.archive import schema
from narratives.judged import ANALYST
from narratives.members import (
    CHUNK,
    forget_sums,
    iso,
    leave,
    memberships,
    place,
    refigure,
    set_narrative,
    stored,
    story_of,
)

if TYPE_CHECKING:
    from narratives.archive import Archive

Row = dict[str, Any]
_LEAST_STORIES = 2  # of a narrative that is split off


@dataclass(frozen=True)
class Deed:
    """What was done: a sentence, what it names, what must be kept for undoing it, and events for the ledger."""

    said: str
    narrative: str = ""
    article: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    events: tuple[Mapping[str, Any], ...] = ()


def rename(archive: Archive, connection: Connection, row: Row, names: Mapping[str, str]) -> Deed:
    before = {lang: row[f"name_{lang}"] for lang in ("zh", "en")}
    set_narrative(connection, row["id"], {f"name_{lang}": name for lang, name in names.items()})
    said = f"{row['id']} is called {' / '.join(names[lang] for lang in ('zh', 'en') if lang in names)}"
    event = {"kind": "renamed", "narrative": row["id"], "before": before, "after": {**before, **names}}
    return Deed(said, row["id"], detail={"names": dict(names), "before": before}, events=(event,))


def confirm(archive: Archive, connection: Connection, row: Row) -> Deed:
    if not row["drafted"]:
        raise ValueError(f"the claim of {row['id']} is a person's already; there is no draft to confirm")
    set_narrative(connection, row["id"], {"drafted": False})
    forget_scores(connection, row["id"])
    return Deed(f"the claim of {row['id']} stands", row["id"])


def forget_scores(connection: Connection, narrative: str) -> None:
    """Drop what the machine said toward a narrative's claim: the next update measures by the claim as it stands."""
    table = schema.score
    connection.execute(delete(table).where(table.c.narrative_id == narrative, table.c.scorer != ANALYST))


def label(archive: Archive, connection: Connection, article: Row, row: Row, said: str) -> Deed:
    if not (row["definition"] or {}).get("claim"):
        raise ValueError(f"{row['id']} has no claim that an article could support or oppose")
    table = schema.score
    old = archive.rows(
        table, table.c.article_id == article["id"], table.c.narrative_id == row["id"], connection=connection
    )
    before = (
        {name: value for name, value in old[0].items() if name not in ("article_id", "narrative_id")} if old else None
    )
    write_label(archive, connection, article["id"], row["id"], said)
    verb = {"supports": "supports", "opposes": "opposes", "reports": "only reports"}[said]
    return Deed(
        f"{article['id']} {verb} the claim of {row['id']}",
        row["id"],
        article["id"],
        {"label": said, "before": before},
    )  # fmt: skip


def pin(archive: Archive, connection: Connection, article: Row, row: Row, zone: ZoneInfo) -> Deed:
    story = story_of(archive, connection, article)
    before = memberships(archive, connection, [a["id"] for a in story])
    touched = {m["narrative_id"] for m in before if m["primary"]} | {row["id"]}
    place(archive, connection, story, row["id"], before)
    for narrative in sorted(touched):
        refigure(archive, connection, narrative, zone)
    return Deed(f"{article['id']} stays in {row['id']}", row["id"], article["id"], {"before": stored(before)})


def reject(archive: Archive, connection: Connection, article: Row, row: Row, zone: ZoneInfo) -> Deed:
    story = story_of(archive, connection, article)
    before = memberships(archive, connection, [a["id"] for a in story])
    gone = [m for m in before if m["narrative_id"] == row["id"]]
    leave(connection, [m["article_id"] for m in gone], row["id"])
    # Where the article reaches another narrative by itself, that one is its home now.
    beside = [m for m in before if m["narrative_id"] != row["id"] and not m["primary"]]
    home = (
        max(beside, key=lambda m: (m["weight"], m["narrative_id"]))
        if any(m["primary"] for m in gone) and beside
        else None
    )
    for m in gone:
        if home and m["primary"]:
            now = {**home, "article_id": m["article_id"], "how": m["how"], "week": m["week"], "primary": True}
            archive.put(connection, schema.membership, [now])
    for narrative in sorted({row["id"], home["narrative_id"]} if home else {row["id"]} if gone else ()):
        refigure(archive, connection, narrative, zone)
    said = f"{article['id']} is not {row['id']}" + (f" but {home['narrative_id']}" if home else "")
    detail = {"before": stored(before), "home": home["narrative_id"] if home else ""}
    return Deed(said, row["id"], article["id"], detail)


def merge(archive: Archive, connection: Connection, goes: Row, stays: Row, zone: ZoneInfo) -> Deed:
    """Move the members of one narrative to another and leave a redirect; the machine's merges come here too."""
    if goes["id"] == stays["id"]:
        raise ValueError(f"{goes['id']} cannot be merged into itself (a merged id means the one it was merged into)")
    table = schema.membership
    moving = archive.rows(table, table.c.narrative_id == goes["id"], connection=connection)
    moving.sort(key=lambda m: (m["week"], m["article_id"]))
    there = {
        m["article_id"]: m for m in archive.rows(table, table.c.narrative_id == stays["id"], connection=connection)
    }
    both = [there[m["article_id"]] for m in moving if m["article_id"] in there]
    for start in range(0, len(both), CHUNK):
        ids = [m["article_id"] for m in both[start : start + CHUNK]]
        connection.execute(delete(table).where(table.c.narrative_id == stays["id"], table.c.article_id.in_(ids)))
    connection.execute(delete(table).where(table.c.narrative_id == goes["id"]))
    now = []
    for m in moving:
        other = there.get(m["article_id"])
        as_primary = m["primary"] or (other is not None and other["primary"])
        now.append({**m, "narrative_id": stays["id"], "primary": as_primary})
    archive.insert(connection, table, now)
    # A score is toward a claim: what was said of the one that goes is not said of the one that stays.
    connection.execute(delete(schema.score).where(schema.score.c.narrative_id == goes["id"]))
    before = {"status": goes["status"], "born_week": iso(stays["born_week"]), "last_week": iso(stays["last_week"])}
    set_narrative(connection, goes["id"], {"status": "merged", "merged_into": stays["id"], "n_members": 0})
    forget_sums(connection, [goes["id"]])
    born = min(filter(None, [goes["born_week"], stays["born_week"]]), default=None)
    set_narrative(connection, stays["id"], {"born_week": born})
    refigure(archive, connection, stays["id"], zone)
    detail = {
        "into": stays["id"],
        "moved": [m["article_id"] for m in moving if m["primary"]],
        "beside": [m["article_id"] for m in moving if not m["primary"]],
        "both": stored(both),
        "before": before,
    }
    event = {"kind": "merged", "narrative": goes["id"], "other": stays["id"]}
    return Deed(f"{goes['id']} is {stays['id']}", goes["id"], detail=detail, events=(event,))


def split(
    archive: Archive, connection: Connection, row: Row, chosen: Sequence[Row], names: Mapping[str, str], zone: ZoneInfo
) -> Deed:
    chosen = sorted(chosen, key=lambda a: (a["published_at"], a["id"]))  # however they were named
    stories = {a["story_id"]: story_of(archive, connection, a) for a in chosen}
    table = schema.membership
    held = archive.rows(table, table.c.narrative_id == row["id"], table.c.primary, connection=connection)
    inside = {m["article_id"]: m for m in held}
    strangers = [a["id"] for a in chosen if a["id"] not in inside]
    if strangers:
        raise ValueError(f"not in {row['id']}, so they cannot be split off it: {', '.join(strangers)}")
    if len(stories) < _LEAST_STORIES:
        raise ValueError(f"{len(stories)} story cannot be a narrative, {_LEAST_STORIES} or more can: use pin or reject")
    leaving = [a for story in stories.values() for a in story if a["id"] in inside]
    if len(leaving) == len(inside):
        raise ValueError(f"these are all the articles of {row['id']}: nothing would stay; rename it instead")
    new = archive.next_id(connection, schema.narrative, "N")
    before = [inside[a["id"]] for a in leaving]
    connection.execute(
        schema.narrative.insert().values(
            id=new, origin="discovered", status="active", drafted=True, definition={"claim": _headlines(chosen)}
        )
    )
    for start in range(0, len(leaving), CHUNK):
        ids = [a["id"] for a in leaving[start : start + CHUNK]]
        connection.execute(delete(table).where(table.c.narrative_id.in_([row["id"], new]), table.c.article_id.in_(ids)))
        connection.execute(
            delete(schema.score).where(schema.score.c.narrative_id == row["id"], schema.score.c.article_id.in_(ids))
        )
    archive.insert(
        connection,
        table,
        [{**m, "narrative_id": new, "how": m["how"] if m["how"] == "copy" else "decision"} for m in before],
    )
    set_narrative(connection, new, _words(archive, connection, leaving, sorted(inside), names))
    refigure(archive, connection, new, zone)
    refigure(archive, connection, row["id"], zone)
    ids = sorted(a["id"] for a in leaving)
    said = f"{len(stories)} stories of {row['id']} are {new}"
    events = (
        {"kind": "split", "narrative": row["id"], "other": new, "n_stories": len(stories)},
        {"kind": "born", "narrative": new, "other": row["id"], "n_stories": len(stories)},
    )
    return Deed(
        said,
        row["id"],
        detail={"into": new, "articles": ids, "names": dict(names), "before": stored(before)},
        events=events,
    )


# -- what they are made of -------------------------------------------------------------------------------------


def write_label(archive: Archive, connection: Connection, article: str, narrative: str, said: str) -> None:
    """The score of an article is what the analyst said; the sentences that were found stay as evidence."""
    table = schema.score
    shares = {f"p_{name}": float(name == said) for name in ("supports", "opposes")}
    values = {
        **shares,
        "p_neutral": float(said == "reports"),
        "stance": shares["p_supports"] - shares["p_opposes"],
        "confidence": 1.0,
        "verdict": said,
        "scorer": "analyst",
    }
    it = (table.c.article_id == article, table.c.narrative_id == narrative)
    if connection.execute(update(table).where(*it).values(**values)).rowcount:
        return
    member = schema.membership
    inside = select(member.c.article_id).where(member.c.article_id == article, member.c.narrative_id == narrative)
    if connection.scalar(inside.where(member.c.primary)):
        connection.execute(table.insert().values(article_id=article, narrative_id=narrative, evidence=[], **values))


def write_event(connection: Connection, week: date | None, decision: int, event: Mapping[str, Any]) -> None:
    """Into the ledger of the last processed week; of several renamings in a week the latest is kept."""
    if week is None:
        return
    table = schema.event
    detail = {k: v for k, v in event.items() if k not in ("kind", "narrative", "other")}
    key = {
        "week": week,
        "kind": event["kind"],
        "narrative_id": event["narrative"],
        "other_id": event.get("other", ""),
    }
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    connection.execute(table.insert().values(**key, detail={**detail, "by": "analyst", "decision": decision}))


def _headlines(rows: Sequence[Row]) -> dict[str, str]:
    """A headline a language, as a claim until a person says it better."""
    claim: dict[str, str] = {}
    for row in rows:
        if row["title"].strip():
            claim.setdefault("zh" if row["lang"].startswith("zh") else "en", row["title"].strip())
    return claim


def _words(
    archive: Archive, connection: Connection, leaving: Sequence[Row], inside: Sequence[str], names: Mapping[str, str]
) -> Row:
    """Keywords of what is split off against what it leaves, and names from them where none were given."""
    from narratives.keywords import keywords_of
    from narratives.naming import name_from
    from narratives.term_sums import count, texts_of

    mine = {a["id"] for a in leaving}
    table = schema.article
    others = [i for i in inside if i not in mine][:CHUNK]
    own = count(leaving)
    every = texts_of([own, count(archive.rows(table, table.c.id.in_(others), connection=connection))])
    words = keywords_of(own, every)
    return {
        "keywords_zh": words.terms("zh", 8),
        "keywords_en": words.terms("en", 8),
        "name_zh": names.get("zh") or name_from(own, every, "zh"),
        "name_en": names.get("en") or name_from(own, every, "en"),
    }
