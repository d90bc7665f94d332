"""JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Iterator

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, as_raw, make_article
from narratives.ingest.json_documents import load
from narratives.ingest.markup import text_of_html
from narratives.ingest.sources import Source, SourceError


def recognises(source: Source) -> bool:
    """It is a JSON object that names the version of a JSON Feed."""
    head = source.text_head.lstrip()
    return head.startswith("{") and "jsonfeed.org/version/" in head[:2_000].replace("\\/", "/")


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the feed.

    Raises
    ------
    SourceError
        It is not JSON, or has no list of items.
    """
    document = load(source)
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise SourceError("no-records", f"{source.name} is a JSON Feed without a list of items")
    outlet, lang = (str(document.get(name) or "") for name in ("title", "language"))
    for number, item in enumerate(items, 1):
        origin = f"{source.name}#{number}"
        if not isinstance(item, dict):
            yield Reject(origin, "bad-json", f"not a JSON object but {type(item).__name__}", as_raw(item))
            continue
        plain, markup, summary = (str(item.get(name) or "") for name in ("content_text", "content_html", "summary"))
        yield make_article(
            context,
            origin,
            raw=as_raw(item),
            title=text_of_html(str(item.get("title") or "")),
            text=plain or text_of_html(markup) or summary,
            published=item.get("date_published") or item.get("date_modified"),
            source=outlet,
            url=str(item.get("url") or item.get("external_url") or ""),
            lang=str(item.get("language") or lang),
        )
