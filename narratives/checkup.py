"""One desk as `narratives doctor` sees it: its files, its last run, its feeds, the health of its material."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from narratives.agreement import disagreements
from narratives.corpus import examine_corpus
from narratives.machine import Finding, room

if TYPE_CHECKING:
    from narratives.desk import Desk

_SAME_LANGUAGE = 0.75


def examine_desk(desk: Desk) -> Iterator[Finding]:
    """Settings, definitions, the archive, the last run, and the health of the material."""
    from narratives.definitions import check_definitions
    from narratives.desk import DEFINITIONS

    yield Finding("ok", "settings", f"narratives.toml is valid; the subject is {desk.settings.subject!r}")
    try:
        advice = list(check_definitions(desk.definitions))
        text = f"{DEFINITIONS} is valid, {len(desk.definitions)} named narratives"
        yield Finding(
            "note" if advice else "ok",
            "definitions",
            text + (f", {len(advice)} pieces of advice" if advice else ""),
            "`narratives check` shows the advice" if advice else "",
        )
    except ValueError as error:
        yield Finding("problem", "definitions", str(error), f"edit {desk.folder / DEFINITIONS}")
    damage = desk.archive.check()
    if damage:
        yield Finding("problem", "archive", "; ".join(damage[:5]), "restore a backup of the archive")
        return
    parted = list(disagreements(desk.archive, desk.settings.discover.max_members))
    for said in parted:
        yield Finding("problem", "archive", said, "a fault of this program: please report it")
    if not parted:
        yield Finding("ok", "archive", f"{desk.archive.name} is sound")
    yield room("disk", desk.folder)
    yield from _runs_and_feeds(desk)
    yield from _channels(desk)
    yield from _material(desk)


def _runs_and_feeds(desk: Desk) -> Iterator[Finding]:
    from narratives.archive import ArchiveBusy, schema

    runs = desk.archive.rows(schema.run)
    if not runs:
        yield Finding("note", "runs", "nothing has been run yet", "`narratives ingest FILES`, then `narratives update`")
    elif runs[-1]["state"] == "failed":
        yield Finding(
            "problem",
            "runs",
            f"the last run ({runs[-1]['command']}) failed",
            "run it again and read its message",
        )
    elif runs[-1]["state"] == "running" and not desk.archive.read_only:
        try:
            with desk.archive.lock("narratives doctor"):
                yield Finding(
                    "note",
                    "runs",
                    f"the last run ({runs[-1]['command']}) was killed",
                    "run it again: it goes on where it was",
                )
        except ArchiveBusy as error:
            yield Finding("ok", "runs", str(error))
    for feed in desk.archive.rows(schema.feed, schema.feed.c.n_failures > 0):
        yield Finding(
            "problem" if feed["n_failures"] > 2 else "note",
            "feeds",
            f"{feed['url']} failed {feed['n_failures']} times in a row: {feed['last_error']}",
            "look whether its address has changed",
        )


def _channels(desk: Desk) -> Iterator[Finding]:
    """Can each channel be used? Nothing is sent, and no address is shown."""
    from narratives.courier import AlertsExtraMissing, ChannelUnusable, Courier
    from narratives.delivery import channels_of, outbox

    rules = desk.settings.alerts
    if not rules.channels:
        yield Finding("ok", "channels", "alerts are sent nowhere: alerts.channels names none")
        return
    try:
        names = channels_of(desk.settings)
    except ValueError as error:
        yield Finding("problem", "channels", str(error), "edit alerts.channels of narratives.toml")
        return
    for name in names:
        waiting = [entry for entry in outbox(desk.archive, [name]) if entry.status != "sent"]
        given_up = sum(entry.attempts >= rules.max_attempts for entry in waiting)
        address = os.environ.get(name, "").strip()
        if not address:
            yield Finding(
                "problem", "channels", f"{name}: this environment variable is not set", "export it, for cron too"
            )
            continue
        try:
            with Courier(name, address, rules.send_timeout_seconds):
                pass
        except (AlertsExtraMissing, ChannelUnusable) as error:
            yield Finding("problem", "channels", str(error))
            continue
        if waiting:
            said = f"{name}: {len(waiting)} messages wait, {given_up} of them given up"
            yield Finding("problem" if given_up else "note", "channels", said, "`narratives alerts deliver --again`")
        else:
            yield Finding("ok", "channels", f"{name}: its variable holds an address that apprise knows")


def _vectors(desk: Desk, fingerprint: str) -> Iterator[Finding]:
    """What computed the desk's vectors: more than one program leaves differences in the fourth digit."""
    from embeddings import VectorCache

    used = VectorCache(desk.folder / "vectors").backends(fingerprint)
    said = f"vectors of {fingerprint.partition('|')[0]}, computed by {', then '.join(used) or 'torch'}"
    yield Finding("ok" if len(used) < 2 or "hybrid" in fingerprint else "note", "vectors", said)


def _material(desk: Desk) -> Iterator[Finding]:
    health: dict[str, Any] = desk.health()
    n = health["n_articles"]
    yield Finding(
        "ok",
        "material",
        f"{n:,} articles in {health['n_stories']:,} stories; {health['n_waiting']:,} wait for an update",
    )
    if health["n_quarantined"]:
        yield Finding(
            "note",
            "quarantine",
            f"{health['n_quarantined']:,} records lie in quarantine",
            "`narratives quarantine` lists them",
        )
    yield from examine_corpus(desk.archive, desk.settings)
    if n - health["n_waiting"]:
        yield from _vectors(desk, str(health["encoder"]))
    for said in health["feed_notices"]:
        yield Finding("note", "sources", said, "look whether its export or feed still works")
    mixed = health["same_language_share"]
    if mixed is not None:
        text = f"same-language share {mixed:.2f} (.50 is perfect, raw vectors have .93)"
        yield Finding(
            "note" if mixed > _SAME_LANGUAGE else "ok",
            "languages",
            text,
            "more articles of the smaller language help" if mixed > _SAME_LANGUAGE else "",
        )
