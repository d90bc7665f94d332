"""Exports of news services: GDELT DOC article lists, Event Registry, Media Cloud; as JSON, JSON Lines or CSV.

They are ordinary JSON and tables, with two things that a general reader cannot know: which of their fields is
which, and that a time without a zone is UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from narratives.articles import Article, Reject
from narratives.ingest import json_documents, jsonlines, tables
from narratives.ingest.fields import Context
from narratives.ingest.sources import Source


@dataclass(frozen=True)
class Service:
    """One service.

    Parameters
    ----------
    signs
        Field names; the start of an export holds all names of one of the sets.
    mapping
        Our field to the service's name of it.
    """

    signs: tuple[frozenset[str], ...]
    mapping: dict[str, str]

    def recognises(self, source: Source) -> bool:
        """The source is JSON or a table with the signs of this service."""
        head = source.text_head
        if head.lstrip()[:1] in ("{", "["):
            return any(all(f'"{sign}"' in head for sign in signs) for signs in self.signs)
        header = set(tables.header_of(source))
        return any(signs <= header for signs in self.signs)

    def read(self, source: Source, context: Context) -> Iterator[Article | Reject]:
        """Articles and rejects in the order of the export."""
        in_utc = context.settings.model_copy(update={"default_timezone": "UTC"})
        context = replace(context, settings=in_utc, mapping={**self._present(source), **context.mapping})
        readers: tuple[Any, ...] = (jsonlines, json_documents, tables)
        reader = next((reader for reader in readers if reader.recognises(source)), tables)
        yield from reader.read(source, context)

    def _present(self, source: Source) -> dict[str, str]:
        return {target: name for target, name in self.mapping.items() if name in source.text_head}


GDELT = Service(
    (frozenset({"seendate", "domain"}), frozenset({"URL", "MobileURL", "Date", "Title"})),
    {"published_at": "seendate", "source": "domain", "lang": "language", "url": "url", "title": "title"},
)
EVENT_REGISTRY = Service(
    (frozenset({"dateTimePub", "body"}), frozenset({"isDuplicate", "body", "uri"})),
    {"published_at": "dateTimePub", "text": "body", "lang": "lang"},
)
MEDIA_CLOUD = Service(
    (frozenset({"publish_date", "media_name", "media_url"}), frozenset({"stories_id", "publish_date"})),
    {"published_at": "publish_date", "source": "media_name", "lang": "language"},
)
