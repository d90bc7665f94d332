"""From a record with any common field names to an article, or to a reject that says what is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from narratives.articles import Article, Reject
from narratives.ingest.dates import parse_instant
from narratives.settings import IngestSettings

# Names a column may have, best first; compared without case, blanks, hyphens and underscores.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline", "标题", "標題", "题目", "subject", "articletitle", "newstitle"),
    "text": (
        "text", "content", "body", "正文", "内容", "內容", "全文", "fulltext", "articlebody", "articletext",
        "contenttext", "maintext", "summary", "description", "摘要", "snippet", "abstract",
    ),
    "published_at": (
        "publishedat", "published", "publishdate", "publisheddate", "publicationdate", "pubdate",
        "datepublished",
        "datetimepub", "datetime", "date", "发布时间", "發布時間", "发布日期", "发表时间", "日期", "时间",
        "時間",
        "seendate", "pubtime", "publishtime", "time", "timestamp", "createdat", "posted", "postedat",
        "created",
    ),
    "source": (
        "source", "sourcename", "publisher", "outlet", "media", "medianame", "来源", "來源", "媒体", "媒體",
        "site",
        "sitename", "website", "domain", "newspaper", "feed",
    ),
    "url": ("url", "link", "href", "链接", "鏈接", "網址", "网址", "articleurl", "permalink", "externalurl"),
    "lang": ("lang", "language", "语言", "語言", "sourcelang", "langcode", "locale"),
}  # fmt: skip
_FIELD_OF = {name: (target, rank) for target, names in _NAMES.items() for rank, name in enumerate(names)}
_IGNORED = re.compile(r"[\s_\-.]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# The same in one look, which is enough for nearly all texts; in ASCII the quickest look is to leave them out.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u2028\u2029\ud800-\udfff]")
_UNFIT_ASCII = bytes({*range(32), 127} - {9, 10, 13})
_WEB = re.compile(r"https?://", re.IGNORECASE)
TARGETS = tuple(_NAMES)
_MAX_FIELD_CHARS = 4_000  # of a title, source or address


@dataclass(frozen=True)
class Context:
    """What a reader needs besides its source.

    Parameters
    ----------
    settings
        Zone, limits.
    mapping
        Target field (title, text, published_at, source, url, lang) to the input's name of it.
    reference
        Aware instant from which relative dates are counted.
    now
        Aware instant; a date further ahead than `settings.max_future_days` is refused.
    """

    settings: IngestSettings
    mapping: Mapping[str, str] = field(default_factory=dict)
    reference: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.settings.default_timezone)


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """`["title=headline"]` as a mapping from our field to the input's.

    Raises
    ------
    ValueError
        A pair has no `=`, or the left side is none of our fields.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        target, sign, name = (part.strip() for part in pair.partition("="))
        if not sign or target not in TARGETS or not name:
            raise ValueError(f"--map takes FIELD=NAME with FIELD one of {', '.join(TARGETS)}; got {pair!r}")
        mapping[target] = name
    return mapping


def columns_of(names: Iterable[Any], mapping: Mapping[str, str]) -> dict[str, list[str]]:
    """Which input names serve which of our fields, best first; a mapped field is served by its name alone.

    >>> columns_of(["Headline", "Publish Date", "id"], {})
    {'title': ['Headline'], 'published_at': ['Publish Date']}
    """
    ranked: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        if not isinstance(name, str):
            continue
        for target, mapped in mapping.items():
            if name == mapped:
                ranked.setdefault(target, []).append((-1, name))
        found = _FIELD_OF.get(_IGNORED.sub("", name).casefold())
        if found is not None and found[0] not in mapping:
            ranked.setdefault(found[0], []).append((found[1], name))
    return {target: [name for _, name in sorted(found)] for target, found in ranked.items()}


@lru_cache(maxsize=1024)
def _columns_of(names: tuple[Any, ...], mapping: tuple[tuple[str, str], ...]) -> Mapping[str, list[str]]:
    return columns_of(names, dict(mapping))


def article_from_record(
    record: Mapping[str, Any],
    context: Context,
    origin: str,
    columns: Mapping[str, list[str]] | None = None,
) -> Article | Reject:
    """One record as an article.

    Parameters
    ----------
    record
        Names to values: text, numbers, dates, lists, nested records.
    columns
        What `columns_of` found, when all records of a file have the same names.
    """
    if columns is None:
        columns = _columns_of(tuple(record), tuple(sorted(context.mapping.items())))

    def first(target: str) -> str:
        return next((text for name in columns.get(target, ()) if (text := _text(record.get(name)))), "")

    moments = (record.get(name) for name in columns.get("published_at", ()))
    moment = next((value for value in moments if value is not None and value != "" and value == value), None)
    return make_article(
        context,
        origin,
        raw=lambda: as_raw(record),
        title=first("title"),
        text=first("text"),
        published=moment,
        source=first("source"),
        url=first("url"),
        lang=first("lang"),
    )


def make_article(
    context: Context,
    origin: str,
    raw: Any,
    title: str,
    text: str,
    published: Any,
    source: str = "",
    url: str = "",
    lang: str = "",
) -> Article | Reject:
    """Check the fields and make the article, or say what is wrong with them.

    `raw` is the record as it came, or a function that gives it: it is kept only with a reject.
    """

    def reject(reason: str, message: str) -> Reject:
        shown = raw() if callable(raw) else raw
        return Reject(origin, reason, message, clean(str(shown)))

    title, text, source, url = (clean(value) for value in (title, text, source, url))
    title, source = " ".join(title.split()), " ".join(source.split()) or host_of(url)
    if not title and not text:
        return reject("no-text", "neither a title nor a text was found; name the fields with --map title=… text=…")
    limit = context.settings.max_text_chars
    if len(text) > limit:
        return reject("too-long", f"the text has {len(text):,} characters, more than ingest.max_text_chars ({limit:,})")
    for name, value in (("title", title), ("source", source), ("url", url)):
        if len(value) > _MAX_FIELD_CHARS:
            return reject("too-long", f"the {name} has {len(value):,} characters, more than {_MAX_FIELD_CHARS:,}")
    if published is None or published == "":
        return reject("no-date", "no date of publication was found; name its field with --map published_at=…")
    try:
        moment = parse_instant(published, context.zone, context.reference, context.settings.slash_dates)
        ahead = moment - context.now
    except (ValueError, OverflowError) as error:
        return reject("bad-date", str(error))
    if ahead > timedelta(days=context.settings.max_future_days):
        return reject(
            "future-date",
            f"the date {moment.isoformat()} is {ahead.days:,} days ahead of this machine's clock, more than "
            f"ingest.max_future_days ({context.settings.max_future_days})",
        )
    return Article(title, text, moment, source, url, lang.strip()[:64], origin)


def host_of(url: str) -> str:
    """The server an address names, without `www.`; empty for anything else.

    >>> host_of("https://www.example.com/a?b")
    'example.com'
    """
    if not _WEB.match(url):
        return ""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def clean(text: str) -> str:
    """Text that any database and page can hold: no control characters, no lone surrogates, plain line ends.

    >>> clean(" a\\x00b\\r\\nc\\ud800 ")
    'ab\\nc\ufffd'
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode().translate(None, _UNFIT_ASCII)) != len(text) if text.isascii() else _UNFIT.search(text):
        text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
    return text.strip()


def as_raw(record: Any) -> str:
    """A record as JSON for the quarantine, cut at 20,000 characters."""
    try:
        return json.dumps(record, ensure_ascii=False, default=str)[:20_000]
    except (TypeError, ValueError, RecursionError):
        return repr(type(record))


def _text(value: Any) -> str:
    """A field's value as text; nested records give their name, lists their parts a line."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return value if value.strip() else ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if isinstance(value, int | float):
        return str(value) if abs(value) < 1e30 else ""
    if isinstance(value, Mapping):
        for name in ("text", "#text", "title", "name", "value", "rendered", "uri"):
            if isinstance(found := value.get(name), str) and found.strip():
                return found
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(part for item in value[:1000] if isinstance(item, str | int | float) and (part := _text(item)))
    return str(value)
