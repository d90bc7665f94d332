"""Named narratives as `definitions.yaml` has them now: permanent ids, and what follows where their text was changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from narratives.archive import schema
from narratives.claims import UNSCORED
from narratives.deeds import forget_scores
from narratives.definitions import Definition
from narratives.rulings import Rulings

if TYPE_CHECKING:
    from narratives.archive import Archive

_STANCE = ("kind", "claim", "actors", "pro", "con", "neutral")  # of a definition: what stance is measured by


def restated(archive: Archive, definitions: Sequence[Definition], connection: Connection | None = None) -> set[str]:
    """Narratives whose claim or statements were changed since the archive took them over.

    Their scores are toward what was said before.
    """
    table, said = schema.narrative, {definition.id: _stance_of(definition) for definition in definitions}
    return {
        row["id"]
        for row in archive.rows(table, table.c.slug.is_not(None), connection=connection)
        if row["slug"] in said and said[row["slug"]] != {name: (row["definition"] or {}).get(name) for name in _STANCE}
    }


def to_score(archive: Archive, definitions: Sequence[Definition]) -> set[str]:
    """Narratives with articles that the next update scores anew: restated, or left by a run that was killed."""
    return {*restated(archive, definitions), *archive.get_meta(UNSCORED, [])}


def _stance_of(definition: Definition) -> dict[str, Any]:
    return definition.model_dump(mode="json", include=set(_STANCE))


def name_definitions(archive: Archive, definitions: Sequence[Definition]) -> None:
    """Give every named narrative its permanent id, and take over what the analyst has changed in its text.

    Where that is its claim or a statement, the next step scores all its articles anew.
    """
    table = schema.narrative
    with archive.begin() as connection:
        changed = restated(archive, definitions, connection)
        for narrative in sorted(changed):
            forget_scores(connection, narrative)
        if changed:
            waiting = archive.get_meta(UNSCORED, [])
            archive.set_meta(UNSCORED, sorted({*waiting, *changed}), connection)
        known = {row["slug"]: row for row in archive.rows(table, table.c.slug.is_not(None), connection=connection)}
        for definition in definitions:
            values = {
                "name_zh": definition.name.zh,
                "name_en": definition.name.en,
                "definition": definition.model_dump(mode="json"),
            }
            row = known.get(definition.id)
            if row is None:
                new = archive.next_id(connection, table, "N")
                connection.execute(
                    table.insert().values(id=new, slug=definition.id, origin="defined", status="active", **values)
                )
            elif any(row[name] != value for name, value in values.items()):
                connection.execute(table.update().where(table.c.id == row["id"]).values(**values))
        Rulings.load(archive, connection).keep_names(connection)
