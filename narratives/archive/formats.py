"""Rows of a table in a file: JSON Lines, CSV and Parquet, as `narratives.archive.whole` describes them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Table

from narratives.archive import schema

FORMATS = ("jsonl", "csv", "parquet")
Row = dict[str, Any]
_ROWS = 5_000
_MISSING = re.compile(r"\\+N")
_KINDS: tuple[tuple[type, str], ...] = (
    (sa.DateTime, "instant"), (sa.Date, "day"), (sa.LargeBinary, "bytes"), (sa.JSON, "structure"),
    (sa.Boolean, "boolean"), (sa.Integer, "integer"), (sa.Float, "number"),
)  # fmt: skip


def kind_of(column: Column[Any]) -> str:
    """What a column holds: text, integer, number, boolean, instant, day, bytes or structure.

    >>> kind_of(schema.article.c.published_at), kind_of(schema.article.c.title)
    ('instant', 'text')
    """
    return next((kind for of, kind in _KINDS if isinstance(column.type, of)), "text")


def _write_jsonl(file: Path, table: Table, rows: Iterable[Row]) -> int:
    n = 0
    with file.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            n += 1
    return n


def _read_jsonl(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line)


def _write_csv(file: Path, table: Table, rows: Iterable[Row]) -> int:
    n = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(column.name for column in table.columns)
        for row in _flat(table, rows):
            writer.writerow(_cell(value) for value in row.values())
            n += 1
    return n


def _cell(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, str):
        return "\\" + value if _MISSING.fullmatch(value) else value
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _read_csv(file: Path) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    reads = {c.name: _CELLS.get(kind_of(c), str) for c in schema.metadata.tables[file.stem].columns}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield {
                name: None if cell == r"\N" else reads.get(name, str)(cell[1:] if _MISSING.fullmatch(cell) else cell)
                for name, cell in row.items()
            }


_CELLS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda cell: cell == "true",
    "structure": json.loads,
}


def _write_parquet(file: Path, table: Table, rows: Iterable[Row]) -> int:
    import pyarrow
    from pyarrow import parquet

    of = {"integer": pyarrow.int64(), "number": pyarrow.float64(), "boolean": pyarrow.bool_()}
    columns = pyarrow.schema([(c.name, of.get(kind_of(c), pyarrow.string())) for c in table.columns])
    n = 0
    flat = iter(_flat(table, rows))
    with parquet.ParquetWriter(file, columns) as writer:
        while some := list(islice(flat, _ROWS)):
            n += len(some)
            writer.write_table(pyarrow.Table.from_pylist(some, schema=columns))
    return n


def _read_parquet(file: Path) -> Iterator[Row]:
    from pyarrow import parquet

    kinds = {c.name: kind_of(c) for c in schema.metadata.tables[file.stem].columns}
    with parquet.ParquetFile(file) as opened:
        for batch in opened.iter_batches(batch_size=_ROWS):
            for row in batch.to_pylist():
                yield {
                    name: json.loads(value) if kinds.get(name) == "structure" and value is not None else value
                    for name, value in row.items()
                }


def _flat(table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    """Rows whose structures are JSON text."""
    names = {column.name for column in table.columns if kind_of(column) == "structure"}
    for row in rows:
        yield {
            name: json.dumps(value, ensure_ascii=False) if name in names and value is not None else value
            for name, value in row.items()
        }


WRITERS: dict[str, Callable[[Path, Table, Iterable[Row]], int]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
READERS: dict[str, Callable[[Path], Iterator[Row]]] = {"jsonl": _read_jsonl, "csv": _read_csv, "parquet": _read_parquet}
