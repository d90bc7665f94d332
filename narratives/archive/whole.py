"""A whole archive as files that anything can read, and back without loss: every table, every row.

An export is a folder with one file a table (`article.jsonl`, …) and `manifest.json`, which says what is in it:
the schema's version, the format, and of each table its rows and its columns with type, key and reference. What
tables and columns mean stands in `README.md`, which is this folder's. An archive on either kind of database can be
made from an export.

An instant is ISO 8601 in UTC, a day ISO 8601, bytes are base64, a structure is JSON (in JSON Lines itself, in CSV and
Parquet as text). CSV knows no missing value: there `\\N` is one, and a text that reads so has one more `\\`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, func, insert, select

from narratives.archive import migrations, schema
from narratives.archive.bulk import insert_many
from narratives.archive.files import ArchiveError
from narratives.archive.formats import FORMATS, READERS, WRITERS, Row, kind_of
from narratives.archive.store import Store

MANIFEST, README = "manifest.json", "README.md"
_ROWS = 5_000


def export_archive(store: Store, folder: Path, form: str = "jsonl") -> dict[str, int]:
    """Write every table of an archive, as it is at one moment, into a new folder.

    Parameters
    ----------
    form
        `jsonl`, `csv` or `parquet`.

    Returns
    -------
    n of rows of each table.

    Raises
    ------
    FileExistsError
        There is something at `folder`; it is not touched.
    ValueError
        The format is none of the three.
    """
    if form not in FORMATS:
        raise ValueError(f"an export is one of {', '.join(FORMATS)}, got {form!r}")
    if folder.exists():
        raise FileExistsError(f"{folder} is already there; it was not touched")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    draft.mkdir()
    try:
        counts = {}
        with store.reading() as connection:
            for table in schema.metadata.sorted_tables:
                rows = _rows_of(connection, table)
                counts[table.name] = WRITERS[form](draft / f"{table.name}.{form}", table, rows)
        said = {"schema_version": migrations.SCHEMA_VERSION, "format": form, "tables": describe(counts)}
        (draft / README).write_bytes(files("narratives.archive").joinpath(README).read_bytes())
        (draft / MANIFEST).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return counts


def import_archive(store: Store, folder: Path) -> dict[str, int]:
    """Fill an empty archive from a folder of `export_archive`: all of it or nothing.

    Returns
    -------
    n of rows of each table.

    Raises
    ------
    ValueError
        It is no export, one of a newer version of this program, or not whole; nothing was written.
    ArchiveError
        The archive holds something already.
    """
    manifest = _manifest(folder)
    counts: dict[str, int] = {}
    with store.lock("narratives import"), store.begin() as connection:
        for table in schema.metadata.sorted_tables:
            if table is not schema.meta and connection.execute(select(table).limit(1)).first() is not None:
                raise ArchiveError(f"{store.name} is not empty: import goes into a new desk (`narratives init FOLDER`)")
        kept = {migrations.VERSION_KEY: connection.scalar(select(schema.meta.c.value))}
        connection.execute(schema.meta.delete())
        for table in schema.metadata.sorted_tables:
            if table.name not in manifest["tables"]:
                continue  # an export of an older version has no such table
            file = folder / f"{table.name}.{manifest['format']}"
            counts[table.name] = _fill(connection, table, READERS[manifest["format"]](file))
            if counts[table.name] != (said := manifest["tables"][table.name]["rows"]):
                raise ValueError(f"{file} holds {counts[table.name]:,} rows, the manifest says {said:,}")
        version = schema.meta.c.key == migrations.VERSION_KEY
        connection.execute(schema.meta.update().where(version).values(value=kept[migrations.VERSION_KEY]))
    return counts


def describe(counts: Mapping[str, int]) -> dict[str, Any]:
    """What the manifest says of each table: rows, and columns with type, and key, reference and nulls if so."""
    found: dict[str, Any] = {}
    for table in schema.metadata.sorted_tables:
        columns = {}
        for column in table.columns:
            said: Row = {"type": kind_of(column)}
            if column.primary_key:
                said["key"] = True
            if column.nullable:
                said["may_be_missing"] = True
            if column.foreign_keys:
                said["refers_to"] = next(iter(column.foreign_keys)).target_fullname
            columns[column.name] = said
        found[table.name] = {"rows": counts.get(table.name, 0), "columns": columns}
    return found


def _rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """Rows in the order of the key, each value as JSON can say it."""
    kinds = {column.name: kind_of(column) for column in table.columns}
    query = select(table).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=_ROWS).execute(query)
    for row in result.mappings():
        yield {name: _plain(row[name], kind) for name, kind in kinds.items()}
    connection.execution_options(yield_per=None)


def _plain(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "instant":
        return value.replace(tzinfo=UTC).isoformat()
    if kind == "day":
        return value.isoformat()
    return base64.b64encode(value).decode() if kind == "bytes" else value


def _value(plain: Any, kind: str) -> Any:
    """What `_plain` was given."""
    if plain is None:
        return None
    if kind == "instant":
        return datetime.fromisoformat(plain).astimezone(UTC).replace(tzinfo=None)
    if kind == "day":
        return date.fromisoformat(plain)
    return base64.b64decode(plain, validate=True) if kind == "bytes" else plain


def _fill(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert the rows of a file; returns how many."""
    kinds = {column.name: kind_of(column) for column in table.columns}
    # A row may refer to a later one of its own table: that is filled in afterwards.
    inner = [c.name for c in table.columns if any(key.column.table is table for key in c.foreign_keys)]
    later: list[Row] = []
    n = 0
    rows = iter(rows)
    while some := list(islice(rows, _ROWS)):
        n += len(some)
        made = [{name: _value(row[name], kind) for name, kind in kinds.items() if name in row} for row in some]
        for row in made:
            if any(row.get(name) is not None for name in inner):
                later.append(dict(row))
                row.update(dict.fromkeys(inner))
        if len(made[0]) == len(kinds):
            insert_many(connection, table, made)
        else:  # of an older version: what it did not have gets its default
            connection.execute(insert(table), made)
    keys = list(table.primary_key.columns)
    for row in later:
        same = [key == row[key.name] for key in keys]
        connection.execute(table.update().where(*same).values({name: row[name] for name in inner}))
    if connection.dialect.name == "postgresql" and n and len(keys) == 1 and isinstance(keys[0].type, sa.Integer):
        # The next row must not be given a number that an imported one has.
        largest = select(func.max(keys[0])).scalar_subquery()
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, keys[0].name), largest)))
    return n


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version, form, tables = said["schema_version"], said["format"], said["tables"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is no export of an archive: its {MANIFEST} cannot be read ({error!r})") from error
    if version > migrations.SCHEMA_VERSION:
        raise ValueError(
            f"{folder} has schema version {version}, this program knows versions up to {migrations.SCHEMA_VERSION}"
        )
    missing = [name for name in tables if not (folder / f"{name}.{form}").is_file()]
    if form not in FORMATS or missing:
        raise ValueError(f"{folder} is not whole: {', '.join(missing) or form} cannot be read")
    return dict(said)
