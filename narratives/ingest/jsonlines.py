"""JSON Lines: one JSON object a line, fields by any common name."""

from __future__ import annotations

import json
from collections.abc import Iterator

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, article_from_record, clean
from narratives.ingest.sources import Line, Source, detect_encoding


def recognises(source: Source) -> bool:
    """Its first two lines begin JSON objects (one line is enough in a file named `.jsonl` or `.ndjson`)."""
    head = source.text_head.lstrip()
    if not head.startswith("{"):
        # A torn first line costs that line, if there are sound ones.
        return source.suffix in (".jsonl", ".ndjson") and "\n{" in head
    if source.suffix in (".jsonl", ".ndjson"):
        return True
    first, _, rest = head.partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return rest.lstrip()[:1] == "{"


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the lines; blank lines are passed over."""
    for line in _lines(source):
        origin = f"{source.name}:{line.number}"
        if line.too_long:
            limit = context.settings.max_record_bytes
            message = f"the line has {line.n_bytes:,} bytes, more than ingest.max_record_bytes ({limit:,})"
            yield Reject(origin, "too-long", message, clean(line.content.decode("utf-8", "replace")))
            continue
        if not line.content.strip(b" \t\r\x00"):
            continue
        try:
            text = decoded(line.content, source)
        except UnicodeDecodeError as error:
            message = f"byte {error.start + 1} of the line is not {source.encoding}: save the file as UTF-8"
            yield Reject(origin, "encoding", message, clean(line.content.decode("utf-8", "replace")))
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Reject(origin, "bad-json", f"not JSON: {error}", clean(text))
            continue
        if not isinstance(record, dict):
            yield Reject(origin, "bad-json", f"not a JSON object but {type(record).__name__}", clean(text))
            continue
        yield article_from_record(record, context, origin)


def _lines(source: Source) -> Iterator[Line]:
    if source.encoding in ("utf-16", "utf-32"):
        for number, text in enumerate(source.text().split("\n"), 1):
            raw = text.encode("utf-8", "surrogatepass")
            yield Line(number, raw, n_bytes=len(raw))
    else:
        yield from source.lines()


def decoded(raw: bytes, source: Source) -> str:
    """A line as text: UTF-8, else the file's encoding, or what it looks like where the head is ASCII.

    Raises
    ------
    UnicodeDecodeError
        It is none of them.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        encoding = source.encoding
        if encoding.startswith("utf-") and source.head.isascii():
            encoding = detect_encoding(raw)
        if encoding.startswith("utf-"):
            raise
        return raw.decode(encoding)
