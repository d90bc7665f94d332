"""In which narratives stance is measured: those with a claim that a person wrote, or confirmed with its statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from narratives.archive import schema

UNSCORED = "unscored"  # narratives with members that wait to be scored toward the claim
_CHUNK = 500


def is_measured(row: Mapping[Any, Any]) -> bool:
    """Whether articles are scored toward the claim of a narrative (its row: slug, drafted, definition).

    Where they are not, an article's verdict is "unclear", and no score is kept of it.
    """
    said = row["definition"] or {}
    claim = any((text or "").strip() for text in (said.get("claim") or {}).values())
    if row["slug"]:
        return claim
    return not row["drafted"] and (claim or bool(said.get("pro"))) and bool(said.get("con"))


def measured(connection: Connection, narratives: Collection[str]) -> set[str]:
    """Those of some narratives in which stance is measured."""
    table, wanted, found = schema.narrative, sorted(set(narratives)), set[str]()
    query = select(table.c.id, table.c.slug, table.c.drafted, table.c.definition)
    for start in range(0, len(wanted), _CHUNK):
        rows = connection.execute(query.where(table.c.id.in_(wanted[start : start + _CHUNK])))
        found |= {row["id"] for row in rows.mappings() if is_measured(row)}
    return found


def unscored(connection: Connection, narratives: Collection[str]) -> dict[str, str]:
    """Members that no score is kept of -> their narrative, of those narratives in which stance is measured."""
    member, score, found = schema.membership, schema.score, dict[str, str]()
    same = (score.c.article_id == member.c.article_id) & (score.c.narrative_id == member.c.narrative_id)
    query = select(member.c.article_id, member.c.narrative_id).outerjoin(score, same)
    query = query.where(member.c.primary, ~member.c.weak, score.c.article_id.is_(None))
    for narrative in sorted(measured(connection, narratives)):
        own = connection.execute(query.where(member.c.narrative_id == narrative))
        found |= {row.article_id: row.narrative_id for row in own}
    return found
