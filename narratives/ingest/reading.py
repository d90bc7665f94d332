"""From a source to chunks of records, and what is found out about them: the part that needs no archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.registry import Reader
from narratives.ingest.sources import Source, SourceError
from narratives.language import declared_language
from narratives.settings import IngestSettings
from narratives.sketches import sketch_all

if TYPE_CHECKING:
    from narratives.archive import Prepared

Prepare = Callable[[Sequence[Article]], Sequence["Prepared"]]
NO_INPUT = ("unknown-format", "no-columns", "no-records")


@dataclass(frozen=True)
class Chunk:
    """Some records in the order of their source.

    Parameters
    ----------
    records
        Articles and rejects.
    found
        What is known already of articles, by their place in `records`.
    note
        Why the source was passed over; such a chunk has no records.
    """

    records: Sequence[Article | Reject]
    found: Mapping[int, Prepared] = field(default_factory=dict)
    note: str = ""


def read_chunks(
    source: Source,
    reader: Reader,
    context: Context,
    size: int,
    named: bool,
    skip: int = 0,
    completed: Callable[[Article | Reject], Article | Reject] | None = None,
) -> Iterator[Chunk]:
    """Chunks of at most `size` records; what cannot be read becomes a reject, never an exception.

    Parameters
    ----------
    named
        A person named this very file. Another that turns out to be no input is passed over with a note.
    skip
        So many records at the start are read and not given.
    completed
        Applied to each record.
    """
    records: list[Article | Reject] = []
    n_read = 0
    try:
        for record in reader.read(source, context):
            n_read += 1
            if n_read <= skip:
                continue
            records.append(completed(record) if completed is not None else record)
            if len(records) == size:
                yield Chunk(records)
                records = []
    except (SourceError, OSError) as error:
        reason = error.reason if isinstance(error, SourceError) else "unreadable"
        if not named and not n_read and reason in NO_INPUT:
            yield Chunk([], note=str(error))
            return
        records.append(Reject(source.name, reason, str(error), ""))
    except Exception as error:  # a reader's own fault must cost that file alone, and be seen
        records.append(Reject(source.name, "reader-fault", f"the {reader.name} reader failed: {error!r}", ""))
    if records:
        yield Chunk(records)


def preparation(settings: IngestSettings, chunk: Chunk | None = None) -> Prepare:
    """The function that finds out articles' languages and sketches their texts, where the chunk does not know."""
    from narratives.archive import Prepared

    known = {id(chunk.records[i]): of_it for i, of_it in chunk.found.items()} if chunk is not None else {}

    def prepare(articles: Sequence[Article]) -> list[Prepared]:
        if all(id(a) in known for a in articles):
            return [known[id(a)] for a in articles]
        said = [a.text if len(a.text) >= 20 else f"{a.title}\n{a.text}" for a in articles]
        langs = [declared_language(a.lang, text, settings.languages) for a, text in zip(articles, said, strict=True)]
        sketches = sketch_all([a.title for a in articles], [a.text for a in articles])
        return [Prepared(lang, sketch) for lang, sketch in zip(langs, sketches, strict=True)]

    return prepare
