"""What an ingest and an update say of themselves: as facts for `--json`, as lines for a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narratives.commands.screen import count, note, plain, say, table

if TYPE_CHECKING:
    from narratives.delivery import DeliveryReport
    from narratives.desk import Desk
    from narratives.ingest import FileReport, IngestReport
    from narratives.pipeline import UpdateReport

_MAX_FILES_SHOWN = 40


def ingest_facts(report: IngestReport) -> dict[str, Any]:
    return {
        **report.counts,
        "files": [
            {"name": f.name, "reader": f.reader, **_all_counts(f), "note": f.note, "failed": f.failed}
            for f in report.files
        ],
    }


def _all_counts(file: FileReport) -> dict[str, int]:
    from narratives.ingest.reports import COUNTS

    return {name: file.counts.get(name, 0) for name in COUNTS}


def tell_ingested(report: IngestReport) -> None:
    read = [file for file in report.files if file.reader]
    if 1 < len(read) <= _MAX_FILES_SHOWN:
        names = ("accepted", "superseded", "repeated", "quarantined", "reprints")
        rows = [
            (
                Path(f.name).name if "://" not in f.name else f.name,
                f.reader,
                *(f.counts.get(name, 0) for name in names),
            )
            for f in read
        ]
        table(("file", "read as", *names), rows, right=names)
    for file in report.files:
        if file.failed:
            note(f"could not be read: {file.name}: {plain(file.note)}")
        elif file.note and (file.reader or len(report.files) <= _MAX_FILES_SHOWN):
            note(f"{file.name}: {plain(file.note)}")
    say(str(report))
    if report.counts["quarantined"]:
        say("`narratives quarantine` shows what was put aside and why")


def _news(desk: Desk, weeks: Sequence[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Births and alerts of some weeks, with the narrative's names."""
    from narratives.archive import schema

    names = {
        row["id"]: {"name_zh": row["name_zh"], "name_en": row["name_en"]} for row in desk.archive.rows(schema.narrative)
    }
    e, a = schema.event, schema.alert
    born = [
        {"narrative": row["narrative_id"], **names.get(row["narrative_id"], {}), "week": row["week"]}
        for row in desk.archive.rows(e, e.c.kind == "born", e.c.week.in_(list(weeks)))
    ]
    alerts = [
        {
            "id": row["id"],
            "tier": row["tier"],
            "state": row["state"],
            "week": row["week"],
            "narrative": row["narrative_id"],
            **names.get(row["narrative_id"], {}),
        }
        for row in desk.archive.rows(a, a.c.week.in_(list(weeks)))
    ]
    return born, alerts


def update_facts(desk: Desk, report: UpdateReport) -> dict[str, Any]:
    from narratives.weeks import label

    born, alerts = _news(desk, report.weeks)
    return {
        "weeks": [label(week) for week in report.weeks],
        **report.counts,
        "narratives_born": born,
        "alerts": alerts,
        "seconds": report.seconds,
    }


def tell_updated(desk: Desk, report: UpdateReport) -> None:
    from narratives.weeks import label

    if report.nothing_new:
        say("nothing waits to be processed")
        return
    n = report.counts
    span = label(report.weeks[0]) + (f" to {label(report.weeks[-1])}" if len(report.weeks) > 1 else "")
    if n.get("articles"):
        said = f"{count(n.get('stories', 0), 'story', 'stories')}, {n.get('assigned', 0):,} in narratives"
        say(f"{count(len(report.weeks), 'week')} ({span}): {count(n['articles'], 'article')} in {said}")
    else:  # births of that week were told when it was processed
        say(f"no new articles: decisions and changed claims took effect in {span}")
    if n.get("scored_anew"):
        say(f"{count(n['scored_anew'], 'article')} of before scored anew: a claim, a label or a decision changed")
    born, alerts = _news(desk, report.weeks) if n.get("articles") else ([], [])
    for row in born:
        say(f"born {label(row['week'])}: {row['narrative']} {_both(row)}")
    for row in alerts:
        if row["tier"] == "alert":
            said = f"alert {row['id']} ({row['state']}): {row['narrative']} {_both(row)}"
            say(f"{said}; `narratives alerts show {row['id']}` explains it")


def _both(row: dict[str, Any]) -> str:
    """Both names of a narrative, each once."""
    return plain(" / ".join(dict.fromkeys(n for n in (row.get("name_zh"), row.get("name_en")) if n)))


def delivery_facts(report: DeliveryReport) -> dict[str, Any]:
    names = ("sent", "failed", "waiting", "given_up")
    return {**{name: [vars(entry) for entry in getattr(report, name)] for name in names}, "problems": report.problems}


def tell_delivered(report: DeliveryReport) -> None:
    for line in report.problems:
        note(f"not sent: {plain(line)}")
    for entry in report.sent:
        say(f"sent {entry.alert} ({entry.state}) to {entry.channel}")
    for entry in report.failed:
        note(
            f"not sent: {entry.alert} ({entry.state}) to {entry.channel}, attempt {entry.attempts}: {entry.last_error}"
        )
    if report.waiting:
        say(f"{count(len(report.waiting), 'message')} in the outbox; later runs try again")
    if report.given_up:
        said = count(len(report.given_up), "message")
        note(f"{said} given up after too many failures: `narratives alerts deliver --again` tries once more")
    if not (report.sent or report.failed or report.waiting or report.given_up or report.problems):
        say("nothing new to send")
