"""Opening, creating and locking an archive, and its transactions.

The file is SQLite in WAL mode: a notebook may read while a run writes. Whoever writes holds the lock file
beside it, so that two runs never interleave. Nothing here ever overwrites a file that is already there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, inspect, select, text

from narratives.archive import migrations, schema
from narratives.archive.files import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArchiveReadOnly,
    check_file,
    engine_of,
    holder_of,
    may_write,
    place_of,
    quoted_path,
    reported_as,
    shown_address,
)

_ADVISORY_LOCK = 0x6E617272  # "narr": the key of the lock on PostgreSQL


class Store:
    """A connection to one archive: transactions, facts about itself, and the lock.

    The article side and the history side of the archive are classes built on this one, in files of their own.
    Open one with `open`, `create` or `open_or_create`.

    Parameters
    ----------
    engine
        As `open` and `create` make it.
    path
        The SQLite file, or None on a database server.
    read_only
        Every attempt to write raises `ArchiveReadOnly`.
    """

    def __init__(self, engine: Engine, path: Path | None, read_only: bool = False) -> None:
        self.engine = engine
        self.path = path
        self.read_only = read_only
        self._lock_depth = 0
        self._lock_guard = threading.RLock()

    @classmethod
    def create(cls, place: str | Path) -> Self:
        """Make a new, empty archive at a path or a database address.

        The SQLite file is made whole under another name and then linked into place, so a killed run leaves
        either nothing or a complete archive.

        Raises
        ------
        FileExistsError
            There is a file, or the database already holds an archive.
        """
        path, url = place_of(place)
        if path is None:
            engine = engine_of(url)
            if inspect(engine).has_table("meta"):
                raise FileExistsError(f"{shown_address(url)} already holds an archive")
            with engine.begin() as connection:
                migrations.create(connection)
            return cls(engine, None)
        if path.exists():
            raise FileExistsError(f"{path} is already there; it was not touched")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        try:
            with reported_as(draft):
                engine = engine_of(f"sqlite:///{draft}", journal="DELETE")
                with engine.begin() as connection:
                    migrations.create(connection)
                engine.dispose()
            os.link(draft, path)  # fails where a file has appeared meanwhile: never overwrites
        finally:
            draft.unlink(missing_ok=True)
        return cls.open(path)

    @classmethod
    def open(cls, place: str | Path, read_only: bool = False) -> Self:
        """Open an archive; an older schema is migrated first.

        Raises
        ------
        FileNotFoundError
            There is no archive at that place.
        ArchiveDamaged
            The file is empty, cut short, damaged or no SQLite file.
        ArchiveReadOnly
            The file may not be written and `read_only` was not asked for, or it needs a migration.
        ArchiveError
            It was written by a newer version of this program, or is some other database.
        """
        path, url = place_of(place)
        if path is not None:
            check_file(path)
            if not read_only and not may_write(path):
                raise ArchiveReadOnly(
                    f"{path} may not be written by this user: give write permission on the file and its "
                    "folder, or open it with read_only=True"
                )
            query = ""
            if read_only:
                wal = path.with_name(path.name + "-wal")
                # Without write permission SQLite cannot make the files that WAL mode needs to read.
                frozen = not may_write(path) and not (wal.exists() and wal.stat().st_size)
                query = "?mode=ro&uri=true" + ("&immutable=1" if frozen else "")
            url = f"sqlite:///file:{quoted_path(path)}{query}" if query else f"sqlite:///{path}"
        engine = engine_of(url, journal=None if read_only else "WAL")
        store = cls(engine, path, read_only)
        try:
            store._check_schema(shown_address(url) if path is None else str(path))
        except BaseException:
            engine.dispose()
            raise
        return store

    @classmethod
    def open_or_create(cls, place: str | Path) -> Self:
        """Open the archive, or make an empty one where there is none."""
        path, url = place_of(place)
        absent = not path.exists() if path is not None else not inspect(engine_of(url)).has_table("meta")
        return cls.create(place) if absent else cls.open(place)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One writing transaction: all of it happens or nothing.

        Raises
        ------
        ArchiveReadOnly, ArchiveBusy, ArchiveDamaged, ArchiveError
            The database refused; the transaction is rolled back.
        """
        if self.read_only:
            raise ArchiveReadOnly(f"{self.name} was opened for reading only")
        with reported_as(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(narratives_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One reading transaction: it sees one state of the archive throughout, whatever a run writes."""
        with reported_as(self.name), self.engine.connect() as connection, connection.begin():
            yield connection

    @property
    def name(self) -> str:
        """The archive's place as a person would write it (no password)."""
        return str(self.path) if self.path is not None else shown_address(str(self.engine.url))

    def get_meta(self, key: str, default: Any = None) -> Any:
        """A fact that the archive keeps about itself."""
        with self.reading() as connection:
            row = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == key)).one_or_none()
        return default if row is None else row[0]

    def set_meta(self, key: str, value: Any, connection: Connection | None = None) -> None:
        """Keep a fact (anything JSON can say), inside a running transaction if one is given."""
        if connection is None:
            with self.begin() as own:
                self.set_meta(key, value, own)
            return
        table = schema.meta
        if not connection.execute(table.update().where(table.c.key == key).values(value=value)).rowcount:
            connection.execute(table.insert().values(key=key, value=value))

    @contextmanager
    def lock(self, command: str = "a run", wait_seconds: float = 0.0) -> Iterator[None]:
        """Keep every other run from writing; may be nested within one `Store`.

        Parameters
        ----------
        command
            What is being done; whoever is kept waiting is told.
        wait_seconds
            How long to wait for another run to end. 0 refuses at once.

        Raises
        ------
        ArchiveBusy
            Another run holds the lock; the message names it.
        """
        with self._lock_guard:
            if self._lock_depth == 0:
                with self._locked_file(command, wait_seconds) if self.path else self._locked_server(wait_seconds):
                    self._lock_depth += 1
                    try:
                        yield
                    finally:
                        self._lock_depth -= 1
                return
            self._lock_depth += 1
            try:
                yield
            finally:
                self._lock_depth -= 1

    @contextmanager
    def _locked_file(self, command: str, wait_seconds: float) -> Iterator[None]:
        from filelock import FileLock, Timeout

        assert self.path is not None
        if self.read_only:
            raise ArchiveReadOnly(f"{self.name} was opened for reading only")
        holder = self.path.with_name(self.path.name + ".lock-holder")
        lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        try:
            lock.acquire(timeout=wait_seconds, poll_interval=0.05)
        except Timeout:
            raise ArchiveBusy(
                f"{self.name} is being written by {holder_of(holder)}; try again when it has ended"
            ) from None
        try:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            holder.write_text(json.dumps({"command": command, "pid": os.getpid(), "started": started}))
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def _locked_server(self, wait_seconds: float) -> Iterator[None]:
        with reported_as(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            if wait_seconds:
                connection.execute(text(f"SET lock_timeout = {int(wait_seconds * 1000)}"))
                connection.execute(select(text(f"pg_advisory_lock({_ADVISORY_LOCK})")))
            elif not connection.scalar(select(text(f"pg_try_advisory_lock({_ADVISORY_LOCK})"))):
                raise ArchiveBusy(f"{self.name} is being written by another run; try again when it has ended")
            try:
                yield
            finally:
                connection.execute(select(text(f"pg_advisory_unlock({_ADVISORY_LOCK})")))

    def _check_schema(self, name: str) -> None:
        with reported_as(name):
            with self.engine.connect() as connection:
                found = migrations.version_of(connection)
            if found is None:
                raise ArchiveError(f"{name} is a database, but no archive of this program: it was not touched")
            if found > migrations.SCHEMA_VERSION:
                raise ArchiveError(
                    f"{name} has schema version {found}, this program knows versions up to "
                    f"{migrations.SCHEMA_VERSION}: update the program; the archive was not touched"
                )
            if found < migrations.SCHEMA_VERSION:
                if self.read_only:
                    raise ArchiveReadOnly(
                        f"{name} has schema version {found} and must be brought to "
                        f"{migrations.SCHEMA_VERSION}: open it once for writing"
                    )
                with self.lock("a migration", wait_seconds=60), self.begin() as connection:
                    migrations.upgrade(connection)

    def check(self) -> list[str]:
        """Read the whole archive and list what is damaged; empty when it is sound."""
        if self.path is None:
            return []
        try:
            with self.reading() as connection:
                rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
                orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        except ArchiveDamaged as error:
            return [str(error)]
        problems = [str(row) for row in rows if row != "ok"]
        return problems + [
            f"{table}: row {row} points to a {parent} that is not there" for table, row, parent, _ in orphans
        ]
