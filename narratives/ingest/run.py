"""Ingest: read every source in a fixed order and hand its records to the archive in chunks."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from narratives.articles import Article, Reject
from narratives.duplicates import ReprintIndex
from narratives.ingest.discovery import Found, find_sources
from narratives.ingest.fetch import Fetched, fetch
from narratives.ingest.fields import Context, clean
from narratives.ingest.registry import Reader, reader_for
from narratives.ingest.reports import FileReport, IngestReport
from narratives.ingest.sources import Source, SourceError
from narratives.language import declared_language
from narratives.settings import IngestSettings, Settings
from narratives.sketches import sketch_all

if TYPE_CHECKING:
    from narratives.archive import Archive, Prepared

CHUNK = 500
Prepare = Callable[[Sequence[Article]], Sequence["Prepared"]]
Progress = Callable[[str, int], None]
_FEEDS = ("feed", "json-feed")
_NO_INPUT = ("unknown-format", "no-columns", "no-records")
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
    with archive.lock("narratives ingest"):
        index = archive.reprint_index(settings.ingest.reprint_window_days, settings.ingest.reprint_similarity)
        run = _Run(archive, settings.ingest, index, mapping or {}, now or datetime.now(UTC), progress)
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

        def records() -> Iterator[Article | Reject]:
            n_read = 0
            try:
                context = Context(self.settings, self.mapping, source.modified_at, self.moment)
                for record in reader.read(source, context):
                    n_read += 1
                    is_feed = found.is_address and reader.name in _FEEDS
                    yield self._completed(record) if is_feed else record
            except (SourceError, OSError) as error:
                reason = error.reason if isinstance(error, SourceError) else "unreadable"
                if not found.named and not n_read and reason in _NO_INPUT:
                    notes.append(str(error))
                    return
                yield Reject(found.place, reason, str(error), "")
            except Exception as error:  # a reader's own fault must cost that file alone, and be seen
                yield Reject(found.place, "reader-fault", f"the {reader.name} reader failed: {error!r}", "")

        prepare = preparation(self.settings)
        for chunk in _chunked(records()):
            outcomes = self.archive.take_in(chunk, self.index, prepare, self.moment)
            counts["read"] += len(chunk)
            counts.update(outcome.kind for outcome in outcomes)
            counts["reprints"] += sum(outcome.is_reprint for outcome in outcomes)
            if self.progress is not None:
                self.progress(found.place, counts["read"])
        if not counts["read"] and not notes and reader.addresses is None:
            notes.append("no records in it")
        return FileReport(found.place, reader.name if counts["read"] else "", dict(counts), "; ".join(notes))

    def _whole_reject(self, found: Found, error: Exception) -> FileReport:
        reason = error.reason if isinstance(error, SourceError) else "unreadable"
        if not found.named and reason in _NO_INPUT:
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


def preparation(settings: IngestSettings) -> Prepare:
    """The function that finds out articles' languages and sketches their texts."""
    from narratives.archive import Prepared

    def prepare(articles: Sequence[Article]) -> list[Prepared]:
        said = [a.text if len(a.text) >= 20 else f"{a.title}\n{a.text}" for a in articles]
        langs = [declared_language(a.lang, text, settings.languages) for a, text in zip(articles, said, strict=True)]
        sketches = sketch_all([a.title for a in articles], [a.text for a in articles])
        return [Prepared(lang, sketch) for lang, sketch in zip(langs, sketches, strict=True)]

    return prepare


def _chunked(records: Iterable[Article | Reject]) -> Iterator[list[Article | Reject]]:
    chunk: list[Article | Reject] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
