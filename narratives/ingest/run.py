"""Ingest: read every source in a fixed order and hand its records to the archive in chunks."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from narratives.articles import Article, Reject
from narratives.duplicates import ReprintIndex
from narratives.garbage import seldom_collected
from narratives.ingest.discovery import Found, find_sources
from narratives.ingest.fetch import Fetched, fetch
from narratives.ingest.fields import Context, clean
from narratives.ingest.reading import NO_INPUT, Chunk, preparation, read_chunks
from narratives.ingest.registry import Reader, reader_for
from narratives.ingest.reports import FileReport, IngestReport
from narratives.ingest.sources import Source, SourceError
from narratives.ingest.worker import Request, Worker, WorkerEnded
from narratives.settings import IngestSettings, Settings

if TYPE_CHECKING:
    from narratives.archive import Archive

CHUNK = 500
LARGE_BYTES = 8_000_000  # from this size on a second process is worth its start
OWN_CHUNKS = 6  # read while it starts
Progress = Callable[[str, int], None]
_FEEDS = ("feed", "json-feed")
_POLITE_SECONDS = 1.0  # between two pages of one server


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
    500 are written in one transaction. A killed run therefore leaves a beginning of the whole, and the same
    call again completes it: what is there already counts as repeated.

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
    A report, a source at a time, whose counts add up.

    Raises
    ------
    FileNotFoundError
        Something named is not there; nothing was read.
    ArchiveError
        The archive refused; chunks written before are kept.
    """
    waiting = deque(find_sources(paths))
    seen = {found.place for found in waiting}
    reports: list[FileReport] = []
    with archive.lock("narratives ingest"), seldom_collected():
        index = archive.reprint_index(settings.ingest.reprint_window_days, settings.ingest.reprint_similarity)
        run = _Run(archive, settings.ingest, index, mapping or {}, now or datetime.now(UTC), progress)
        with closing(run):
            while waiting:
                found = waiting.popleft()
                report, addresses = run.take(found)
                reports.append(report)
                fresh = [place for place in addresses if place not in seen]
                seen.update(fresh)
                waiting.extendleft(Found(place, is_address=True, named=True) for place in reversed(fresh))
    return IngestReport(tuple(reports))


@dataclass
class _Run:
    """What one call needs for every source."""

    archive: Archive
    settings: IngestSettings
    index: ReprintIndex
    mapping: Mapping[str, str]
    moment: datetime
    progress: Progress | None
    worker: Worker | None = None

    def take(self, found: Found) -> tuple[FileReport, list[str]]:
        """Read one source; also the addresses that it leads to."""
        if found.note:
            return FileReport(found.place, "", note=found.note), []
        try:
            source, fetched = self._opened(found)
        except (SourceError, OSError) as error:
            if found.is_address:
                self._note_failure(found.place, error)
                return FileReport(found.place, "", note=str(error), failed=True), []
            return self._whole_reject(found, error), []
        if source is None:
            self._note_success(found.place, fetched)
            return FileReport(found.place, "", note="not changed since last time"), []
        try:
            if not source.head:
                return FileReport(found.place, "", note="empty"), []
            reader = reader_for(source)
            if reader is None:
                raise SourceError("unknown-format", f"{found.place} is in no format that a reader knows")
            addresses = reader.addresses(source) if reader.addresses is not None else []
        except (SourceError, OSError) as error:
            return self._whole_reject(found, error), []
        report = self._read(found, source, reader)
        self._note_success(found.place, fetched)
        return report, addresses

    def _opened(self, found: Found) -> tuple[Source | None, Fetched | None]:
        if not found.is_address:
            return Source.of_file(Path(found.place), self.settings), None
        fetched = fetch(found.place, self.settings, self.archive.feed_state(found.place))
        if fetched.payload is None:
            return None, fetched
        return Source(found.place, self.settings, payload=fetched.payload, modified_at=self.moment), fetched

    def _read(self, found: Found, source: Source, reader: Reader) -> FileReport:
        counts: Counter[str] = Counter()
        notes = [f"read as {source.encoding}"] if source.encoding != "utf-8" and reader.name != "parquet" else []
        for chunk in self._chunks(found, source, reader, notes):
            if chunk.note:
                notes.append(chunk.note)
                continue
            outcomes = self.archive.take_in(chunk.records, self.index, preparation(self.settings, chunk), self.moment)
            counts["read"] += len(chunk.records)
            counts.update(outcome.kind for outcome in outcomes)
            counts["reprints"] += sum(outcome.is_reprint for outcome in outcomes)
            if self.worker is not None:
                self.worker.prepares = 2 * sum(o.kind == "repeated" for o in outcomes) < len(outcomes)
            if self.progress is not None:
                self.progress(found.place, counts["read"])
        if not counts["read"] and not notes and reader.addresses is None:
            notes.append("no records in it")
        return FileReport(found.place, reader.name if counts["read"] else "", dict(counts), "; ".join(notes))

    def _chunks(self, found: Found, source: Source, reader: Reader, notes: list[str]) -> Iterator[Chunk]:
        """Chunks of a source; those of a large file come from a second process, after the first few."""
        context = Context(self.settings, self.mapping, source.modified_at, self.moment)
        is_feed = found.is_address and reader.name in _FEEDS
        n_read = 0
        worker = self._worker_for(source)
        completed = self._completed if is_feed else None
        for chunk in read_chunks(source, reader, context, CHUNK, found.named, completed=completed):
            yield chunk
            n_read += len(chunk.records)
            if worker is not None and n_read >= OWN_CHUNKS * CHUNK:
                break
        else:
            return
        assert worker is not None and source.path is not None
        request = Request(
            source.path, reader.name, self.settings, self.mapping, self.moment, CHUNK, found.named, n_read
        )
        try:
            for chunk in worker.chunks(request):
                yield chunk
                n_read += len(chunk.records)
        except WorkerEnded as error:
            notes.append(f"{error}; read on without it")
            self.close()
            self.settings = self.settings.model_copy(update={"second_process": False})
            yield from read_chunks(source, reader, context, CHUNK, found.named, skip=n_read)

    def _worker_for(self, source: Source) -> Worker | None:
        """The second process for a large file, which starts up while the first chunks are read without it."""
        if not self.settings.second_process or source.path is None or source.path.stat().st_size < LARGE_BYTES:
            return None
        if self.worker is None and (os.cpu_count() or 1) > 1:
            with suppress(WorkerEnded):
                self.worker = Worker()
        return self.worker

    def close(self) -> None:
        """End the second process, if there is one."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def _whole_reject(self, found: Found, error: Exception) -> FileReport:
        reason = error.reason if isinstance(error, SourceError) else "unreadable"
        if not found.named and reason in NO_INPUT:
            return FileReport(found.place, "", note=str(error))
        reject = Reject(found.place, reason, str(error), "")
        self.archive.take_in([reject], self.index, preparation(self.settings), self.moment)
        return FileReport(found.place, "", {"read": 1, "quarantined": 1}, str(error), failed=True)

    def _completed(self, record: Article | Reject) -> Article | Reject:
        """A feed's article with its full text, where the feed carries hardly any."""
        if isinstance(record, Reject) or len(record.text) >= self.settings.full_text_below or not record.url:
            return record
        stored = self.archive.text_of(record.id)
        if stored is not None and len(stored) >= len(record.text):
            return replace(record, text=stored)  # it was completed before
        from narratives.ingest.pages import text_of_page

        self._be_polite(record.url)
        try:
            fetched = fetch(record.url, self.settings)
            whole = clean(text_of_page(fetched.payload or b"", record.url))[: self.settings.max_text_chars]
        except SourceError:
            return record
        return replace(record, text=whole) if len(whole) > len(record.text) else record

    def _be_polite(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        asked: dict[str, float] = self.__dict__.setdefault("_asked", {})
        rest = asked.get(host, 0.0) + _POLITE_SECONDS - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        asked[host] = time.monotonic()

    def _note_success(self, place: str, fetched: Fetched | None) -> None:
        if fetched is None:
            return
        state = {"checked_at": self._now(), "n_failures": 0, "last_error": None}
        if fetched.payload is not None or fetched.etag or fetched.modified:
            state |= {"etag": fetched.etag or None, "modified": fetched.modified or None}
        self.archive.set_feed_state(place, **state)

    def _note_failure(self, place: str, error: Exception) -> None:
        failures = self.archive.feed_state(place).get("n_failures") or 0
        self.archive.set_feed_state(
            place, checked_at=self._now(), n_failures=failures + 1, last_error=str(error)[:1000]
        )

    def _now(self) -> datetime:
        return self.moment.astimezone(UTC).replace(tzinfo=None)
