"""The readers, and which of them reads a source: decided by what is in it, not by what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from narratives.articles import Article, Reject
from narratives.ingest import (
    feeds,
    json_documents,
    json_feeds,
    jsonlines,
    opml,
    pages,
    parquet,
    search_export,
    services,
    tables,
    warc,
)
from narratives.ingest.fields import Context
from narratives.ingest.sources import Source


@dataclass(frozen=True)
class Reader:
    """One format.

    Parameters
    ----------
    name
        Shown in reports, and what `--format` takes.
    about
        One line for the help.
    recognises
        Whether a source is of this format; looks at its head alone.
    read
        Gives articles and rejects, one for each record; raises `SourceError` for a source that cannot be read
        as a whole.
    addresses
        Of a format that only leads to others: the addresses to read in its place.
    """

    name: str
    about: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Context], Iterator[Article | Reject]]
    addresses: Callable[[Source], list[str]] | None = None


# In the order in which they are asked.
READERS: tuple[Reader, ...] = (
    Reader("parquet", "Parquet table", parquet.recognises, parquet.read),
    Reader("warc", "WARC file of a crawler", warc.recognises, warc.read),
    Reader("opml", "OPML list of feeds", opml.recognises, opml.read, opml.addresses),
    Reader("feed", "RSS, Atom or RDF feed", feeds.recognises, feeds.read),
    Reader("page", "saved HTML page", pages.recognises, pages.read),
    Reader("json-feed", "JSON Feed", json_feeds.recognises, json_feeds.read),
    Reader("gdelt", "GDELT DOC article list", services.GDELT.recognises, services.GDELT.read),
    Reader(
        "event-registry",
        "Event Registry export",
        services.EVENT_REGISTRY.recognises,
        services.EVENT_REGISTRY.read,
    ),
    Reader("media-cloud", "Media Cloud export", services.MEDIA_CLOUD.recognises, services.MEDIA_CLOUD.read),
    Reader("jsonl", "JSON Lines, one article a line", jsonlines.recognises, jsonlines.read),
    Reader(
        "json",
        "JSON list of articles, or an object that holds one",
        json_documents.recognises,
        json_documents.read,
    ),
    Reader("search-export", "text export of a search", search_export.recognises, search_export.read),
    Reader("table", "CSV, TSV or another delimited table", tables.recognises, tables.read),
)


def reader_for(source: Source) -> Reader | None:
    """The first reader that recognises a source; None when none does.

    Raises
    ------
    SourceError
        The source cannot be opened or unpacked.
    """
    return next((reader for reader in READERS if reader.recognises(source)), None)


def reader_named(name: str) -> Reader:
    """The reader of a name.

    Raises
    ------
    ValueError
        There is none; the message lists those there are.
    """
    for reader in READERS:
        if reader.name == name:
            return reader
    raise ValueError(f"no reader is called {name!r}; there are {', '.join(reader.name for reader in READERS)}")
