"""OPML: a list of feeds, each then read like a feed that was named itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.sources import Source, SourceError

_OPML = re.compile(r"<opml[\s>]", re.IGNORECASE)


def recognises(source: Source) -> bool:
    """It is markup with an `opml` element."""
    head = source.text_head.lstrip()[:4_000]
    return head.startswith("<") and _OPML.search(head) is not None


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """No articles of its own; `addresses` gives what it leads to."""
    return iter(())


def addresses(source: Source) -> list[str]:
    """The feeds' addresses in the order of the list, each once.

    Raises
    ------
    SourceError
        It is not well-formed, or declares entities (no list of feeds needs them, and they can be a bomb).
    """
    raw = source.content()
    if b"<!ENTITY" in raw or b"<!entity" in raw:
        raise SourceError("refused", f"{source.name} declares XML entities; take them out")
    try:
        root = ElementTree.fromstring(raw)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SourceError("bad-xml", f"{source.name} is not well-formed: {error}") from error
    found = (
        value.strip()
        for outline in root.iter("outline")
        for name, value in outline.attrib.items()
        if name.casefold() == "xmlurl" and value.strip()
    )
    return list(dict.fromkeys(found))
