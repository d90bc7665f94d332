"""Alerts reach a real local web server: once each, in spite of failures, silence, repeats and a killed run."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("apprise")

from narratives.archive import Archive, ArchiveBusy, schema
from narratives.cli import main
from narratives.commands.screen import FAILED, NEEDS_A_LOOK, OK
from narratives.courier import AlertsExtraMissing
from narratives.delivery import Entry, channels_of, deliver, enqueue, outbox, preview
from narratives.message import compose
from narratives.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "t0psecret"
WEEK = date(2025, 11, 10)
NOON = datetime(2025, 11, 17, 12, 0)


class Hook:
    """A channel: a web server that answers as told (`answers`: statuses in turn, then 200; 0 does not answer)."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self._closing = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status = hook.answers.pop(0) if hook.answers else 200
                if not status:
                    hook._closing.wait(30)
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"json://user:{SECRET}@127.0.0.1:{self._server.server_port}/{SECRET}"

    @property
    def ids(self) -> list[str]:
        """The last line of each message that came, without its hash."""
        lines = [got["message"].splitlines()[-1] for got in self.got]
        assert all(line.startswith("Message id: ") for line in lines)
        return [line.removeprefix("Message id: ").rpartition("-")[0] for line in lines]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.close()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Two narratives; A0001 is a new alert on the second, A0002 only a watch."""
    with Archive.create(tmp_path / "archive.sqlite") as made:
        fill(made)
        yield made


def fill(archive: Archive) -> None:
    texts = (
        ("a1", "回收厂扩产 @everyone", "zh", "磁材在线", date(2025, 11, 10)),
        ("a2", "Recycling \x1b[31mgrows <!channel>", "en", "Mekong Post", date(2025, 11, 10)),
        ("a3", "Old drives find buyers", "en", "Harbor Wire", date(2025, 11, 17)),
    )
    with archive.begin() as connection:
        for name, zh, en in (("N0001", "中国稀土杠杆", "China leverage"), ("N0002", "回收 · 拆解", "scrap · drives")):
            connection.execute(
                schema.narrative.insert().values(
                    id=name, origin="discovered", status="active", name_zh=zh, name_en=en, born_week=WEEK
                )
            )
        for i, (article, title, lang, source, week) in enumerate(texts):
            connection.execute(
                schema.article.insert().values(
                    id=article, title=title, text="…", lang=lang, source=source, url=f"https://example.org/{article}",
                    published_at=datetime(2025, 11, 11 + i, 20), ingested_at=NOON, content_hash=article,
                    story_id=article, origin="test", step_week=week, is_voice=True,
                )
            )  # fmt: skip
            if week == WEEK:
                join(archive, connection, article, week)
    for alert, tier in (("A0001", "alert"), ("A0002", "watch")):
        add_alert(archive, alert, tier)


def join(archive: Archive, connection: Any, article: str, week: date) -> None:
    row = {"article_id": article, "narrative_id": "N0002", "weight": 0.5, "primary": True, "how": "new", "week": week}
    archive.put(connection, schema.membership, [row])


def add_alert(archive: Archive, alert: str, tier: str = "alert") -> None:
    evidence = {
        "n_stories": 2, "n_sources": 2, "article_ids": ["a1", "a2"],
        "nearest": "N0001", "nearest_score": 0.104, "level_of_nearest": 0.2,
    }  # fmt: skip
    row = {"id": alert, "narrative_id": "N0002", "week": WEEK, "tier": tier, "state": "emerging"}
    with archive.begin() as connection:
        archive.put(connection, schema.alert, [{**row, "statistic": 0.3, "threshold": 0.2, "evidence": evidence}])


def set_state(archive: Archive, state: str) -> None:
    with archive.begin() as connection:
        connection.execute(schema.alert.update().where(schema.alert.c.id == "A0001").values(state=state))
        if state == "confirmed":
            join(archive, connection, "a3", date(2025, 11, 17))


def settings(*channels: str, language: str = "both", **alerts: Any) -> Settings:
    return Settings.model_validate(
        {"alerts": {"channels": list(channels or ["HOOK"]), **alerts}, "report": {"language": language}}
    )


def at(minutes: float = 0) -> Callable[[], datetime]:
    return lambda: NOON + timedelta(minutes=minutes)


def box(archive: Archive, *channels: str) -> list[tuple[str, str, str, int]]:
    return [(e.alert, e.state, e.status, e.attempts) for e in outbox(archive, channels or ("HOOK",))]


# -- what is sent, and how often ---------------------------------------------------------------------------------


def test_every_state_of_an_alert_is_sent_once(archive: Archive, hook: Hook) -> None:
    env = {"HOOK": hook.address}
    for state in ("emerging", "confirmed"):
        set_state(archive, state)
        report = deliver(archive, settings(), environment=env, clock=at())
        assert [(e.alert, e.state, e.channel) for e in report.sent] == [("A0001", state, "HOOK")]
        assert not report.needs_a_look
        again = deliver(archive, settings(), environment=env, clock=at(10_000))
        assert (again.sent, again.waiting) == ([], [])
    assert hook.ids == ["A0001-emerging", "A0001-confirmed"]
    assert box(archive) == [("A0001", "confirmed", "sent", 1), ("A0001", "emerging", "sent", 1)]
    assert [e.tried_at for e in outbox(archive, ["HOOK"])] == [NOON, NOON]


def test_a_held_alert_and_a_watch_are_not_sent(archive: Archive, hook: Hook) -> None:
    enqueue(archive, ["HOOK"])
    set_state(archive, "held")
    assert deliver(archive, settings(), environment={"HOOK": hook.address}).sent == []
    assert hook.got == [] and box(archive) == []


def test_a_state_overtaken_before_it_was_sent_is_dropped(archive: Archive, hook: Hook) -> None:
    deliver(archive, settings(), environment={}, clock=at())
    assert box(archive) == [("A0001", "emerging", "pending", 0)]
    set_state(archive, "retracted")
    deliver(archive, settings(), environment={"HOOK": hook.address}, clock=at())
    assert hook.ids == ["A0001-retracted"]
    assert box(archive) == [("A0001", "retracted", "sent", 1)]


def test_each_channel_has_its_own_outbox(archive: Archive, hook: Hook) -> None:
    env = {"HOOK": hook.address, "OTHER": "json://127.0.0.1:9/"}
    report = deliver(archive, settings("OTHER", "HOOK"), environment=env, clock=at())
    assert [e.channel for e in report.failed] == ["OTHER"] and [e.channel for e in report.sent] == ["HOOK"]
    assert "no connection" in report.failed[0].last_error
    env["OTHER"] = hook.address
    deliver(archive, settings("OTHER", "HOOK"), environment=env, clock=at(60))
    assert hook.ids == ["A0001-emerging"] * 2


def test_a_new_channel_gets_what_is_open_and_to_come_but_no_history(archive: Archive, hook: Hook) -> None:
    add_alert(archive, "A0003")
    with archive.begin() as connection:
        archive.insert(connection, schema.step, [{"week": WEEK + timedelta(weeks=1), "n_articles": 3, "counts": {}}])
        connection.execute(
            schema.alert.update()
            .where(schema.alert.c.id == "A0003")
            .values(state="confirmed", settled_week=WEEK + timedelta(weeks=1))
        )
    other = Hook()
    env = {"HOOK": hook.address, "LATE": other.address}
    assert [message.id[:5] for message, _ in preview(archive, settings())] == ["A0001"]
    deliver(archive, settings(), environment=env, clock=at())
    assert hook.ids == ["A0001-emerging"], "what was settled before there was a channel is history"
    set_state(archive, "confirmed")
    with archive.begin() as connection:
        archive.insert(connection, schema.step, [{"week": WEEK + timedelta(weeks=2), "n_articles": 3, "counts": {}}])
        connection.execute(
            schema.alert.update().where(schema.alert.c.id == "A0001").values(settled_week=WEEK + timedelta(weeks=2))
        )
    assert [channels for _, channels in preview(archive, settings("HOOK", "LATE"))] == [["HOOK"]]
    deliver(archive, settings("HOOK", "LATE"), environment=env, clock=at())
    assert hook.ids == ["A0001-emerging", "A0001-confirmed"] and other.got == []
    add_alert(archive, "A0004")
    deliver(archive, settings("HOOK", "LATE"), environment=env, clock=at())
    assert other.ids == ["A0004-emerging"]
    other.close()


def test_nobody_hears_that_a_held_alert_was_retracted(archive: Archive, hook: Hook) -> None:
    with archive.begin() as connection:
        connection.execute(
            schema.alert.update()
            .where(schema.alert.c.id == "A0001")
            .values(state="retracted", evidence={"article_ids": ["a1"], "suspect_share": 0.8})
        )
    deliver(archive, settings(), environment={"HOOK": hook.address}, clock=at())
    assert hook.got == []


@pytest.mark.parametrize(
    "address",
    [
        "mailto://user:word@example.org", "slack://TA1234567/BA1234567/abcdefghijklmnopqrstuvwx/#news",
        "workflow://prod-01.westus.logic.azure.com:443/workflow0id/signature0/",
        "dingtalk://abcdefgh12345678", "feishu://abcdefgh-1234-5678", "wecombot://abcdefgh-1234-5678",
        "json://127.0.0.1:9/", "form://127.0.0.1:9/", "xml://127.0.0.1:9/",
    ],
)  # fmt: skip
def test_apprise_takes_every_kind_of_address_that_is_promised(address: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        assert apprise.Apprise.instantiate(address) is not None


def test_a_file_is_a_channel_too(archive: Archive, tmp_path: Path) -> None:
    place = tmp_path / "alerts.txt"
    deliver(archive, settings(), environment={"HOOK": f"file://{place}"}, clock=at())
    assert "Message id: A0001-emerging-" in place.read_text(encoding="utf-8")
    add_alert(archive, "A0003")
    report = deliver(archive, settings("GONE"), environment={"GONE": "file:///nowhere/at/all.txt"}, clock=at())
    assert [e.last_error for e in report.failed] == ["the channel refused the message"]


def test_another_run_is_waited_for_by_the_next(archive: Archive, hook: Hook, tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive.sqlite") as other:
        with other.lock("narratives update"), pytest.raises(ArchiveBusy):
            deliver(archive, settings(), environment={"HOOK": hook.address})
        assert hook.got == []
    assert len(deliver(archive, settings(), environment={"HOOK": hook.address}).sent) == 1


def test_warnings_of_apprise_are_no_errors(archive: Archive, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert len(deliver(archive, settings(), environment={"HOOK": hook.address}).sent) == 1


# -- failures ----------------------------------------------------------------------------------------------------


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


# -- the message -------------------------------------------------------------------------------------------------


def message(archive: Archive, language: str = "both") -> Any:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    return compose(archive, row, settings(language=language))


def test_the_message_says_what_why_and_where_to_look(archive: Archive) -> None:
    said = message(archive)
    assert said.title == "新叙事 / New narrative: 回收 · 拆解 / scrap · drives"
    assert said.body.splitlines()[:-1] == [
        "新叙事：“回收 · 拆解”（N0002，rare earths and magnets），2025-W46 首次出现。2 条独立报道，2 个来源。",
        "New narrative: “scrap · drives” (N0002, rare earths and magnets), first seen in 2025-W46. "
        "2 stories from 2 outlets.",
        "",
        "- 回收厂扩产 ＠everyone — 磁材在线, 2025-11-12",
        "  https://example.org/a1",
        "- Recycling [31mgrows ‹!channel› — Mekong Post, 2025-11-13",
        "  https://example.org/a2",
        "",
        "不属于任何已知叙事：最近的是“中国稀土杠杆”（N0001），得分 0.10，归入需 0.20。",
        "None of the known: the nearest is “China leverage” (N0001) with a score of 0.10, joining needs 0.20.",
        "细看 / Look closer: narratives alerts show A0001",
        "",
    ]


@pytest.mark.parametrize(("language", "absent"), [("en", "新叙事"), ("zh", "New narrative")])
def test_the_message_is_in_the_language_of_the_report(archive: Archive, language: str, absent: str) -> None:
    said = message(archive, language)
    assert absent not in said.title + said.body
    assert said.id == message(archive).id


def test_a_confirmed_alert_shows_what_joined(archive: Archive) -> None:
    set_state(archive, "confirmed")
    said = message(archive, "en")
    assert "2 stories from 2 outlets at its birth; 3 stories from 3 outlets now." in said.body
    assert "Old drives find buyers — Harbor Wire" in said.body
    assert (said.title, said.kind) == ("New narrative confirmed: scrap · drives", "success")


def test_the_word_that_gathered_it_is_told_in_both_languages(archive: Archive) -> None:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    said = compose(archive, {**row, "evidence": {**row["evidence"], "gathered_by": "samarium\u202e"}}, settings()).body
    assert "标题中的“samarium”此前几乎没有文章用过" in said
    assert "joining needs 0.20. “samarium” in headlines, which hardly any text held before" in said


def test_alerts_of_two_desks_have_different_ids(archive: Archive) -> None:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    other = {**row, "evidence": {**row["evidence"], "article_ids": ["b1", "b2"]}}
    assert compose(archive, row, settings()).id != compose(archive, other, settings()).id


# -- the command -------------------------------------------------------------------------------------------------


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


def test_an_entry_waits_longer_each_time_but_a_day_at_most() -> None:
    waits = [Entry("A", "emerging", "C", "failed", n, "", NOON).next_at(5) for n in range(10)]
    assert waits[0] is None
    pauses = [at - NOON for at in waits[1:] if at is not None]
    assert pauses == sorted(pauses) and pauses[-1] == timedelta(days=1)
