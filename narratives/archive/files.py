"""Where an archive is and how it is opened: places, engines, sound files, and errors in words.

Nothing here ever overwrites a file that is already there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError

_SQLITE_MAGIC = b"SQLite format 3\x00"
_BUSY_MILLISECONDS = 15_000


class ArchiveError(Exception):
    """The archive cannot be used as asked; the message says why and what helps."""


class ArchiveDamaged(ArchiveError):
    """The file is not a sound SQLite archive. It is left as it is."""


class ArchiveReadOnly(ArchiveError):
    """The archive may be read and not written."""


class ArchiveBusy(ArchiveError):
    """Another run is writing."""


def place_of(place: str | Path) -> tuple[Path | None, str]:
    """Path (None on a server) and database address of what a person wrote."""
    shown = str(place)
    if "://" not in shown:
        path = Path(shown).expanduser().absolute()
        return path, f"sqlite:///{path}"
    url = make_url(shown)
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ArchiveError("an archive needs a file: give its path")
        path = Path(url.database).expanduser().absolute()
        return path, f"sqlite:///{path}"
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return None, url.render_as_string(hide_password=False)


def _from_json(said: Any) -> Any:
    """What a JSON column holds. An update reads thousands of profiles of words, and decoding them is what grows with
    its past: orjson takes half of the time."""
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:  # a number that SQLite kept as one, or what Python writes and JSON has not: NaN
        return json.loads(said)


def engine_of(url: str, journal: str | None = None) -> Engine:
    try:
        engine = create_engine(url, json_deserializer=_from_json)
    except ModuleNotFoundError as error:
        raise ArchiveError(
            f"{shown_address(url)} needs the package {error.name}: pip install 'narratives[postgres]'"
        ) from error
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _set_up(dbapi_connection: Any, _: Any) -> None:
        # The driver must not begin transactions by itself: `begin` below does, and DDL is then part of them.
        dbapi_connection.isolation_level = None
        with closing(dbapi_connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
            if journal:
                cursor.execute(f"PRAGMA journal_mode={journal}")
                # Every 64 MB: a page that many transactions changed is then written once.
                cursor.execute("PRAGMA wal_autocheckpoint=16000")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA cache_size=-65536")
            cursor.execute("PRAGMA temp_store=MEMORY")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("narratives_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


@contextmanager
def reported_as(name: object) -> Iterator[None]:
    """Say in our words what a database error means."""
    try:
        yield
    except DatabaseError as error:
        said = str(error.orig)
        low = said.lower()
        if any(sign in low for sign in ("malformed", "not a database", "disk i/o error", "database corruption")):
            raise ArchiveDamaged(f"{name} is damaged ({said}); it was left as it is: restore a backup") from error
        if "readonly" in low or "read-only" in low:
            raise ArchiveReadOnly(f"{name} may not be written ({said})") from error
        if "locked" in low or "lock timeout" in low:
            raise ArchiveBusy(
                f"{name} is being written by another process ({said}); try again when it has ended"
            ) from error
        if "full" in low:
            raise ArchiveError(
                f"{name}: the disk is full; nothing of the last step was written, free space and run again"
            ) from error
        if "unable to open" in low or "connection" in low:
            raise ArchiveError(f"{name} cannot be opened: {said}") from error
        raise


def check_file(path: Path) -> None:
    """Refuse what is plainly no sound SQLite file, before SQLite touches it."""
    if not path.exists():
        raise FileNotFoundError(f"there is no archive at {path}; `narratives init` makes one")
    if not path.is_file():
        raise ArchiveError(f"{path} is not a file")
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except PermissionError as error:
        raise ArchiveError(f"{path} may not be read by this user") from error
    size = path.stat().st_size
    if not size:
        raise ArchiveDamaged(f"{path} is empty, not an archive; it was left as it is")
    if not head.startswith(_SQLITE_MAGIC) or len(head) < 100:
        raise ArchiveDamaged(
            f"{path} does not begin like a SQLite file: damaged or something else; it was left as it is"
        )
    wal = path.with_name(path.name + "-wal")
    if not (wal.exists() and wal.stat().st_size):
        page = int.from_bytes(head[16:18], "big")
        expected = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
        if size < expected:
            raise ArchiveDamaged(
                f"{path} is cut short: {size:,} bytes of {expected:,}; it was left as it is: restore a backup"
            )


def may_write(path: Path) -> bool:
    # The effective user counts, as it does for the file system.
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.W_OK, effective_ids=effective) and os.access(
        path.parent, os.W_OK, effective_ids=effective
    )


def holder_of(file: Path) -> str:
    try:
        said = json.loads(file.read_text())
        return f"{said['command']} (process {said['pid']}, since {said['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"


def quoted_path(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


def shown_address(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
