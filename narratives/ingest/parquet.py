"""Parquet files, columns by any common name."""

from __future__ import annotations

import io
from collections.abc import Iterator

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, article_from_record, columns_of
from narratives.ingest.sources import Source, SourceError
from narratives.ingest.tables import check_columns

_ROWS = 1_000


def recognises(source: Source) -> bool:
    """It begins with Parquet's mark."""
    return source.head.startswith(b"PAR1")


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the rows.

    Raises
    ------
    SourceError
        It is damaged, or no column serves as title or text, or none as date.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with source.opened() as stream:
            plain = source.path is not None and stream.seekable()
            file = parquet.ParquetFile(stream if plain else io.BytesIO(source.content()))
            names = file.schema_arrow.names
            columns = columns_of(names, context.mapping)
            check_columns(source, names, columns)
            served = list(dict.fromkeys(name for found in columns.values() for name in found))
            for batch in file.iter_batches(batch_size=_ROWS, columns=served):
                for row in batch.to_pylist():
                    number += 1
                    yield article_from_record(row, context, f"{source.name}#{number}", columns)
    except (pyarrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        raise SourceError("truncated", f"{source.name} cannot be read after row {number}: {error}") from error
