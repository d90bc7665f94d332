"""What is sent, to which channel, and how often: each state of an alert once, in spite of repeats."""

from datetime import timedelta
from pathlib import Path

import pytest

from narratives.archive import Archive, ArchiveBusy, schema
from narratives.delivery import deliver, enqueue, outbox, preview
from tests.narratives.delivery.conftest import NOON, WEEK, Hook, add_alert, at, box, set_state, settings


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
