"""Sends alerts to the desk's channels, by way of an outbox in the archive.

What is guaranteed
    Every state of every alert (emerging, confirmed, retracted) that is not yet known to have been sent is kept in
    the outbox until a channel has taken it or it was given up, whatever happens to the run: **at least once**. It is
    sent **exactly once** unless the run is killed after the channel took the message and before that was written
    down, or the channel took it and its answer came too late or got lost. No sender can tell those two from "not
    sent", so it is sent again, with the same line `Message id: …`, by which a reader can tell. A message is given up
    after `alerts.max_attempts` failures and stays in the outbox; `narratives alerts deliver --again` takes it up.

Between sending and recording, then, a kill costs a repeat and never a loss: at least once, not at most once.

A channel that is new gets what is still open and what is yet to come, not the alerts that were settled before it was
named. The retraction of an alert that was held back, so that nobody heard of it, is sent to nobody.

Each attempt is written down before it is made, its outcome after: a message that kills the run every time is not
sent for ever. Where a state was overtaken by the next before it could be sent, only the next one is sent.

Secrets
    A channel is named by an environment variable that holds its apprise URL. Only the variable's name appears in
    the archive, in messages and in reports; see `narratives.courier` for how the URL is kept apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, update

from narratives.archive import Archive, schema
from narratives.courier import ChannelUnusable, Courier, require_apprise
from narratives.message import Message, compose
from narratives.settings import Settings

_STATES = ("emerging", "confirmed", "retracted")
_LONGEST_WAIT = timedelta(hours=24)
_UNKNOWN = "the run ended while it was sending; the channel may have got the message"
_NAME_CHARS = 64
_SINCE = "channels_since"

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Entry:
    """One message of the outbox: a state of an alert, for one channel.

    `status` is pending (not tried, or the outcome of the last attempt is not known), sent or failed; `tried_at` the
    UTC instant of the last attempt, and of sending where it was sent; `last_error` says nothing secret.
    """

    alert: str
    state: str
    channel: str
    status: str
    attempts: int = 0
    last_error: str = ""
    tried_at: datetime | None = None

    def next_at(self, retry_minutes: float) -> datetime | None:
        """Not tried again before this UTC instant: 1, 4, 16, … times `retry_minutes` after the last attempt, at most
        a day. None: it may be tried at once.

        >>> at = datetime(2025, 11, 17, 8, 0)
        >>> [str(Entry("A0001", "emerging", "HOOK", "failed", n, "", at).next_at(5) - at) for n in (1, 2, 3, 9)]
        ['0:05:00', '0:20:00', '1:20:00', '1 day, 0:00:00']
        """
        if not self.attempts or self.tried_at is None:
            return None
        minutes = min(retry_minutes * 4.0 ** min(self.attempts - 1, 20), _LONGEST_WAIT / timedelta(minutes=1))
        return self.tried_at + timedelta(minutes=minutes)


@dataclass(frozen=True)
class DeliveryReport:
    """What one delivery did.

    Entries `sent` and `failed` in this run; `waiting` ones whose time has not come, or that stayed because their
    channel could not be used or had failed before them; `given_up` ones; `problems` name channels that could not be
    used, a line each.
    """

    sent: list[Entry] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    given_up: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def needs_a_look(self) -> bool:
        return bool(self.failed or self.given_up or self.problems)


def deliver(
    archive: Archive,
    settings: Settings,
    again: bool = False,
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> DeliveryReport:
    """Queue what is new and send what is due, one message after the other.

    A channel that fails is left alone until the next run; messages tried least often go first, so that one which a
    channel refuses does not hold up the others.

    Parameters
    ----------
    again
        Also try at once what waits for its time, and what was given up.
    environment, clock
        In place of the process's own, and of the present instant (UTC, without an offset).

    Raises
    ------
    ValueError
        No channel is set, or the name of one is none.
    AlertsExtraMissing
        apprise is not installed. What is new is queued all the same.
    ArchiveBusy
        Another run is writing.
    """
    environment, clock = os.environ if environment is None else environment, clock or _now
    channels = channels_of(settings)
    report = DeliveryReport()
    with archive.lock("narratives alerts deliver"):
        enqueue(archive, channels)
        for channel in channels:
            entries = _due(outbox(archive, [channel]), settings, clock(), again, report)
            if not entries:
                continue
            require_apprise()
            try:
                _send_all(archive, settings, entries, environment.get(channel, "").strip(), clock, report)
            except ChannelUnusable as error:
                report.problems.append(str(error))
                report.waiting.extend(entries)
                for entry in entries:
                    _write(archive, entry, last_error=str(error))
    return report


def enqueue(archive: Archive, channels: Sequence[str]) -> int:
    """Put every state that a channel has not got into its outbox, in one transaction; returns how many.

    Older states of the same alert that never went out are dropped.
    """
    table, n_new = schema.delivery, 0
    with archive.begin() as connection:
        since = _since(archive, channels)
        archive.set_meta(_SINCE, since, connection)
        alerts = archive.rows(schema.alert, schema.alert.c.tier == "alert", connection=connection)
        rows = archive.rows(table, connection=connection)
        known = {(row["alert_id"], row["state_sent"], row["channel"]) for row in rows}
        for alert in alerts:
            connection.execute(
                delete(table).where(
                    table.c.alert_id == alert["id"], table.c.status != "sent", table.c.state_sent != alert["state"]
                )
            )
            for channel in channels:
                if _concerns(alert, since[channel]) and (alert["id"], alert["state"], channel) not in known:
                    key = {"alert_id": alert["id"], "state_sent": alert["state"], "channel": channel}
                    connection.execute(table.insert().values(**key, status="pending", attempts=0))
                    n_new += 1
    return n_new


def preview(archive: Archive, settings: Settings) -> list[tuple[Message, list[str]]]:
    """What `deliver` has yet to send: messages with their channels. Writes nothing, and needs no apprise."""
    channels = channels_of(settings)
    since = _since(archive, channels)
    sent = {(e.alert, e.state, e.channel) for e in outbox(archive, channels) if e.status == "sent"}
    found = []
    for alert in archive.rows(schema.alert, schema.alert.c.tier == "alert", schema.alert.c.state.in_(_STATES)):
        concerned = [c for c in channels if _concerns(alert, since[c])]
        if missing := [c for c in concerned if (alert["id"], alert["state"], c) not in sent]:
            found.append((compose(archive, alert, settings), missing))
    return found


def _since(archive: Archive, channels: Sequence[str]) -> dict[str, str]:
    """Channel -> the latest week that was processed when it was first named, "" where it was there from the start."""
    known = dict(archive.get_meta(_SINCE) or {})
    used = {row["channel"] for row in archive.rows(schema.delivery)}
    latest = archive.last_step()
    now = latest.isoformat() if latest else ""
    return known | {name: "" if name in used else now for name in channels if name not in known}


def _concerns(alert: Mapping[str, Any], since: str) -> bool:
    """Is the present state of an alert for a channel that was named in this week?"""
    if alert["state"] not in _STATES:
        return False
    was_held = float((alert["evidence"] or {}).get("suspect_share", 0.0)) > 0.5
    if alert["state"] == "retracted" and was_held:
        return False
    settled = alert["settled_week"]
    return not since or settled is None or settled.isoformat() > since


def outbox(archive: Archive, channels: Sequence[str]) -> list[Entry]:
    """All entries of some channels, sent ones too, by alert."""
    rows = archive.rows(schema.delivery, schema.delivery.c.channel.in_(list(channels)))
    return [
        Entry(
            row["alert_id"],
            row["state_sent"],
            row["channel"],
            row["status"],
            row["attempts"],
            row["last_error"] or "",
            row["sent_at"],
        )
        for row in rows
    ]


def channels_of(settings: Settings) -> list[str]:
    """Names of the channels, each once.

    Raises
    ------
    ValueError
        There is none, or one is not the name of an environment variable. It is not quoted then: it may be an address
        that was written in the wrong place.
    """
    return checked_channels(settings.alerts.channels, "alerts.channels")


def checked_channels(channels: Sequence[str], setting: str) -> list[str]:
    """The channels that a setting names, each once; raises like `channels_of`."""
    names = list(dict.fromkeys(channels))
    if not names:
        raise ValueError(
            "no channel is set: put an apprise URL into an environment variable, and the variable's name into "
            f"{setting} of narratives.toml"
        )
    for i, name in enumerate(names, 1):
        if not (name.isidentifier() and name.isascii() and len(name) <= _NAME_CHARS):
            raise ValueError(
                f"{setting} of narratives.toml: entry {i} is not the name of an environment variable (letters, "
                f"digits and _, at most {_NAME_CHARS}); addresses belong into the variable, not into the file"
            )
    return names


def _due(
    entries: Sequence[Entry], settings: Settings, now: datetime, again: bool, report: DeliveryReport
) -> list[Entry]:
    """Entries to be tried now, those tried least often first; the others are sorted into the report."""
    due = []
    for entry in entries:
        if entry.status == "sent":
            continue
        not_before = entry.next_at(settings.alerts.retry_minutes)
        if again:
            due.append(entry)
        elif entry.attempts >= settings.alerts.max_attempts:
            report.given_up.append(entry)
        elif not_before is not None and now < not_before:
            report.waiting.append(entry)
        else:
            due.append(entry)
    return sorted(due, key=lambda entry: (entry.attempts, entry.alert))


def _send_all(
    archive: Archive, settings: Settings, entries: Sequence[Entry], address: str, clock: Clock, report: DeliveryReport
) -> None:
    """Send one channel's entries until one fails."""
    channel = entries[0].channel
    if not address:
        raise ChannelUnusable(f"{channel}: this environment variable is not set; it should hold an apprise URL")
    with Courier(channel, address, settings.alerts.send_timeout_seconds) as courier:
        for i, entry in enumerate(entries):
            (alert,) = archive.rows(schema.alert, schema.alert.c.id == entry.alert)
            message = compose(archive, alert, settings)
            at = clock()
            _write(archive, entry, attempts=entry.attempts + 1, sent_at=at, last_error=_UNKNOWN)
            error = courier.send(message.title, message.body, message.kind)
            done = Entry(
                entry.alert, entry.state, channel, "failed" if error else "sent", entry.attempts + 1, error, at
            )
            _record(archive, done)
            if error:
                report.failed.append(done)
                report.waiting.extend(entries[i + 1 :])
                return
            report.sent.append(done)


def _record(archive: Archive, entry: Entry) -> None:
    """Write down how an attempt ended."""
    _write(archive, entry, status=entry.status, last_error=entry.last_error or None)


def _write(archive: Archive, entry: Entry, **values: Any) -> None:
    table = schema.delivery
    key = (table.c.alert_id == entry.alert, table.c.state_sent == entry.state, table.c.channel == entry.channel)
    with archive.begin() as connection:
        connection.execute(update(table).where(*key).values(**values))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
