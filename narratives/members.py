"""Memberships as decisions change them: whose an article is, where it goes, what follows for the narrative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, delete, exists, select, tuple_, update

from narratives import weeks
from narratives.archive import schema

if TYPE_CHECKING:
    from narratives.archive import Archive

Row = dict[str, Any]
CHUNK = 500


def set_narrative(connection: Connection, narrative: str, values: Mapping[str, Any]) -> None:
    table = schema.narrative
    connection.execute(update(table).where(table.c.id == narrative).values(**values))


def forget_sums(connection: Connection, narratives: Iterable[str]) -> None:
    """Narratives whose earlier members are others than before: the next update adds them up anew."""
    for narrative in sorted(set(narratives)):
        for table in (schema.narrative_week, schema.narrative_terms):
            connection.execute(delete(table).where(table.c.narrative_id == narrative))


def move_members(connection: Connection, homes: Mapping[str, str]) -> None:
    """Members of narratives go to others; an article in both is there once, as primary if it was in either.

    All in one statement: narrative by narrative it took twice as long for 160,000 members among a million. Scores are
    toward the claim of the narrative that goes, and stay behind.

    Parameters
    ----------
    homes
        Narrative -> where its members go; none of these is itself one that goes.
    """
    if not homes:
        return
    table, score = schema.membership, schema.score
    home, goes = case(dict(homes), value=table.c.narrative_id), table.c.narrative_id.in_(sorted(homes))
    other = table.alias()
    there = other.c.article_id == table.c.article_id, other.c.narrative_id == home, other.c.primary
    connection.execute(delete(table).where(goes, ~table.c.primary, exists().where(*there)))
    twice = tuple_(table.c.article_id, table.c.narrative_id).in_(select(table.c.article_id, home).where(goes))
    connection.execute(delete(table).where(twice))
    connection.execute(update(table).where(goes).values(narrative_id=home))
    connection.execute(delete(score).where(score.c.narrative_id.in_(sorted(homes))))


def story_of(archive: Archive, connection: Connection, article: Row) -> list[Row]:
    """The article and all of its story's copies."""
    table = schema.article
    return archive.rows(table, table.c.story_id == article["story_id"], connection=connection)


def memberships(archive: Archive, connection: Connection, ids: Sequence[str]) -> list[Row]:
    table = schema.membership
    found: list[Row] = []
    for start in range(0, len(ids), CHUNK):
        found += archive.rows(table, table.c.article_id.in_(ids[start : start + CHUNK]), connection=connection)
    return found


def place(
    archive: Archive, connection: Connection, story: Sequence[Row], narrative: str, before: Sequence[Row]
) -> None:
    """Make a narrative the primary one of a story's articles; those that wait are placed when they are taken in."""
    joined = {m["article_id"]: m["week"] for m in before if m["primary"]}
    taken_in = [a for a in story if a["step_week"] is not None]
    at_home = {m["article_id"] for m in before if m["primary"] and not m["weak"] and m["narrative_id"] == narrative}
    forget_sums(connection, {narrative, *(m["narrative_id"] for m in before)})
    for a in taken_in:
        if a["id"] in at_home:
            continue
        for table in (schema.membership, schema.score):
            gone = delete(table).where(table.c.article_id == a["id"])
            if table is schema.membership:  # what it is beside its primary narrative it stays
                gone = gone.where(table.c.primary | (table.c.narrative_id == narrative))
            connection.execute(gone)
        how = "decision" if a["is_voice"] else "copy"
        values = {
            "weight": 1.0,
            "primary": True,
            "weak": False,
            "how": how,
            "week": joined.get(a["id"], a["step_week"]),
        }
        connection.execute(schema.membership.insert().values(article_id=a["id"], narrative_id=narrative, **values))


def leave(connection: Connection, ids: Sequence[str], narrative: str) -> None:
    """Take articles out of a narrative, with their scores toward its claim."""
    forget_sums(connection, [narrative])
    for table in (schema.membership, schema.score):
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            connection.execute(delete(table).where(table.c.narrative_id == narrative, table.c.article_id.in_(some)))


def promote(archive: Archive, connection: Connection, articles: Sequence[str]) -> set[str]:
    """Articles that are named beside only and count nowhere: where they fit best is their home now.

    Returns
    -------
    Narratives that gained some.
    """
    own: dict[str, list[Row]] = {}
    for m in memberships(archive, connection, sorted(set(articles))):
        own.setdefault(m["article_id"], []).append(m)
    homes = [
        max(rows, key=lambda m: (m["weight"], m["narrative_id"]))
        for rows in own.values()
        if not any(m["primary"] for m in rows)
    ]
    archive.put(connection, schema.membership, [{**m, "primary": True} for m in homes])
    return {m["narrative_id"] for m in homes}


def follow_voices(archive: Archive, connection: Connection, articles: Sequence[str]) -> set[str]:
    """Copies of the stories that these articles tell go where the story's first one is.

    Returns
    -------
    Narratives that gained or lost some.
    """
    table, changed, stories = schema.article, set[str](), set[str]()
    copy, taken_in = table.alias(), table.c.step_week.is_not(None)
    copied = exists().where(copy.c.story_id == table.c.story_id, copy.c.step_week.is_not(None), ~copy.c.is_voice)
    for start in range(0, len(articles), CHUNK):
        some = table.c.id.in_(articles[start : start + CHUNK])
        stories.update(connection.scalars(select(table.c.story_id).where(some, copied)))
    for story in sorted(stories):
        rows = archive.rows(table, table.c.story_id == story, taken_in, connection=connection)
        own = {m["article_id"]: m for m in memberships(archive, connection, [r["id"] for r in rows]) if m["primary"]}
        voice = next((own.get(row["id"]) for row in rows if row["is_voice"]), None)
        for row in rows:
            there = own.get(row["id"])
            at = there["narrative_id"] if there else ""
            home = voice["narrative_id"] if voice else ""
            if row["is_voice"] or at == home:
                continue
            if there:
                leave(connection, [row["id"]], at)
            if voice:
                week = there["week"] if there else row["step_week"]
                now = {**voice, "article_id": row["id"], "how": "copy", "week": week}
                archive.put(connection, schema.membership, [now])
            changed |= {at, home} - {""}
    return changed


def refigure(archive: Archive, connection: Connection, narrative: str, zone: ZoneInfo) -> None:
    """Number of members and weeks of a narrative whose members changed; it is calibrated anew at the next update."""
    m, a = schema.membership, schema.article
    query = (
        select(a.c.published_at, m.c.week)
        .join(m, m.c.article_id == a.c.id)
        .where(m.c.narrative_id == narrative, m.c.primary, ~m.c.weak)
    )
    found = [min(weeks.monday_of(at, zone), week) for at, week in connection.execute(query)]
    row = archive.rows(schema.narrative, schema.narrative.c.id == narrative, connection=connection)[0]
    values: Row = {"n_members": len(found), "score_mean": None, "score_sd": None}
    if found:
        values["last_week"] = max(found)
        values["born_week"] = min(found) if row["born_week"] is None else min(row["born_week"], min(found))
    set_narrative(connection, narrative, values)
    forget_sums(connection, [narrative])


def stored(rows: Sequence[Row]) -> list[Row]:
    """Membership rows in terms of JSON."""
    return [{**row, "week": iso(row["week"])} for row in rows]


def restored(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Membership rows again."""
    return [{**row, "week": date.fromisoformat(row["week"])} for row in rows]


def iso(day: date | None) -> str | None:
    """A day in terms of JSON."""
    return day.isoformat() if day else None
