"""JSON documents: a list of records, or one record, or an object that holds a list of records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, article_from_record, as_raw, columns_of
from narratives.ingest.sources import Source, SourceError

_MAX_DEPTH = 4


def recognises(source: Source) -> bool:
    """It begins like a JSON object or list."""
    return source.text_head.lstrip()[:1] in ("{", "[")


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the document.

    Raises
    ------
    SourceError
        It is not JSON, or holds no list of records.
    """
    document = load(source)
    records = find_records(document, context)
    if records is None:
        raise SourceError("no-records", f"{source.name} is JSON, but holds no list of records with a title and a date")
    for number, record in enumerate(records, 1):
        origin = f"{source.name}#{number}"
        if isinstance(record, dict):
            yield article_from_record(record, context, origin)
        else:
            yield Reject(origin, "bad-json", f"not a JSON object but {type(record).__name__}", as_raw(record))


def load(source: Source) -> Any:
    """The document.

    Raises
    ------
    SourceError
        It is not JSON.
    """
    try:
        return json.loads(source.text())
    except (ValueError, RecursionError) as error:
        raise SourceError("bad-json", f"{source.name} is not JSON to its end: {error}") from error


def find_records(document: Any, context: Context, depth: int = 0) -> list[Any] | None:
    """The list of records in a document: itself, or the longest list of objects that it holds."""
    if isinstance(document, list):
        return document if not document or any(isinstance(item, dict) for item in document) else None
    if not isinstance(document, Mapping) or depth > _MAX_DEPTH:
        return None
    served = columns_of(document, context.mapping)
    if ("title" in served or "text" in served) and "published_at" in served:
        return [document]
    lists = [found for value in document.values() if (found := find_records(value, context, depth + 1)) is not None]
    return max(lists, key=len, default=None)
