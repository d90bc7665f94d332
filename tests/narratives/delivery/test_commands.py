"""Sending from the command line: `alerts deliver`, the end of a run, and what the doctor says of channels."""

import json
from pathlib import Path

import pytest

from narratives.archive import Archive, schema
from narratives.cli import main
from narratives.commands.screen import FAILED, NEEDS_A_LOOK, OK
from narratives.delivery import preview
from tests.narratives.delivery.conftest import SECRET, WEEK, Hook, fill, settings


@pytest.fixture
def desk(tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "desk"
    assert main(["init", str(place)]) == OK
    with Archive.open(place / "archive.sqlite") as own:
        fill(own)
        with own.begin() as connection:
            connection.execute(schema.step.insert().values(week=WEEK, n_articles=3))
    (place / "narratives.toml").write_text('[alerts]\nchannels = ["HOOK"]\n', encoding="utf-8")
    monkeypatch.setenv("HOOK", hook.address)
    return place


def test_dry_run_prints_and_changes_nothing(desk: Path, hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    before = (desk / "archive.sqlite").read_bytes()
    assert main(["alerts", "deliver", "--dry-run", "--desk", str(desk)]) == OK
    out = capsys.readouterr().out
    assert "Message id: A0001-emerging-" in out and "-> HOOK" in out and "1 message to be sent" in out
    assert hook.got == [] and (desk / "archive.sqlite").read_bytes() == before
    assert main(["alerts", "deliver", "--desk", str(desk)]) == OK
    assert "sent A0001 (emerging) to HOOK" in capsys.readouterr().out
    with Archive.open(desk / "archive.sqlite") as own:
        assert preview(own, settings()) == []
    assert main(["alerts", "deliver", "--desk", str(desk)]) == OK
    assert capsys.readouterr().out == "nothing new to send\n" and len(hook.got) == 1


def test_a_failure_leaves_with_4_and_no_channel_with_1(
    desk: Path, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    hook.answers = [500]
    assert main(["alerts", "deliver", "--desk", str(desk)]) == NEEDS_A_LOOK
    assert "attempt 1: the channel refused the message (HTTP status 500)" in capsys.readouterr().err
    assert main(["alerts", "deliver", "--desk", str(desk), "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert [entry["status"] for entry in said["waiting"]] == ["failed"]
    (desk / "narratives.toml").write_text("", encoding="utf-8")
    assert main(["alerts", "deliver", "--desk", str(desk)]) == FAILED
    assert "alerts.channels" in capsys.readouterr().err


def test_a_run_sends_at_its_end(desk: Path, hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["run", "--desk", str(desk), "--quiet", "--json"]) == OK
    assert [entry["alert"] for entry in json.loads(capsys.readouterr().out)["delivery"]["sent"]] == ["A0001"]
    assert hook.ids == ["A0001-emerging"]
    (desk / "narratives.toml").write_text('[alerts]\nchannels = ["HOOK", "ABSENT"]\n', encoding="utf-8")
    assert main(["run", "--desk", str(desk), "--quiet"]) == NEEDS_A_LOOK
    said = capsys.readouterr()
    assert "ABSENT: this environment variable is not set" in said.err and "report: " in said.out
    assert len(hook.got) == 1


def test_the_doctor_looks_at_channels_and_shows_no_address(
    desk: Path, hook: Hook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", f"nonsense://{SECRET}")
    (desk / "narratives.toml").write_text('[alerts]\nchannels = ["HOOK", "BROKEN", "ABSENT"]\n', encoding="utf-8")
    capsys.readouterr()
    assert main(["doctor", "--desk", str(desk), "--json"]) == NEEDS_A_LOOK
    out = capsys.readouterr().out
    found = [(f["level"], f["text"].partition(":")[0]) for f in json.loads(out) if f["area"] == "channels"]
    assert found == [("ok", "HOOK"), ("problem", "BROKEN"), ("problem", "ABSENT")]
    assert SECRET not in out and hook.got == []
