"""The text export of a search: a page header, then article after article.

An article is a title line, a line `SOURCE· YYYY-MM-DD HH:MM` (local time), and a body of any length. The line
of the source is the only mark there is: the line before it is a title, and whatever stands before the first
title is the page's own header. A title line may run on into a snippet of the body that ends in an ellipsis;
the title is then what a person would call it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, make_article
from narratives.ingest.sources import Source

_DATELINE = re.compile(
    r"^\s*(?P<source>\S.{0,80}?)\s*[·•・‧∙]\s*(?P<date>\d{4}-\d{1,2}-\d{1,2}\s+\d{1,2}:\d{2}(?::\d{2})?)\s*$"
)
_ELLIPSIS = re.compile(r"(?:\.{3,}|…+)\s*$")
_SENTENCE_END = re.compile(r"[。！？!?；;][”’\"')）」』]*")
_NOT_WORDS = re.compile(r"[\W_]+")
_MIN_SNIPPET = 12  # characters of a snippet that must be found in the body
_MAX_TITLE = 80


def recognises(source: Source) -> bool:
    """It has a line `SOURCE· YYYY-MM-DD HH:MM` with a line above it."""
    if source.text_head.lstrip()[:1] in ("{", "[", "<"):
        return False
    lines = source.text_head.splitlines()
    return any(_DATELINE.match(line) for line in lines[1:])


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles in the order of the file."""
    lines = source.text().splitlines()
    datelines = [(i, match) for i, line in enumerate(lines) if (match := _DATELINE.match(line))]
    titles = [_title_line(lines, i, datelines[k - 1][0] if k else -1) for k, (i, _) in enumerate(datelines)]
    for k, (i, match) in enumerate(datelines):
        end = len(lines)
        if k + 1 < len(datelines):
            end = titles[k + 1] if titles[k + 1] is not None else datelines[k + 1][0]  # type: ignore[assignment]
        start = titles[k]
        body = "\n".join(lines[i + 1 : end]).strip()
        heading = lines[start].strip() if start is not None else ""
        first = i if start is None else start
        yield make_article(
            context,
            f"{source.name}:{first + 1}",
            raw="\n".join(lines[first:end]),
            title=title_of(heading, body),
            text=body,
            published=match.group("date"),
            source=match.group("source"),
        )


def _title_line(lines: list[str], dateline: int, previous: int) -> int | None:
    """Index of the last line with text between two datelines; None when there is none."""
    return next((i for i in range(dateline - 1, previous, -1) if lines[i].strip()), None)


def title_of(heading: str, body: str) -> str:
    """The title in a title line that may run into a snippet of the body.

    >>> title_of("磁铁涨价!工厂停产?一个消息让行业竖起了耳朵...", "磁铁涨价!工厂停产? 一个消息让行业竖起了")
    '磁铁涨价!工厂停产?'
    >>> title_of("Magnet prices rise", "Carmakers wait.")
    'Magnet prices rise'
    """
    if not _ELLIPSIS.search(heading):
        return heading
    line = _ELLIPSIS.sub("", heading).strip()
    # The body often repeats the title and then leaves a blank: what stands before it is the title.
    opening = re.split(r"\s", body.strip(), maxsplit=1)[0]
    if len(_plain(opening)) >= 4 and len(opening) < len(line) and _plain(line).startswith(_plain(opening)):
        return _cut(line, len(_plain(opening)))
    ends = [match.end() for match in _SENTENCE_END.finditer(line) if match.end() < len(line)]
    plain_body = _plain(body)
    for end in ends:
        rest = _plain(line[end:])[:_MIN_SNIPPET]
        if len(rest) >= _MIN_SNIPPET and plain_body.startswith(rest):
            return line[:end].strip()
    # A heading that is only a snippet, or a shortened long title: its first sentence, if there is one.
    if ends and len(line) > _MAX_TITLE:
        return line[: ends[0]].strip()
    return line if ends and len(line) <= _MAX_TITLE else heading


def _plain(text: str) -> str:
    """Letters and digits alone: quotation marks and blanks differ between a title and its body."""
    return _NOT_WORDS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _cut(line: str, n_plain: int) -> str:
    """The start of a line that holds `n_plain` letters and digits, with the punctuation that closes it."""
    seen = 0
    for i, character in enumerate(line):
        if seen == n_plain and not _NOT_WORDS.fullmatch(character):
            return line[:i].strip()
        seen += len(_plain(character))
    return line
