"""Taking quarantined records again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, article_from_record
from narratives.ingest.reading import preparation
from narratives.ingest.registry import reader_for
from narratives.ingest.reports import FileReport, IngestReport
from narratives.ingest.sources import Source, SourceError
from narratives.settings import Settings

if TYPE_CHECKING:
    from narratives.archive import Archive


def retry_quarantine(
    archive: Archive,
    settings: Settings,
    ids: Sequence[int] | None = None,
    mapping: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> IngestReport:
    """Take quarantined records again, with the settings and the mapping of now.

    Where the file is still there it is read again, and the records that stood at the same places are taken;
    otherwise a record that was kept as a JSON object is read from that. Those that now become articles
    (or are in the archive already) are marked recovered, the others stay open.

    Parameters
    ----------
    ids
        Only these quarantine rows; None takes all open ones.

    Returns
    -------
    A report, a quarantined record at a time.
    """
    moment = now or datetime.now(UTC)
    with archive.lock("narratives quarantine --retry"):
        frame = archive.quarantine_frame()
        if ids is not None:
            frame = frame[frame["id"].isin(list(ids))]
        rows = frame.to_dict("records")
        again = _read_again([str(row["origin"]) for row in rows], settings, mapping or {}, moment)
        index = archive.reprint_index(settings.ingest.reprint_window_days, settings.ingest.reprint_similarity)
        context = Context(settings.ingest, mapping or {}, moment, moment)
        prepare = preparation(settings.ingest)
        reports = []
        for row in rows:
            record = again.get(row["origin"])
            if record is None and (kept := _record_of(str(row["raw"]))) is not None:
                record = article_from_record(kept, context, str(row["origin"]))
            if isinstance(record, Article):
                outcome = archive.take_in([record], index, prepare, moment)[0]
                archive.mark_quarantined([int(row["id"])], "recovered")
                counts = {"read": 1, outcome.kind: 1, "reprints": int(outcome.is_reprint)}
                reports.append(FileReport(str(row["origin"]), "retry", counts))
            else:
                note = record.message if record is not None else "its file is gone or no longer has that record"
                counts = {"read": 1, "quarantined": 1}
                reports.append(FileReport(str(row["origin"]), "retry", counts, note))
    return IngestReport(tuple(reports))


def _read_again(
    origins: Sequence[str], settings: Settings, mapping: Mapping[str, str], moment: datetime
) -> dict[str, Article | Reject]:
    """What now stands at the origins, for the files that are still there."""
    wanted = set(origins)
    found: dict[str, Article | Reject] = {}
    for place in sorted({_file_of(origin) for origin in origins} - {""}):
        try:
            source = Source.of_file(Path(place), settings.ingest)
            reader = reader_for(source)
            if reader is None:
                continue
            context = Context(settings.ingest, mapping, source.modified_at, moment)
            for record in reader.read(source, context):
                if record.origin in wanted:
                    found[record.origin] = record
        except (SourceError, OSError) as error:
            reason = error.reason if isinstance(error, SourceError) else "unreadable"
            found.setdefault(place, Reject(place, reason, str(error), ""))
    return found


def _file_of(origin: str) -> str:
    """The file of `file:line` or `file#record`; empty when it is gone or no file."""
    for sign in (":", "#"):
        place, found, number = origin.rpartition(sign)
        if found and number.isdigit() and Path(place).is_file():
            return place
    return origin if Path(origin).is_file() else ""


def _record_of(raw: str) -> dict[str, Any] | None:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
