"""Commands that do the work: make a desk, take articles in, bring it up to date, all of it in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narratives.commands.publish import LangOption, OpenOption, show_page, write_report
from narratives.commands.screen import (
    NEEDS_A_LOOK,
    DeskOption,
    JsonOption,
    MapOption,
    Progress,
    QuietOption,
    count,
    note,
    opened,
    print_json,
    say,
)
from narratives.commands.summaries import (
    delivery_facts,
    ingest_facts,
    tell_delivered,
    tell_ingested,
    tell_updated,
    update_facts,
)

if TYPE_CHECKING:
    from narratives.delivery import DeliveryReport
    from narratives.desk import Desk
    from narratives.ingest import IngestReport
    from narratives.pipeline import UpdateReport

WaitOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait this long for another run to end.")
]


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the new desk; made if it is not there.")],
    definitions: Annotated[
        Path | None,
        typer.Option(
            "--definitions",
            metavar="FILE",
            show_default=False,
            help="Your named narratives (YAML). Left out: those of the sample subject, to be edited.",
        ),
    ] = None,
    archive: Annotated[
        str,
        typer.Option(
            "--archive",
            metavar="ADDRESS",
            show_default=False,
            help="A PostgreSQL database for a team's archive, such as 'postgresql://me:${PASSWORD}@host/name'.",
        ),
    ] = "",
) -> None:
    """Make a desk: a folder with settings, named narratives and an empty archive.

    With --archive the archive lies in a database, and one that is there already is joined.
    """
    from narratives.desk import init as make_desk

    desk = make_desk(folder, definitions, archive)
    named = len(desk.definitions)
    desk.close()
    say(f"{folder} is a desk now, with {count(named, 'named narrative')}")
    say("next: edit narratives.toml (the subject) and definitions.yaml (your narratives) in it, then")
    say(f"  narratives ingest FILES... --desk {folder}")
    say(f"  narratives update --desk {folder}")
    say(f"  narratives report --desk {folder}")


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files, folders, quoted globs, or addresses of feeds."),
    ],
    mapping: MapOption = None,
    desk: DeskOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take articles in: JSON Lines, JSON, CSV, Parquet, feeds, OPML, saved pages, WARC, search exports.

    What is there already is not taken twice. A bad record goes to the quarantine and stops nothing.
    """
    from narratives.ingest import parse_mapping

    with opened(desk) as own, Progress(quiet) as progress:
        report = own.ingest(paths, parse_mapping(mapping or []), progress=progress.file)
    if as_json:
        print_json(ingest_facts(report))
    else:
        tell_ingested(report)
        say("next: `narratives update`" if report.n_new else "nothing new")
    _leave_if_failed(report)


def update(desk: DeskOption = None, quiet: QuietOption = False, as_json: JsonOption = False) -> None:
    """Process what was taken in since last time: embed, assign, discover, score, track, alert.

    Week by week in order of publication; a week is written whole or not at all, so that an update that was
    stopped goes on where it was.
    """
    with opened(desk) as own:
        report = _updated(own, quiet)
        if as_json:
            print_json(update_facts(own, report))
        else:
            tell_updated(own, report)


def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", show_default=False, help="What `narratives ingest` would take."),
    ] = None,
    mapping: MapOption = None,
    lang: LangOption = None,
    wait: WaitOption = 0.0,
    show: OpenOption = False,
    desk: DeskOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ingest, update and report in one, for cron. Prints where the report lies.

    Where alerts.channels of narratives.toml names channels, new alerts are sent at the end, as by
    `narratives alerts deliver`. The same input a second time changes nothing.
    """
    from narratives.ingest import parse_mapping

    mapped = parse_mapping(mapping or [])
    ingested: IngestReport | None = None
    with opened(desk) as own:
        with own.archive.lock("narratives run", wait_seconds=wait):
            if paths:
                with Progress(quiet) as progress:
                    ingested = own.ingest(paths, mapped, progress=progress.file)
            processed = _updated(own, quiet)
        if not own.weeks():
            raise ValueError("there is nothing to report on: the desk has no articles; name files or feeds to take in")
        written = write_report(own, None, lang, None)
        delivered = _deliver(own)
        if as_json:
            print_json(
                {
                    "ingest": ingest_facts(ingested) if ingested else None,
                    "update": update_facts(own, processed),
                    "report": written,
                    "delivery": delivery_facts(delivered) if delivered else None,
                }
            )
        else:
            if ingested:
                tell_ingested(ingested)
            tell_updated(own, processed)
            if delivered:
                tell_delivered(delivered)
            say(f"report: {written['html']}")
    if show:
        show_page(written["html"])
    if ingested:
        _leave_if_failed(ingested)
    if delivered and delivered.needs_a_look:
        raise typer.Exit(NEEDS_A_LOOK)


def _updated(desk: Desk, quiet: bool) -> UpdateReport:
    with Progress(quiet or not _is_waiting(desk)) as progress:
        progress.begin("loading the model and the named narratives")
        if cost := desk.forecast():
            note(f"{desk.settings.llm.model}: {cost}")
        return desk.update(progress=progress.stage)


def _deliver(desk: Desk) -> DeliveryReport | None:
    """Send new alerts; None where the desk names no channel. What hinders it is told, and undoes nothing."""
    from narratives.archive import ArchiveBusy
    from narratives.courier import AlertsExtraMissing
    from narratives.delivery import DeliveryReport, deliver

    if not desk.settings.alerts.channels:
        return None
    try:
        return deliver(desk.archive, desk.settings)
    except (AlertsExtraMissing, ArchiveBusy, ValueError) as error:
        return DeliveryReport(problems=[str(error)])


def _is_waiting(desk: Desk) -> bool:
    from narratives.pipeline import waiting_weeks

    return bool(waiting_weeks(desk.archive, desk.zone))


def _leave_if_failed(report: IngestReport) -> None:
    if any(file.failed for file in report.files):
        raise typer.Exit(NEEDS_A_LOOK)
