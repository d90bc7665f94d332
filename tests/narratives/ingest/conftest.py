"""Fixtures of the ingest tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.registry import reader_for
from narratives.ingest.sources import Source, SourceError
from narratives.settings import IngestSettings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
Read = Callable[..., list[Article | Reject]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "desk" / "archive.sqlite") as made:
        yield made


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes (or text) into a file and read it with the reader that recognises it."""

    def _read(
        name: str,
        content: bytes | str,
        mapping: dict[str, str] | None = None,
        settings: IngestSettings | None = None,
    ) -> list[Article | Reject]:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        limits = settings or IngestSettings()
        source = Source.of_file(file, limits)
        reader = reader_for(source)
        assert reader is not None, f"no reader recognises {name}"
        return list(reader.read(source, Context(limits, mapping or {}, NOW, NOW)))

    return _read


def source_of(folder: Path, name: str, content: str | bytes) -> Source:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Source.of_file(file, IngestSettings())


def read_to_the_end(reader: object, source: Source) -> list[Article | Reject]:
    """All records of a source, each fit for a database; a whole-file error must say its reason."""
    records: list[Article | Reject] = []
    try:
        for record in reader.read(source, Context(IngestSettings(), now=NOW)):  # type: ignore[attr-defined]
            records.append(record)
        if reader.addresses is not None:  # type: ignore[attr-defined]
            reader.addresses(source)  # type: ignore[attr-defined]
    except SourceError as error:
        assert error.reason and str(error)
    for record in records:
        if isinstance(record, Article):
            stored = record.title + record.text + record.source + record.url + record.lang
        else:
            assert record.reason and record.message
            stored = record.message + record.raw
        stored.encode("utf-8")
        assert "\x00" not in stored
    return records
