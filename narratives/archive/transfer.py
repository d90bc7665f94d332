"""Copies of an archive: a backup of the whole, and its articles as files that anything can read.

The exported columns are those of the `article` table (see `schema.py`) with `published_at` as ISO 8601 with the
original offset; `import_articles` brings them back without loss: ids, stories, versions and instants of taking in.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Hashable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from narratives.archive import schema
from narratives.archive.files import ArchiveError
from narratives.archive.store import Store

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".jsonl", ".csv", ".parquet")
COLUMNS = (
    "id", "url", "source", "title", "text", "lang", "published_at", "ingested_at", "content_hash", "story_id",
    "origin", "version",
)  # fmt: skip
_ROWS = 5_000


def backup(store: Store, target: Path) -> Path:
    """Copy a SQLite archive whole, at one moment, while it may be read and written.

    Raises
    ------
    FileExistsError
        There is something at `target`; it is not touched.
    ArchiveError
        The archive is on a database server (use its own tools), or the copy is not sound.
    """
    if store.path is None:
        raise ArchiveError(f"{store.name} is on a database server: use pg_dump")
    target = target.expanduser().absolute()
    if target.exists():
        raise FileExistsError(f"{target} is already there; it was not touched")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(draft)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            said = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise ArchiveError(f"the copy of {store.name} is not sound ({said}); nothing was kept")
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def export_articles(store: Store, target: Path) -> int:
    """Write all articles to a `.jsonl`, `.csv` or `.parquet` file, in order of id; returns how many.

    Raises
    ------
    FileExistsError
        There is something at `target`; it is not touched.
    ValueError
        The name ends in something else.
    """
    if target.suffix not in FORMATS:
        raise ValueError(f"an export ends in {', '.join(FORMATS)}, got {target.name!r}")
    if target.exists():
        raise FileExistsError(f"{target} is already there; it was not touched")
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    n = 0
    writer: Any = None
    try:
        with draft.open("wb") as file:
            for frame in _frames(store):
                n += len(frame)
                if target.suffix == ".jsonl":
                    for row in frame.to_dict("records"):
                        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                elif target.suffix == ".csv":
                    file.write(frame.to_csv(index=False, header=n == len(frame), lineterminator="\n").encode())
                else:
                    import pyarrow
                    from pyarrow import parquet

                    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
                    writer = writer or parquet.ParquetWriter(file, table.schema)
                    writer.write_table(table)
            if writer is not None:
                writer.close()
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return n


def import_articles(store: Store, file: Path) -> tuple[int, int]:
    """Take articles from a file of `export_articles`; returns how many were added, and how many were there.

    Articles that are there already are left as they are. Sketches for reprints are made anew.

    Raises
    ------
    ValueError
        The file is not of `export_articles`; nothing was added.
    """
    from narratives.sketches import sketch

    n_added = n_known = 0
    with store.lock("narratives import"), store.begin() as connection:
        for rows in _read(file):
            ids = [row["id"] for row in rows]
            known = set(connection.scalars(select(schema.article.c.id).where(schema.article.c.id.in_(ids))))
            new = [row for row in rows if row["id"] not in known]
            n_added, n_known = n_added + len(new), n_known + len(rows) - len(new)
            if new:
                connection.execute(insert(schema.article), new)
                signatures = [
                    {"article_id": row["id"], "signature": sketch(row["title"], row["text"]).to_bytes()} for row in new
                ]
                connection.execute(insert(schema.reprint_signature), signatures)
    return n_added, n_known


def _frames(store: Store) -> Iterator[pd.DataFrame]:
    """Articles as frames of text columns, in order of id; an empty archive gives one empty frame."""
    import pandas as pd

    table = schema.article
    last = ""
    with store.reading() as connection:
        while True:
            query = select(table).where(table.c.id > last).order_by(table.c.id).limit(_ROWS)
            rows = [dict(row) for row in connection.execute(query).mappings()]
            if not rows and last:
                return
            for row in rows:
                offset = timezone(timedelta(minutes=row["published_offset_minutes"]))
                row["published_at"] = row["published_at"].replace(tzinfo=UTC).astimezone(offset).isoformat()
                row["ingested_at"] = row["ingested_at"].replace(tzinfo=UTC).isoformat()
            yield pd.DataFrame(rows, columns=list(COLUMNS))
            if len(rows) < _ROWS:
                return
            last = rows[-1]["id"]


def _read(file: Path) -> Iterator[list[dict[str, Any]]]:
    """Rows of an export, some thousand at a time."""
    import pandas as pd

    if file.suffix not in FORMATS:
        raise ValueError(f"an export ends in {', '.join(FORMATS)}, got {file.name!r}")
    if file.suffix == ".jsonl":
        with file.open(encoding="utf-8") as lines:
            while some := list(islice(lines, _ROWS)):
                yield _rows(file, [json.loads(line) for line in some])
    elif file.suffix == ".csv":
        with pd.read_csv(file, dtype=str, keep_default_na=False, chunksize=_ROWS) as frames:
            for frame in frames:
                yield _rows(file, frame.to_dict("records"))
    else:
        from pyarrow import parquet

        for batch in parquet.ParquetFile(file).iter_batches(batch_size=_ROWS):
            yield _rows(file, batch.to_pylist())


def _rows(file: Path, records: list[dict[Hashable, Any]]) -> list[dict[str, Any]]:
    for record in records[:1]:
        missing = [name for name in COLUMNS if name not in record]
        if missing:
            raise ValueError(f"{file} is no export of articles: the columns {', '.join(missing)} are missing")
    return [_row({name: record[name] for name in COLUMNS}) for record in records]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    published = datetime.fromisoformat(row["published_at"])
    offset = published.utcoffset() or timedelta()
    found = {name: str(value) for name, value in row.items() if name not in ("version", "published_at")}
    return {
        **found,
        "version": int(row["version"]),
        "published_at": published.astimezone(UTC).replace(tzinfo=None),
        "published_offset_minutes": int(offset.total_seconds() // 60),
        "ingested_at": datetime.fromisoformat(found["ingested_at"]).astimezone(UTC).replace(tzinfo=None),
        "step_week": None,
    }
