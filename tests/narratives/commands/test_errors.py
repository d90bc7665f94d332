"""Errors and interruptions: what is said of them, and the exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.commands.screen import BUSY, FAILED, OK, STOPPED
from tests.narratives.commands.conftest import ARTICLES, Run, jsonl, refused


def test_another_run_makes_it_busy(run: Run, desk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(jsonl(ARTICLES), encoding="utf-8")
    with Archive.open(desk / "archive.sqlite") as other, other.lock("narratives update"):
        code, out, err = run("ingest", "a.jsonl", "--desk", desk)
        assert (code, out) == (BUSY, "")
        assert err.startswith("busy: ") and "narratives update" in err and "try again" in err
        assert run("alerts", "ack", "A0001", "--desk", desk)[0] == BUSY
        assert run("list", "--desk", desk)[0] == OK, "reading goes on"
        assert run("run", "--wait", "0.1", "--desk", desk)[0] == BUSY


def test_a_damaged_archive_is_left_as_it_is(run: Run, desk: Path) -> None:
    file = desk / "archive.sqlite"
    file.write_bytes(file.read_bytes()[:5000])
    refused(run("list", "--desk", desk), "cut short", "restore a backup")
    assert file.stat().st_size == 5000


def test_wrong_settings_name_file_and_value(run: Run, desk: Path) -> None:
    (desk / "narratives.toml").write_text("[discover]\nmin_stories = 1\n", encoding="utf-8")
    refused(run("list", "--desk", desk), "narratives.toml", "discover.min_stories", "got 1")


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NARRATIVES_DEBUG", "1")
    code, _, err = run("list", "--desk", tmp_path)
    assert code == FAILED and "Traceback" in err and "error: " in err


def test_stopping_from_the_keyboard(run: Run, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("narratives.desk.Desk.ingest", stopped)
    code, _, err = run("ingest", "a.jsonl", "--desk", desk)
    assert code == STOPPED and "goes on from there" in err


def test_a_reader_that_goes_away_is_no_error(finished: Path) -> None:
    command = f"{sys.executable} -m narratives settings --desk {finished} | head -n 1"
    said = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert said.stdout.startswith("subject = ") and said.stderr == ""
