"""Readable text of an HTML fragment, without its scripts and styles."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_HIDDEN = {"script", "style", "noscript", "template", "iframe", "object", "svg", "math", "head"}
_BLOCKS = {
    "p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table", "section",
    "article",     "blockquote", "figure", "figcaption", "header", "footer", "hr", "pre", "dd", "dt",
}  # fmt: skip
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_BLANKS = re.compile(r"[ \t\xa0\f\v]+")
_LINES = re.compile(r"\s*\n\s*")


def text_of_html(fragment: str) -> str:
    """Text of a fragment, a line a block; a fragment without markup comes back as it is.

    >>> text_of_html("<p>Rare <b>earth</b> &amp; magnets</p><script>x()</script><p>稀土</p>")
    'Rare earth & magnets\\n稀土'
    """
    if not _TAG.search(fragment):
        return fragment.strip()
    collector = _Collector()
    try:
        collector.feed(fragment)
        collector.close()
    except (AssertionError, ValueError):  # html.parser gives up on some torn declarations
        return html.unescape(_TAG.sub(" ", fragment)).strip()
    return _LINES.sub("\n", _BLANKS.sub(" ", "".join(collector.parts))).strip()


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))
