"""Taking a decision back: what it moved goes back as far as it still is where the decision put it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete

from narratives.archive import schema
from narratives.deeds import Deed, forget_scores, merge, write_label
from narratives.lookup import redirects
from narratives.members import (
    follow_voices,
    leave,
    memberships,
    promote,
    refigure,
    restored,
    set_narrative,
    story_of,
)
from narratives.rulings import articles_of

if TYPE_CHECKING:
    from narratives.archive import Archive

Row = dict[str, Any]
_Restore = Callable[["Archive", Connection, Row, ZoneInfo], str]


def undo(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> Deed:
    """Restore what a decision (its row, marked as undone already) changed.

    A name goes back to the one before, unless a later decision named it anew. Articles go back where they were if they
    are still where the decision put them and their former narrative is still there (or where it redirects to). A
    merged narrative comes back with what it brought; what joined afterwards stays. What a split made is merged back.
    The decision's own entries in the ledger go; the record of it, and of this, stays.
    """
    restore = _RESTORE[row["kind"]]
    what = restore(archive, connection, row, zone)
    # Copies that came since the decision are where it had put their story.
    named = [*articles_of(row), *row["payload"].get("beside", ())]
    changed = promote(archive, connection, named) | follow_voices(archive, connection, named)
    for narrative in sorted(changed):
        refigure(archive, connection, narrative, zone)
    for event in archive.rows(schema.event, connection=connection):
        if event["detail"].get("decision") == row["id"]:
            connection.execute(delete(schema.event).where(schema.event.c.id == event["id"]))
    said = f"taken back: {row['payload'].get('said', '')} ({what})"
    return Deed(said, row["narrative_id"], row["article_id"], {"decision": row["id"], "restored": what})


def _others(archive: Archive, connection: Connection, row: Row) -> list[Row]:
    """Further decisions of the same kind that stand."""
    table = schema.decision
    return archive.rows(table, table.c.kind == row["kind"], ~table.c.undone, connection=connection)


def _rename(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    end = redirects(archive, connection)
    narrative = end[row["narrative_id"]]
    table = schema.decision
    every = archive.rows(table, table.c.kind == "rename", connection=connection)
    own = [r for r in every if r["narrative_id"] == row["narrative_id"]]
    names = dict(own[0]["payload"]["before"])  # what the machine or the definition called it
    for other in own:
        if not other["undone"]:
            names.update(other["payload"]["names"])
    set_narrative(connection, row["narrative_id"], {f"name_{lang}": name for lang, name in names.items()})
    called = " / ".join(name for name in names.values() if name) or "without a name"
    return f"{narrative} is called {called}"


def _confirm(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    if any(other["narrative_id"] == row["narrative_id"] for other in _others(archive, connection, row)):
        return "another decision confirms it as well"
    set_narrative(connection, row["narrative_id"], {"drafted": True})
    forget_scores(connection, row["narrative_id"])
    return "the claim is a draft again"


def _stance(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    article, narrative = row["article_id"], redirects(archive, connection)[row["narrative_id"]]
    same = [
        other
        for other in _others(archive, connection, row)
        if other["article_id"] == article and other["narrative_id"] == row["narrative_id"]
    ]
    if same:
        write_label(archive, connection, article, narrative, same[-1]["payload"]["label"])
        return f"the label before, {same[-1]['payload']['label']}, counts again"
    table = schema.score
    every = archive.rows(
        schema.decision,
        schema.decision.c.kind == "stance",
        schema.decision.c.article_id == article,
        schema.decision.c.narrative_id == row["narrative_id"],
        connection=connection,
    )
    before = every[0]["payload"]["before"]
    connection.execute(
        delete(table).where(
            table.c.article_id == article, table.c.narrative_id == narrative, table.c.scorer == "analyst"
        )
    )
    if before is None or not _is_member(archive, connection, article, narrative):
        return "the next update scores it"
    if not archive.rows(table, table.c.article_id == article, table.c.narrative_id == narrative, connection=connection):
        connection.execute(table.insert().values(article_id=article, narrative_id=narrative, **before))
    return f"the scorer's verdict, {before['verdict']}, counts again"


def _pin(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    end = redirects(archive, connection)
    ids = _story_ids(archive, connection, row["article_id"])
    here = end[row["narrative_id"]]
    now = {m["article_id"]: m for m in memberships(archive, connection, ids) if m["primary"]}
    old = {m["article_id"]: m for m in restored(row["payload"]["before"]) if m["primary"]}
    back = 0
    for article in ids:
        if article not in now or now[article]["narrative_id"] != here:
            continue
        if article in old and end[old[article]["narrative_id"]] == here:
            continue
        leave(connection, [article], here)
        if article in old:
            former = {**old[article], "narrative_id": end[old[article]["narrative_id"]]}
            archive.put(connection, schema.membership, [former])
        back += 1
    for narrative in {here, *(end[m["narrative_id"]] for m in old.values())}:
        refigure(archive, connection, narrative, zone)
    where = sorted({end[m["narrative_id"]] for m in old.values()})
    return f"{back} of {len(ids)} articles are back in {', '.join(where) or 'no narrative'}"


def _not_this(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    end = redirects(archive, connection)
    here, home = end[row["narrative_id"]], end.get(row["payload"]["home"], "")
    old = restored(row["payload"]["before"])
    lost = [m for m in old if end[m["narrative_id"]] == here]
    ids = [m["article_id"] for m in lost]
    now = {m["article_id"]: m["narrative_id"] for m in memberships(archive, connection, ids) if m["primary"]}
    back = [m for m in lost if now.get(m["article_id"], home) == home]
    found = {m["article_id"] for m in back}
    if home:
        leave(connection, sorted(found), home)
    archive.put(
        connection,
        schema.membership,
        [{**m, "narrative_id": end[m["narrative_id"]]} for m in old if m["article_id"] in found],
    )
    for narrative in sorted({here, home} - {""}):
        refigure(archive, connection, narrative, zone)
    return f"{len(back)} of {len(lost)} articles are back in {here}" if lost else "it may join again"


def _merge(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    detail, end = row["payload"], redirects(archive, connection)
    goes, stays = row["narrative_id"], end[detail["into"]]
    ids = [*detail["moved"], *detail["beside"]]
    moved = set(detail["moved"])
    here = [m for m in memberships(archive, connection, ids) if m["narrative_id"] == stays]
    leave(connection, [m["article_id"] for m in here], stays)
    back = [{**m, "narrative_id": goes, "primary": m["article_id"] in moved and m["primary"]} for m in here]
    archive.insert(connection, schema.membership, back)
    found = {m["article_id"] for m in here}
    archive.put(
        connection,
        schema.membership,
        [{**m, "narrative_id": stays} for m in restored(detail["both"]) if m["article_id"] in found],
    )
    set_narrative(connection, goes, {"status": detail["before"]["status"], "merged_into": None})
    born = detail["before"]["born_week"]
    if stays == detail["into"]:
        set_narrative(connection, stays, {"born_week": date.fromisoformat(born) if born else None})
    for narrative in (goes, stays):
        refigure(archive, connection, narrative, zone)
    return f"{sum(m['primary'] for m in back)} of {len(moved)} articles are back in {goes}"


def _split(archive: Archive, connection: Connection, row: Row, zone: ZoneInfo) -> str:
    end = redirects(archive, connection)
    goes, stays = end[row["payload"]["into"]], end[row["narrative_id"]]
    if goes == stays:
        return f"{row['payload']['into']} was merged back already"
    table = schema.narrative
    both = {r["id"]: r for r in archive.rows(table, table.c.id.in_([goes, stays]), connection=connection)}
    merge(archive, connection, both[goes], both[stays], zone)
    return f"{goes} is {stays} again"


def _is_member(archive: Archive, connection: Connection, article: str, narrative: str) -> bool:
    return any(m["narrative_id"] == narrative for m in memberships(archive, connection, [article]))


def _story_ids(archive: Archive, connection: Connection, article: str) -> list[str]:
    rows = archive.rows(schema.article, schema.article.c.id == article, connection=connection)
    return sorted(a["id"] for a in story_of(archive, connection, rows[0]))


_RESTORE: Mapping[str, _Restore] = {
    "rename": _rename,
    "confirm": _confirm,
    "stance": _stance,
    "pin": _pin,
    "not_this": _not_this,
    "merge": _merge,
    "same_as": _merge,
    "split": _split,
}
