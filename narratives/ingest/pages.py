"""Saved web pages: the article of an HTML file, its text by trafilatura."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, make_article
from narratives.ingest.sources import Source, SourceError, detect_encoding

_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|article|meta)[\s>]", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_DATES = (
    "article:published_time", "og:published_time", "datepublished", "pubdate", "publishdate", "publish_date",
    "publishtime", "apub:time", "date", "dc.date", "dc.date.issued", "dcterms.created", "sailthru.date",
    "parsely-pub-date", "weibo: article:create_at",
)  # fmt: skip


def recognises(source: Source) -> bool:
    """It is markup with the elements of a page."""
    head = source.text_head.lstrip()[:8_000]
    return head.startswith("<") and _PAGE.search(head) is not None


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """The page's article, or a reject."""
    yield article_of_page(source.content(), context, source.name, source.name if source.payload is not None else "")


def article_of_page(raw: bytes, context: Context, origin: str, url: str = "") -> Article | Reject:
    """The article of a page.

    Parameters
    ----------
    raw
        The page's bytes; its encoding is the one it declares, else the detected one.
    url
        Where it was; else the address that the page names as its own.

    Raises
    ------
    SourceError
        The extra `feeds` is not installed.
    """
    page = _decoded(raw)
    said = _Said()
    with suppress(AssertionError, ValueError):  # what it said before it was torn is kept
        said.feed(page)
    found = _extracted(page, url)
    names = said.names
    published = next((names[name] for name in _DATES if names.get(name)), None) or found.get("date")
    return make_article(
        context,
        origin,
        raw=page[:20_000],
        title=names.get("og:title") or found.get("title") or names.get("title", ""),
        text=found.get("text") or "",
        published=published or None,
        source=names.get("og:site_name") or found.get("sitename") or "",
        url=url or names.get("canonical") or names.get("og:url") or found.get("url") or "",
        lang=names.get("lang", ""),
    )


def text_of_page(raw: bytes, url: str = "") -> str:
    """The article's text of a page; empty where none is found.

    Raises
    ------
    SourceError
        The extra `feeds` is not installed.
    """
    return _extracted(_decoded(raw), url).get("text") or ""


def _extracted(page: str, url: str) -> dict[str, Any]:
    """What trafilatura finds in a page; empty for nothing."""
    try:
        from trafilatura import bare_extraction
    except ModuleNotFoundError as error:
        raise SourceError("missing-extra", "pages need trafilatura: pip install 'narratives[feeds]'") from error
    if not page.strip():
        return {}
    found = bare_extraction(page, url=url or None, with_metadata=True, include_comments=False)
    return {} if found is None else found if isinstance(found, dict) else found.as_dict()


def _decoded(raw: bytes) -> str:
    encoding = detect_encoding(raw[:65_536])
    declared = _CHARSET.search(raw[:4_096])
    if declared and not encoding.startswith("utf-"):
        name = declared.group(1).decode("ascii", "replace").casefold()
        encoding = {"gb2312": "gb18030", "gbk": "gb18030"}.get(name, name)
    try:
        return raw.decode(encoding, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


class _Said(HTMLParser):
    """What a page says of itself: meta elements, canonical address, language, JSON-LD dates."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.names: dict[str, str] = {}
        self._in: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (said.get("property") or said.get("name") or said.get("itemprop") or "").casefold()
            self._note(name, said.get("content", ""))
        elif tag == "link" and "canonical" in said.get("rel", "").casefold():
            self._note("canonical", said.get("href", ""))
        elif tag == "html":
            self._note("lang", said.get("lang", ""))
        elif tag == "time":
            self._note("pubdate", said.get("datetime", ""))
        elif tag == "title":
            self._in = "title"
        elif tag == "script" and said.get("type", "").casefold() == "application/ld+json":
            self._in = "ld+json"

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "title":
            self._note("title", data)
        elif self._in == "ld+json":
            try:
                self._note("datepublished", _find(json.loads(data), "datePublished"))
            except (ValueError, RecursionError):
                return

    def _note(self, name: str, value: str) -> None:
        if name and value.strip():
            self.names.setdefault(name, value.strip())


def _find(document: Any, key: str, depth: int = 0) -> str:
    """The first text under a key anywhere in a JSON document."""
    if isinstance(document, dict):
        if isinstance(document.get(key), str):
            return str(document[key])
        document = list(document.values())
    if isinstance(document, list) and depth < 6:
        return next((found for item in document if (found := _find(item, key, depth + 1))), "")
    return ""
