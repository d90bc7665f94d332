"""The readers, and which of them reads a source: decided by what is in it, not by what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from narratives.articles import Article, Reject
from narratives.ingest import feeds, json_documents, jsonlines, search_export, tables
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
    """

    name: str
    about: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Context], Iterator[Article | Reject]]


# In the order in which they are asked.
READERS: tuple[Reader, ...] = (
    Reader("feed", "RSS, Atom or RDF feed", feeds.recognises, feeds.read),
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
    raise ValueError(
        f"no reader is called {name!r}; there are {', '.join(reader.name for reader in READERS)}"
    )
