"""Opening, creating and locking an archive, and its transactions.

The file is SQLite in WAL mode: a notebook may read while a run writes. Whoever writes holds the lock file
beside it, so that two runs never interleave. Nothing here ever overwrites a file that is already there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import DatabaseError

from narratives.archive import migrations, schema

_SQLITE_MAGIC = b"SQLite format 3\x00"
_BUSY_MILLISECONDS = 15_000
_ADVISORY_LOCK = 0x6E617272  # "narr": the key of the lock on PostgreSQL


class ArchiveError(Exception):
    """The archive cannot be used as asked; the message says why and what helps."""


class ArchiveDamaged(ArchiveError):
    """The file is not a sound SQLite archive. It is left as it is."""


class ArchiveReadOnly(ArchiveError):
    """The archive may be read and not written."""


class ArchiveBusy(ArchiveError):
    """Another run is writing."""


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
        path, url = _place(place)
        if path is None:
            engine = _engine(url)
            if inspect(engine).has_table("meta"):
                raise FileExistsError(f"{_shown(url)} already holds an archive")
            with engine.begin() as connection:
                migrations.create(connection)
            return cls(engine, None)
        if path.exists():
            raise FileExistsError(f"{path} is already there; it was not touched")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        try:
            with _reported(draft):
                engine = _engine(f"sqlite:///{draft}", journal="DELETE")
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
        path, url = _place(place)
        if path is not None:
            _check_file(path)
            if not read_only and not _may_write(path):
                raise ArchiveReadOnly(
                    f"{path} may not be written by this user: give write permission on the file and its "
                    "folder, or open it with read_only=True"
                )
            query = ""
            if read_only:
                wal = path.with_name(path.name + "-wal")
                # Without write permission SQLite cannot make the files that WAL mode needs to read.
                frozen = not _may_write(path) and not (wal.exists() and wal.stat().st_size)
                query = "?mode=ro&uri=true" + ("&immutable=1" if frozen else "")
            url = f"sqlite:///file:{_quoted(path)}{query}" if query else f"sqlite:///{path}"
        engine = _engine(url, journal=None if read_only else "WAL")
        store = cls(engine, path, read_only)
        try:
            store._check_schema(_shown(url) if path is None else str(path))
        except BaseException:
            engine.dispose()
            raise
        return store

    @classmethod
    def open_or_create(cls, place: str | Path) -> Self:
        """Open the archive, or make an empty one where there is none."""
        path, url = _place(place)
        absent = not path.exists() if path is not None else not inspect(_engine(url)).has_table("meta")
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
        with _reported(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(narratives_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One reading transaction: it sees one state of the archive throughout, whatever a run writes."""
        with _reported(self.name), self.engine.connect() as connection, connection.begin():
            yield connection

    @property
    def name(self) -> str:
        """The archive's place as a person would write it (no password)."""
        return str(self.path) if self.path is not None else _shown(str(self.engine.url))

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
                f"{self.name} is being written by {_holder(holder)}; try again when it has ended"
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
        with _reported(self.name), self.engine.connect() as connection:
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
        with _reported(name):
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


def _place(place: str | Path) -> tuple[Path | None, str]:
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


def _engine(url: str, journal: str | None = None) -> Engine:
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        raise ArchiveError(
            f"{_shown(url)} needs the package {error.name}: pip install 'narratives[postgres]'"
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
def _reported(name: object) -> Iterator[None]:
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


def _check_file(path: Path) -> None:
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


def _may_write(path: Path) -> bool:
    # The effective user counts, as it does for the file system.
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.W_OK, effective_ids=effective) and os.access(
        path.parent, os.W_OK, effective_ids=effective
    )


def _holder(file: Path) -> str:
    try:
        said = json.loads(file.read_text())
        return f"{said['command']} (process {said['pid']}, since {said['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
