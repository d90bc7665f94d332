"""Ingest: read every source in a fixed order and hand its records to the archive in chunks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narratives.articles import Article, Reject
from narratives.duplicates import ReprintIndex, sketch
from narratives.ingest.discovery import Found, find_sources
from narratives.ingest.fields import Context, article_from_record
from narratives.ingest.registry import reader_for
from narratives.ingest.reports import FileReport, IngestReport
from narratives.ingest.sources import Source, SourceError
from narratives.language import declared_language
from narratives.settings import IngestSettings, Settings

if TYPE_CHECKING:
    from narratives.archive import Archive, Incoming

CHUNK = 500
Progress = Callable[[str, int], None]


def ingest_paths(
    archive: Archive,
    paths: Iterable[str | Path],
    settings: Settings,
    progress: Progress | None = None,
    mapping: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> IngestReport:
    """Read files, folders, globs and addresses into the archive.

    Sources are read in the order named, those of a folder by path, records in the order of the file; at most
    500 are written in one transaction. A killed run therefore leaves a beginning of the whole, and the same call
    again completes it: what is there already counts as repeated.

    Parameters
    ----------
    archive
        Open for writing; the call holds its lock.
    settings
        Of the desk; `settings.ingest` is used.
    progress
        Called with a source's name and the number of its records so far, after each chunk.
    mapping
        Our field to the input's name of it, of `parse_mapping`.
    now
        Aware instant of the call.

    Returns
    -------
    A report, a file at a time, whose counts add up.

    Raises
    ------
    FileNotFoundError
        Something named is not there; nothing was read.
    ArchiveError
        The archive refused; chunks written before are kept.
    """
    moment = now or datetime.now(UTC)
    sources = find_sources(paths)
    reports: list[FileReport] = []
    with archive.lock("narratives ingest"):
        index = archive.reprint_index(settings.ingest.reprint_window_days, settings.ingest.reprint_similarity)
        for found in sources:
            if found.note:
                reports.append(FileReport(found.place, "", note=found.note))
            else:
                reports.append(
                    _ingest_one(archive, found, settings.ingest, index, mapping or {}, moment, progress)
                )
    return IngestReport(tuple(reports))


def _ingest_one(
    archive: Archive,
    found: Found,
    settings: IngestSettings,
    index: ReprintIndex,
    mapping: Mapping[str, str],
    moment: datetime,
    progress: Progress | None,
) -> FileReport:
    counts: Counter[str] = Counter()
    note = ""
    reader_name = ""

    def records() -> Iterator[Article | Reject]:
        nonlocal note, reader_name
        try:
            source = Source.of_file(Path(found.place), settings)
            if not source.head:
                note = "empty"
                return
            reader = reader_for(source)
            if reader is None:
                raise SourceError("unknown-format", f"{found.place} is in no format that a reader knows")
            reader_name = reader.name
            if source.encoding != "utf-8":
                note = f"read as {source.encoding}"
            yield from reader.read(source, Context(settings, mapping, source.modified_at, moment))
        except (SourceError, OSError) as error:
            reason = error.reason if isinstance(error, SourceError) else "unreadable"
            if (
                not found.named
                and not counts["read"]
                and reason in ("unknown-format", "no-columns", "no-records")
            ):
                note, reader_name = str(error), ""
                return
            yield Reject(found.place, reason, str(error), "")
        except Exception as error:  # a reader's own fault must cost that file alone, and be seen
            yield Reject(found.place, "reader-fault", f"the reader {reader_name} failed: {error!r}", "")

    for chunk in _chunked(records()):
        outcomes = archive.take_in([_prepare(record, settings) for record in chunk], index, moment)
        counts["read"] += len(chunk)
        counts.update(outcome.kind for outcome in outcomes)
        counts["reprints"] += sum(outcome.is_reprint for outcome in outcomes)
        if progress is not None:
            progress(found.place, counts["read"])
    return FileReport(found.place, reader_name, dict(counts), note)


def _prepare(record: Article | Reject, settings: IngestSettings) -> Incoming | Reject:
    """Find out the language and sketch the text."""
    from narratives.archive import Incoming

    if isinstance(record, Reject):
        return record
    said = record.text if len(record.text) >= 20 else f"{record.title}\n{record.text}"
    return Incoming(
        record, declared_language(record.lang, said, settings.languages), sketch(record.title, record.text)
    )


def retry_quarantine(
    archive: Archive,
    settings: Settings,
    ids: Sequence[int] | None = None,
    mapping: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> IngestReport:
    """Take quarantined records again, with the settings and the mapping of now.

    A record that was kept as a JSON object is read from what was kept; anything else is read again from its
    file. Those that now become articles (or are in the archive already) are marked recovered.

    Parameters
    ----------
    ids
        Only these quarantine rows; None takes all open ones.
    """
    moment = now or datetime.now(UTC)
    context = Context(settings.ingest, mapping or {}, moment, moment)
    with archive.lock("narratives quarantine --retry"):
        frame = archive.quarantine_frame()
        if ids is not None:
            frame = frame[frame["id"].isin(list(ids))]
        index = archive.reprint_index(settings.ingest.reprint_window_days, settings.ingest.reprint_similarity)
        reports = []
        for row in frame.to_dict("records"):
            record = _record_of(row["raw"])
            again = article_from_record(record, context, row["origin"]) if record is not None else None
            if isinstance(again, Article):
                outcome = archive.take_in([_prepare(again, settings.ingest)], index, moment)[0]
                archive.mark_quarantined([row["id"]], "recovered")
                counts = {"read": 1, outcome.kind: 1, "reprints": int(outcome.is_reprint)}
                reports.append(FileReport(row["origin"], "retry", counts))
            else:
                note = (
                    again.message
                    if again is not None
                    else "read its file again: what was kept is no whole record"
                )
                reports.append(FileReport(row["origin"], "retry", {"read": 1, "quarantined": 1}, note))
    return IngestReport(tuple(reports))


def _record_of(raw: str) -> dict[str, Any] | None:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _chunked(records: Iterable[Article | Reject]) -> Iterator[list[Article | Reject]]:
    chunk: list[Article | Reject] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
