"""RSS, Atom and RDF feeds, from a file or as an address answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import struct_time
from typing import Any

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, as_raw, make_article
from narratives.ingest.markup import text_of_html
from narratives.ingest.sources import Source, SourceError

_FEED = re.compile(r"<(?:[\w-]+:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)
_DECLARATION = re.compile(rb"\A\s*<\?xml.*?\?>", re.DOTALL)
_CLOSED = re.compile(rb"</(?:[\w-]+:)?(?:rss|feed|rdf)\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL)


def recognises(source: Source) -> bool:
    """It is markup whose outermost element is a feed's."""
    head = source.text_head.lstrip()[:8_000]
    return head.startswith("<") and _FEED.search(head) is not None


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the feed; a feed that is cut short gives what it has and a reject.

    Raises
    ------
    SourceError
        It is no feed, or the extra `feeds` is not installed.
    """
    try:
        import feedparser
    except ModuleNotFoundError as error:
        raise SourceError("missing-extra", "feeds need feedparser: pip install 'narratives[feeds]'") from error
    raw = source.content()
    try:
        parsed = feedparser.parse(raw)
    except ValueError:  # the declared encoding is no name; without a declaration the bytes say what they are
        parsed = feedparser.parse(_DECLARATION.sub(b"", raw, count=1))
    if not parsed.entries and not parsed.feed:
        raise SourceError("bad-xml", f"{source.name} is no feed: {parsed.get('bozo_exception', 'nothing in it')}")
    outlet = text_of_html(str(dict(parsed.feed).get("title", "")))
    for number, entry in enumerate(parsed.entries, 1):
        yield _article(dict(entry), context, f"{source.name}#{number}", outlet)
    if not _CLOSED.search(raw[-4096:]):
        message = "the feed is cut short: entries after its last whole one are missing; fetch it again"
        yield Reject(f"{source.name}#end", "truncated", message, as_raw(raw[-200:].decode("utf-8", "replace")))


def _article(entry: dict[str, Any], context: Context, origin: str, outlet: str) -> Article | Reject:
    bodies = [str(part.get("value", "")) for part in entry.get("content", [])] + [str(entry.get("summary", ""))]
    texts = [text_of_html(body) for body in bodies if body]
    moments = [entry.get(name) for name in ("published", "updated", "created")]
    parsed = [entry.get(name) for name in ("published_parsed", "updated_parsed", "created_parsed")]
    published = next((moment for moment in moments if moment), None)
    article = make_article(
        context,
        origin,
        raw=lambda: as_raw(entry),
        title=text_of_html(str(entry.get("title", ""))),
        text=max(texts, key=len, default=""),
        published=published,
        source=str(entry.get("source", {}).get("title", "")) or outlet,
        url=str(entry.get("link", "")),
        lang=str(entry.get("language", "")),
    )
    # What we cannot read as a date, feedparser sometimes can (always in UTC).
    known = next((moment for moment in parsed if isinstance(moment, struct_time)), None)
    if isinstance(article, Reject) and article.reason == "bad-date" and known is not None:
        stamp = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00".format(*known[:6])
        entry = {**entry, "published": stamp}
        return _article({k: v for k, v in entry.items() if not k.endswith("_parsed")}, context, origin, outlet)
    return article
