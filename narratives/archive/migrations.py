"""From an older schema to the present one, a step a version, never guessed.

To change the schema: change `schema.py`, raise `SCHEMA_VERSION`, and add to `STEPS` the function that brings
the version before to the new one. A new archive is made at the present version directly; a test holds that an
archive that walked through every step has the same tables as a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Table, delete, inspect, select
from sqlalchemy.schema import CreateColumn

from narratives.archive import repairs, schema

SCHEMA_VERSION = 9
VERSION_KEY = "schema_version"


def add(
    connection: Connection, tables: Sequence[Table] = (), columns: Mapping[Table, Sequence[str]] | None = None
) -> None:
    """Add tables, and columns to tables that are there; what an archive has already is left as it is.

    A column needs a server default or must allow NULL: rows that are there get it too.
    """
    for table in tables:
        table.create(connection, checkfirst=True)
    quote = connection.dialect.identifier_preparer.quote
    for table, names in (columns or {}).items():
        inspector = inspect(connection)
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for name in names:
            if name not in there:
                definition = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {definition}")
        known = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in known and {column.name for column in index.columns} & set(names):
                index.create(connection)


def index(connection: Connection, table: Table, name: str) -> None:
    """Add an index that the archive does not have yet."""
    next(one for one in table.indexes if one.name == name).create(connection, checkfirst=True)


def _to_second(connection: Connection) -> None:
    """Version 2 adds, and drops one index that nothing asked and every article had to be written into."""
    connection.exec_driver_sql("DROP INDEX IF EXISTS article_content")
    add(connection, tables=(schema.actor_tone,), columns={})


def _to_third(connection: Connection) -> None:
    """Version 3 adds what an update keeps of earlier weeks; the next update fills it once from what is there."""
    add(connection, tables=(schema.space_version, schema.narrative_week), columns={})


def _to_fourth(connection: Connection) -> None:
    """Version 4 adds an index, by which an update no longer looks at every score that was ever made."""
    index(connection, schema.score, "score_narrative")


def _to_fifth(connection: Connection) -> None:
    """Version 5 adds what narratives and weeks speak of, and the layer above narratives; the next update fills them."""
    add(connection, tables=(schema.narrative_terms, schema.week_terms, schema.theme), columns={})


def _to_sixth(connection: Connection) -> None:
    """Version 6 keeps less of what weeks speak of. It reads both forms; a program that knows one only must refuse."""


def _to_seventh(connection: Connection) -> None:
    """Version 7 mends what earlier programs miscounted; the next update adds up anew what that changed."""
    changed = repairs.homes_of_lost(connection) | repairs.voices_of_silent(connection)
    for narrative_id in sorted(changed):
        for table in (schema.narrative_week, schema.narrative_terms):
            connection.execute(delete(table).where(table.c.narrative_id == narrative_id))
    repairs.count_members(connection)


def _to_eighth(connection: Connection) -> None:
    """Version 8 adds of which series the headlines of the latest weeks are; the next update notes them.

    Scores where no claim is measured, "unclear" each of them, are not kept any more, nor those that were left behind by
    articles that had gone.
    """
    add(connection, tables=(schema.headline_week,), columns={})
    connection.execute(delete(schema.score).where(schema.score.c.scorer.in_(("draft", "no-claim"))))
    repairs.forget_stray_scores(connection)


def _to_ninth(connection: Connection) -> None:
    """Version 9 adds the word that gathers a narrative; of those that are there none is known to have one."""
    add(connection, columns={schema.narrative: ("gathered_by",)})


# STEPS[n] brings an archive of version n to version n + 1, inside the caller's transaction.
STEPS: dict[int, Callable[[Connection], None]] = {
    1: _to_second,
    2: _to_third,
    3: _to_fourth,
    4: _to_fifth,
    5: _to_sixth,
    6: _to_seventh,
    7: _to_eighth,
    8: _to_ninth,
}


def create(connection: Connection) -> None:
    """Make all tables of the present version and note it."""
    schema.metadata.create_all(connection)
    connection.execute(schema.meta.insert().values(key=VERSION_KEY, value=SCHEMA_VERSION))


def version_of(connection: Connection) -> int | None:
    """The archive's schema version; None when it is no archive of ours."""
    inspector = inspect(connection)
    if not inspector.has_table("meta"):
        return None
    if not {"key", "value"} <= {column["name"] for column in inspector.get_columns("meta")}:
        return None
    row = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == VERSION_KEY)).one_or_none()
    return row[0] if row is not None and isinstance(row[0], int) else None


def upgrade(
    connection: Connection,
    steps: Mapping[int, Callable[[Connection], None]] = STEPS,
    target: int = SCHEMA_VERSION,
) -> int:
    """Walk every step up to `target` in the caller's transaction; returns the version reached.

    Raises
    ------
    ValueError
        There is no version in the archive, or a step is missing.
    """
    version = version_of(connection)
    if version is None:
        raise ValueError("the archive names no schema version")
    while version < target:
        if version not in steps:
            raise ValueError(f"no step from schema version {version} to {version + 1}")
        steps[version](connection)
        version += 1
        table = schema.meta
        connection.execute(table.update().where(table.c.key == VERSION_KEY).values(value=version))
    return version
