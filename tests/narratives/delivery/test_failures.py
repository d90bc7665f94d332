"""Failures, silence, channels that cannot be used, a killed run; and no word of a channel's address."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.courier import AlertsExtraMissing
from narratives.delivery import Entry, channels_of, deliver, outbox
from narratives.settings import Settings
from tests.narratives.delivery.conftest import NOON, SECRET, Hook, add_alert, at, box, settings

ROOT = Path(__file__).resolve().parents[3]


def test_a_failure_is_tried_again_later_with_growing_pauses_until_it_is_given_up(archive: Archive, hook: Hook) -> None:
    chosen, env = settings(retry_minutes=5, max_attempts=3), {"HOOK": hook.address}
    hook.answers = [500, 503, 500]
    for minutes, n_tried in ((0, 1), (4.9, 1), (5, 2), (24.9, 2), (25, 3), (10_000, 3)):
        report = deliver(archive, chosen, environment=env, clock=at(minutes))
        assert len(hook.got) == n_tried, f"after {minutes} minutes"
        assert report.sent == []
        assert report.needs_a_look == (minutes not in (4.9, 24.9))
    assert [e.attempts for e in report.given_up] == [3]
    assert box(archive) == [("A0001", "emerging", "failed", 3)]
    assert outbox(archive, ["HOOK"])[0].last_error == "the channel refused the message (HTTP status 500)"
    report = deliver(archive, chosen, again=True, environment=env, clock=at(10_001))
    assert [e.attempts for e in report.sent] == [4]
    assert outbox(archive, ["HOOK"])[0].last_error == ""
    assert len({got["message"] for got in hook.got}) == 1


def test_an_entry_waits_longer_each_time_but_a_day_at_most() -> None:
    waits = [Entry("A", "emerging", "C", "failed", n, "", NOON).next_at(5) for n in range(10)]
    assert waits[0] is None
    pauses = [at - NOON for at in waits[1:] if at is not None]
    assert pauses == sorted(pauses) and pauses[-1] == timedelta(days=1)


def test_a_channel_that_hangs_costs_one_deadline_and_the_others_go_on(archive: Archive, hook: Hook) -> None:
    add_alert(archive, "A0003")
    silent = Hook()
    silent.answers = [0]
    env = {"SILENT": silent.address, "HOOK": hook.address}
    began = time.monotonic()
    report = deliver(archive, settings("SILENT", "HOOK", send_timeout_seconds=0.5), environment=env, clock=at())
    assert time.monotonic() - began < 15
    assert [(e.alert, e.channel) for e in report.failed] == [("A0001", "SILENT")]
    assert [(e.alert, e.channel) for e in report.waiting] == [("A0003", "SILENT")]
    assert [(e.alert, e.channel) for e in report.sent] == [("A0001", "HOOK"), ("A0003", "HOOK")]
    assert len(silent.got) == 1
    deliver(archive, settings("SILENT", "HOOK"), environment=env, clock=at(60))
    assert silent.ids == ["A0001-emerging", "A0003-emerging", "A0001-emerging"], "the least tried first"
    silent.close()


def test_a_deadline_holds_where_the_channel_drips(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte now and then never lets a read time out."""
    import socket

    monkeypatch.setattr("narratives.courier._GRACE_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            for _ in range(200):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return
                time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()
    env = {"HOOK": f"json://127.0.0.1:{listener.getsockname()[1]}/"}
    began = time.monotonic()
    report = deliver(archive, settings(send_timeout_seconds=0.5), environment=env, clock=at())
    assert time.monotonic() - began < 9
    assert "it may have taken the message" in report.failed[0].last_error
    listener.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "HOOK: this environment variable is not set"),
        ("  ", "HOOK: this environment variable is not set"),
        (f"nonsense://{SECRET}", "HOOK: the variable holds no address"),
        (SECRET, "HOOK: the variable holds no address"),
        (f"json://127.0.0.1:9/{SECRET}, json://127.0.0.1:9/", "HOOK: the variable holds more than one address"),
    ],
)
def test_a_channel_that_cannot_be_used_leaves_its_messages_pending(
    archive: Archive, hook: Hook, address: str | None, said: str
) -> None:
    env = {} if address is None else {"HOOK": address}
    report = deliver(archive, settings(), environment=env, clock=at())
    assert len(report.problems) == 1 and report.problems[0].startswith(said)
    assert SECRET not in report.problems[0]
    assert report.needs_a_look and [e.attempts for e in report.waiting] == [0]
    assert box(archive) == [("A0001", "emerging", "pending", 0)]
    assert outbox(archive, ["HOOK"])[0].last_error.startswith(said)
    deliver(archive, settings(), environment={"HOOK": hook.address}, clock=at())
    assert hook.ids == ["A0001-emerging"], "once mended it goes out at once"


def test_without_the_extra_the_message_says_what_to_install(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(AlertsExtraMissing, match=r"pip install 'narratives\[alerts\]'"):
        deliver(archive, settings(), environment={"HOOK": "json://127.0.0.1:9/"})
    assert box(archive) == [("A0001", "emerging", "pending", 0)]


def test_channels_are_names_of_variables(archive: Archive) -> None:
    with pytest.raises(ValueError, match=r"no channel is set.*alerts\.channels"):
        channels_of(Settings())
    with pytest.raises(ValueError, match="entry 2 is not the name") as said:
        channels_of(settings("HOOK", f"json://{SECRET}@host/"))
    assert SECRET not in str(said.value)
    assert channels_of(settings("HOOK", "HOOK")) == ["HOOK"]


# -- killed ------------------------------------------------------------------------------------------------------


KILLED = """
import os, signal, sys
from datetime import datetime
from narratives import delivery
from narratives.archive import Archive
from narratives.settings import Settings

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before":
    delivery.Courier.send = killed
else:
    delivery._record = killed
archive = Archive.open(sys.argv[1])
settings = Settings.model_validate({"alerts": {"channels": ["HOOK"]}})
delivery.deliver(archive, settings, clock=lambda: datetime(2025, 11, 17, 12, 0))
"""


@pytest.mark.parametrize(("when", "n_messages"), [("before", 1), ("after", 2)])
def test_killed_around_sending(archive: Archive, hook: Hook, tmp_path: Path, when: str, n_messages: int) -> None:
    """Killed after sending and before recording, the message comes twice with one id; killed before, once."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "archive.sqlite"), when]
    env = {**os.environ, "HOOK": hook.address, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, env=env, timeout=60, check=False).returncode == -signal.SIGKILL
    assert len(hook.got) == n_messages - 1
    assert box(archive) == [("A0001", "emerging", "pending", 1)]
    assert "may have got the message" in outbox(archive, ["HOOK"])[0].last_error
    assert len(deliver(archive, settings(), environment=env, clock=at(1)).waiting) == 1
    for minutes in (5, 10_000):
        deliver(archive, settings(), environment=env, clock=at(minutes))
    assert len(hook.got) == n_messages
    assert len({got["message"] for got in hook.got}) == 1
    assert box(archive) == [("A0001", "emerging", "sent", 2)]


# -- secrets -----------------------------------------------------------------------------------------------------


def test_the_address_is_nowhere(
    archive: Archive, hook: Hook, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.answers = [401, 200]
    reports = [
        deliver(archive, settings("HOOK", "GONE"), environment=env, clock=at(minutes))
        for env, minutes in (
            ({"HOOK": hook.address, "GONE": f"json://127.0.0.1:9/{SECRET}"}, 0),
            ({"HOOK": hook.address, "GONE": f"jsn://{SECRET}"}, 10),
        )
    ]
    assert len(hook.got) == 2
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("archive.sqlite*"))
    said = capfd.readouterr()
    for text in (str(reports), caplog.text, said.out, said.err, stored.decode("latin-1"), str(hook.got)):
        assert SECRET not in text and "127.0.0.1" not in text
    assert "HOOK" in str(reports) and b"HOOK" in stored
