"""`narratives quarantine`: what lies there, and how it is mended and taken in again."""

import json
from pathlib import Path

from narratives.commands.screen import NEEDS_A_LOOK, OK
from tests.narratives.commands.conftest import Run, refused


def test_quarantine_lists_and_shows(run: Run, finished: Path) -> None:
    assert run("quarantine", "--desk", finished)[1].startswith("1 record: no-date 1\n")
    out = run("quarantine", "show", "1", "--desk", finished)[1]
    assert "no-date, open" in out and '"title": "no date"' in out
    assert json.loads(run("quarantine", "--desk", finished, "--json")[1])[0]["id"] == 1
    assert "nothing lies in quarantine" in run("quarantine", "--reason", "too-long", "--desk", finished)[1]
    refused(run("quarantine", "show", "99", "--desk", finished), "no record 99")


def test_quarantine_export_can_be_mended_and_taken_in(run: Run, desk: Path, tmp_path: Path) -> None:
    assert run("quarantine", "export", "bad.jsonl", "--desk", desk) == (OK, "bad.jsonl: 1 record\n", "")
    refused(run("quarantine", "export", "bad.jsonl", "--desk", desk), "bad.jsonl")
    record = json.loads((tmp_path / "bad.jsonl").read_text(encoding="utf-8"))
    assert record["title"] == "no date" and record["_quarantine"]["reason"] == "no-date"
    (tmp_path / "bad.jsonl").write_text(json.dumps(record | {"published_at": "2025-11-15T09:00:00Z"}), encoding="utf-8")
    assert json.loads(run("quarantine", "--desk", desk, "--json")[1])
    assert json.loads(run("ingest", "bad.jsonl", "--desk", desk, "--json")[1])["accepted"] == 1


def test_quarantine_retry_says_what_is_still_open(run: Run, desk: Path) -> None:
    code, out, _ = run("quarantine", "retry", "--desk", desk)
    assert code == NEEDS_A_LOOK and "0 records recovered, 1 still open" in out
    refused(run("quarantine", "retry", "99", "--desk", desk), "99", "nothing was retried")
