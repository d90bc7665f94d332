"""Articles and narratives by what a person calls them, with redirects followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from narratives.archive import schema

if TYPE_CHECKING:
    from narratives.archive import Archive

_SHORTEST = 4  # characters of an article's id that are enough, where they fit one article alone


def find_article(archive: Archive, wanted: str, connection: Connection | None = None) -> dict[str, Any]:
    """The row of an article by its id, the beginning of its id, or its address.

    Raises
    ------
    ValueError
        No article, or several.
    """
    table = schema.article
    said = str(wanted).strip()
    rows = archive.rows(table, (table.c.id == said) | (table.c.url == said), connection=connection) if said else []
    if not rows and len(said) >= _SHORTEST:
        rows = archive.rows(table, table.c.id.startswith(said.lower(), autoescape=True), connection=connection)
    if not rows:
        raise ValueError(f"there is no article {wanted!r}: give its id, at least four characters of it, or its address")
    if len(rows) > 1:
        raise ValueError(f"{len(rows)} articles go by {wanted!r}: {', '.join(row['id'] for row in rows[:5])}")
    return rows[0]


def find_narrative(archive: Archive, wanted: str, connection: Connection | None = None) -> dict[str, Any]:
    """The row of a narrative by its id or its definition's; a merged one leads to the one it was merged into.

    Raises
    ------
    ValueError
        There is none.
    """
    table = schema.narrative
    said = str(wanted).strip()
    rows = archive.rows(table, (table.c.id == said.upper()) | (table.c.slug == said.lower()), connection=connection)
    if not rows:
        raise ValueError(f"there is no narrative {wanted!r}; `narratives list --all` lists those there are")
    row = rows[0]
    while row["merged_into"]:
        row = archive.rows(table, table.c.id == row["merged_into"], connection=connection)[0]
    return row


def redirects(archive: Archive, connection: Connection | None = None) -> dict[str, str]:
    """Every narrative's id -> the id it goes by today: its own, or at the end of its redirects."""
    table = schema.narrative
    into = {row["id"]: row["merged_into"] or "" for row in archive.rows(table, connection=connection)}
    found = {}
    for start in into:
        end = start
        while into.get(end):
            end = into[end]
        found[start] = end
    return found
