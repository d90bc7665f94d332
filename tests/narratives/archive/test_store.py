"""The archive file: made whole, opened with care, never overwritten, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from narratives.archive import Archive, ArchiveBusy, ArchiveDamaged, ArchiveError, ArchiveReadOnly
from narratives.archive.migrations import SCHEMA_VERSION, upgrade, version_of


@contextmanager
def _as_nobody() -> Iterator[None]:
    """File permissions mean nothing to root: be someone else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "desk" / "archive.sqlite"
    Archive.create(place).close()
    return place


def test_a_new_archive_has_the_present_version_and_is_in_wal_mode(file: Path) -> None:
    with Archive.open(file) as archive:
        assert archive.get_meta("schema_version") == SCHEMA_VERSION
        with archive.reading() as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert archive.check() == []


@pytest.mark.parametrize("value", [7, 0.1, True, None, "稀土", {"zh": {"n": 2, "terms": {"稀土": 1}}}, [float("inf")]])
def test_what_was_kept_comes_back_as_it_was(file: Path, value: Any) -> None:
    with Archive.open(file) as archive:
        archive.set_meta("kept", value)
        assert archive.get_meta("kept") == value


def test_creating_never_overwrites(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        Archive.create(file)
    assert file.read_bytes() == before


def test_creating_leaves_no_draft_behind(file: Path) -> None:
    assert [path.name for path in file.parent.iterdir()] == ["archive.sqlite"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="narratives init"):
        Archive.open(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello, this is a text file\n" * 100, "does not begin like"),
        (b"SQLite format 3\x00", "begin"),
    ],
)
def test_a_file_that_is_no_archive_is_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "archive.sqlite"
    file.write_bytes(content)
    for attempt in (Archive.open, Archive.open_or_create):
        with pytest.raises(ArchiveDamaged, match=said):
            attempt(file)
    assert file.read_bytes() == content


def test_a_file_cut_short_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveDamaged, match="cut short"):
        Archive.open(file)
    assert file.read_bytes() == whole[: len(whole) // 2]


def test_damage_inside_is_found_and_named(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    file.write_bytes(bytes(raw))
    with pytest.raises(ArchiveDamaged, match="restore a backup"), Archive.open(file) as archive:
        problems = archive.check()
        raise (ArchiveDamaged("restore a backup: " + "; ".join(problems)) if problems else AssertionError("unseen"))
    assert file.read_bytes() == bytes(raw)


def test_another_program_s_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE meta (a, b)")
    before = file.read_bytes()
    with pytest.raises(ArchiveError, match="no archive of this program"):
        Archive.open(file)
    assert file.stat().st_size == len(before)


def test_a_newer_schema_is_refused_and_not_touched(file: Path) -> None:
    with Archive.open(file) as archive:
        archive.set_meta("schema_version", SCHEMA_VERSION + 1)
    with pytest.raises(ArchiveError, match="update the program"):
        Archive.open(file)
    with closing(sqlite3.connect(file)) as raw:
        found = raw.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    assert found == (SCHEMA_VERSION + 1,)


def test_an_older_schema_walks_every_step_in_one_transaction(file: Path) -> None:
    walked: list[int] = []

    def step(version: int, fails: bool = False):  # type: ignore[no-untyped-def]
        def _step(connection) -> None:  # type: ignore[no-untyped-def]
            walked.append(version)
            connection.execute(text(f"CREATE TABLE step_{version} (a INTEGER)"))
            if fails:
                raise RuntimeError("torn")

        return _step

    with Archive.open(file) as archive:
        archive.set_meta("schema_version", 1)
        with pytest.raises(RuntimeError), archive.begin() as connection:
            upgrade(connection, {1: step(1), 2: step(2, fails=True)}, target=3)
        with archive.reading() as connection:
            assert version_of(connection) == 1
            assert connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name LIKE 'step_%'")) == 0
        with archive.begin() as connection:
            assert upgrade(connection, {1: step(1), 2: step(2)}, target=3) == 3
            with pytest.raises(ValueError, match="no step from schema version 3"):
                upgrade(connection, {}, target=4)
    assert walked == [1, 2, 1, 2]


def test_a_read_only_archive_can_be_read_and_not_written(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "archive.sqlite"
        with Archive.create(place) as archive:
            archive.set_meta("fact", [1, 2])
        before = place.read_bytes()
        place.chmod(0o444)
        Path(folder).chmod(0o555)
        try:
            with _as_nobody():
                with pytest.raises(ArchiveReadOnly, match="read_only=True"):
                    Archive.open(place)
                with Archive.open(place, read_only=True) as archive:
                    assert archive.get_meta("fact") == [1, 2]
                    with pytest.raises(ArchiveReadOnly):
                        archive.set_meta("fact", 3)
                    with pytest.raises(ArchiveReadOnly), archive.lock("x"):
                        pass
        finally:
            Path(folder).chmod(0o755)
        assert place.read_bytes() == before


def test_a_second_run_is_refused_with_the_name_of_the_first(file: Path) -> None:
    with Archive.open(file) as first, Archive.open(file) as second:
        busy = pytest.raises(ArchiveBusy, match=rf"narratives run \(process {os.getpid()}")
        with first.lock("narratives run"), first.lock("narratives ingest"), busy, second.lock("x"):
            pass
        with second.lock("x"):
            pass


def test_a_second_run_may_wait_for_the_first(file: Path) -> None:
    order: list[str] = []
    entered = threading.Event()

    def first() -> None:
        with Archive.open(file) as archive, archive.lock("first"):
            entered.set()
            order.append("first begins")
            threading.Event().wait(0.3)
            order.append("first ends")

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(5)
    with Archive.open(file) as archive, archive.lock("second", wait_seconds=10):
        order.append("second")
    thread.join()
    assert order == ["first begins", "first ends", "second"]


def test_a_notebook_reads_one_state_while_a_run_writes(file: Path) -> None:
    with Archive.open(file) as writer, Archive.open(file, read_only=True) as reader:
        writer.set_meta("fact", 1)
        with reader.reading() as connection:
            fact = text("SELECT value FROM meta WHERE key = 'fact'")
            assert connection.scalar(fact) == 1
            writer.set_meta("fact", 2)
            assert connection.scalar(fact) == 1
        assert reader.get_meta("fact") == 2


def test_an_error_inside_a_transaction_undoes_all_of_it(file: Path) -> None:
    with Archive.open(file) as archive:
        with pytest.raises(ZeroDivisionError), archive.begin() as connection:
            archive.set_meta("fact", 1, connection)
            raise ZeroDivisionError
        assert archive.get_meta("fact") is None


def test_a_missing_database_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ArchiveError, match=r"pip install 'narratives\[postgres\]'"):
        Archive.open("postgresql://me:secret@localhost/x")
