"""What must survive anything: kill -9, a full disk, a clock that goes backwards."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from narratives.archive import Archive, ArchiveError
from narratives.ingest import ingest_paths
from narratives.settings import Settings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
_CHILD = """
import sys, json
from datetime import datetime, UTC
from narratives.archive import Archive
from narratives.ingest import ingest_paths, run
from narratives.settings import Settings
run.CHUNK = 20
if sys.argv[3] == "two":  # the second process reads every file, after its first chunk
    run.LARGE_BYTES, run.OWN_CHUNKS = 0, 1
with Archive.open_or_create(sys.argv[1]) as archive:
    print("open", flush=True)
    ingest_paths(archive, [sys.argv[2]], Settings(), now=datetime(2025, 11, 20, 12, tzinfo=UTC))
    print("done", flush=True)
"""


def _corpus(folder: Path, n_files: int = 4, n: int = 250) -> Path:
    rng = random.Random(7)
    folder.mkdir()
    rows = []
    for i in range(n_files * n):
        text = "".join(chr(rng.randrange(0x4E00, 0x5200)) for _ in range(200))
        if rows and rng.random() < 0.2:
            text = rng.choice(rows)["text"][: rng.randint(120, 200)]
        row = {"title": f"标题{i}", "text": text, "published_at": f"2025-11-{i % 14 + 1:02d}", "url": f"https://x/{i}"}
        rows.append(row if rng.random() > 0.05 else {**rng.choice(rows or [row]), "text": text})
    for k in range(n_files):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows[k * n : (k + 1) * n]]
        lines[3] = "torn {"
        (folder / f"{k}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _undisturbed(folder: Path, place: Path) -> str:
    with Archive.create(place) as archive:
        counts = ingest_paths(archive, [folder], Settings(), now=NOW).counts
        assert counts["quarantined"] == 4 and counts["superseded"] and counts["reprints"]
        return archive.digest()


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_ends_in_the_same_archive(tmp_path: Path) -> None:
    n_rounds = int(os.environ.get("NARRATIVES_KILLS", "12"))
    folder = _corpus(tmp_path / "in")
    expected = _undisturbed(folder, tmp_path / "whole.sqlite")
    rng = random.Random(3)
    command = [sys.executable, "-c", _CHILD, str(tmp_path / "a.sqlite"), str(folder)]
    longest = {"one": 0.8, "two": 2.0}  # seconds; the second process takes a while to start
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    n_before = n_killed = rounds = 0
    while rounds < n_rounds:
        rounds += 1
        how = ("one", "two")[rounds % 2]
        child = subprocess.Popen([*command, how], stdout=subprocess.PIPE, text=True, env=environment)
        assert child.stdout is not None
        if rng.random() < 0.8:
            child.stdout.readline()  # it is past its imports: kill it while it works
        time.sleep(rng.uniform(0, longest[how]))
        child.send_signal(signal.SIGKILL)
        child.wait()
        n_killed += child.returncode == -signal.SIGKILL
        if not (tmp_path / "a.sqlite").exists():
            continue
        with Archive.open(tmp_path / "a.sqlite") as archive:
            assert archive.check() == []
            n = archive.n_articles()
            assert n >= n_before, "articles were lost"
            if n == n_before and rounds % 4 == 0:  # all is in: begin anew
                assert archive.digest()
            n_before = n
        if n_before >= 900:
            _finish(tmp_path / "a.sqlite", folder, expected)
            for left in tmp_path.glob("a.sqlite*"):
                left.unlink()
            n_before = 0
    assert n_killed >= n_rounds // 2
    _finish(tmp_path / "a.sqlite", folder, expected)


def _finish(place: Path, folder: Path, expected: str) -> None:
    with Archive.open_or_create(place) as archive:
        ingest_paths(archive, [folder], Settings(), now=NOW)
        assert archive.digest() == expected


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    folder = _corpus(tmp_path / "in")
    expected = _undisturbed(folder, tmp_path / "whole.sqlite")
    with Archive.create(tmp_path / "a.sqlite") as archive:
        _limit_pages(archive, 150)
        with pytest.raises(ArchiveError, match="disk is full"):
            ingest_paths(archive, [folder], Settings(), now=NOW)
        n = archive.n_articles()
        assert archive.check() == []
    with Archive.open(tmp_path / "a.sqlite") as archive:
        assert archive.n_articles() == n
        ingest_paths(archive, [folder], Settings(), now=NOW)
        assert archive.digest() == expected


def _limit_pages(archive: Archive, n: int) -> None:
    """SQLite answers as on a full disk when it would need more pages."""
    from sqlalchemy import event

    archive.engine.dispose()

    @event.listens_for(archive.engine, "connect")
    def _limit(connection, _) -> None:  # type: ignore[no-untyped-def]
        connection.execute(f"PRAGMA max_page_count={n}")


def test_a_clock_that_goes_backwards_changes_nothing(tmp_path: Path) -> None:
    folder = _corpus(tmp_path / "in", n_files=2, n=40)
    digests = set()
    for later in (timedelta(days=3), timedelta(days=-3)):
        with Archive.create(tmp_path / f"{later.days}.sqlite") as archive:
            ingest_paths(archive, [folder / "0.jsonl"], Settings(), now=NOW)
            ingest_paths(archive, [folder / "1.jsonl"], Settings(), now=NOW + later)
            counts = ingest_paths(archive, [folder], Settings(), now=NOW - timedelta(days=5)).counts
            assert counts["accepted"] == counts["superseded"] == 0
            digests.add(archive.digest())
    assert len(digests) == 1
