"""CSV, TSV and the like: a header line, columns by any common name."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, article_from_record, clean, columns_of
from narratives.ingest.jsonlines import decoded
from narratives.ingest.sources import Source, SourceError

_DELIMITERS = (",", "\t", ";", "|")


def recognises(source: Source) -> bool:
    """Its first line has columns, and two of them at least by names that are known (or the name says CSV)."""
    header = header_of(source)
    return len(header) > 1 and (len(columns_of(header, {})) >= 2 or source.suffix in (".csv", ".tsv", ".tab"))


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the rows.

    Raises
    ------
    SourceError
        No column serves as title or text, or none as date.
    """
    header = header_of(source)
    columns = columns_of(header, context.mapping)
    check_columns(source, header, columns)
    limit = context.settings.max_record_bytes
    csv.field_size_limit(limit)
    rejects: list[Reject] = []
    lines = _Lines(source, context, rejects)
    rows = csv.reader(lines, delimiter=_delimiter(source))
    is_header = True
    while True:
        start = lines.number + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            yield Reject(f"{source.name}:{start}", "bad-row", f"not a row of CSV: {error}", clean(lines.last))
            continue
        finally:
            yield from rejects
            rejects.clear()
        if is_header:
            is_header = False
            continue
        if not any(cell.strip() for cell in row):
            continue
        origin = f"{source.name}:{start}"
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            message = f"{len(row)} cells under {len(header)} columns: quote cells that hold the delimiter"
            yield Reject(origin, "bad-row", message, clean(repr(row)))
            continue
        yield article_from_record(dict(zip(header, row, strict=False)), context, origin, columns)


class _Lines(Iterator[str]):
    """Decoded lines for the csv module; what cannot be a line becomes a reject and a blank line."""

    def __init__(self, source: Source, context: Context, rejects: list[Reject]) -> None:
        self._source, self._limit, self._rejects = source, context.settings.max_record_bytes, rejects
        self._lines = self._raw()
        self.number = 0
        self.last = ""

    def _raw(self) -> Iterator[tuple[int, str]]:
        source = self._source
        if source.encoding in ("utf-16", "utf-32"):
            for number, text in enumerate(source.text().split("\n"), 1):
                yield number, text.rstrip("\r")
            return
        for line in source.lines():
            origin = f"{source.name}:{line.number}"
            if line.too_long:
                message = f"a line of {line.n_bytes:,} bytes; ingest.max_record_bytes is {self._limit:,}"
                self._rejects.append(
                    Reject(origin, "too-long", message, clean(line.content.decode("utf-8", "replace")))
                )
                yield line.number, ""
                continue
            try:
                yield line.number, decoded(line.content, source)
            except UnicodeDecodeError as error:
                message = f"byte {error.start + 1} of the line is not {source.encoding}: save the file as UTF-8"
                self._rejects.append(
                    Reject(origin, "encoding", message, clean(line.content.decode("utf-8", "replace")))
                )
                yield line.number, ""

    def __next__(self) -> str:
        self.number, text = next(self._lines)
        self.last = text[:2000]
        return text + "\n"


def _first_line(source: Source) -> str:
    return next((line for line in source.text_head.splitlines() if line.strip()), "")


def _delimiter(source: Source) -> str:
    """The delimiter that gives the first line the most columns."""
    line = _first_line(source)
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def check_columns(source: Source, header: Sequence[str], columns: Mapping[str, list[str]]) -> None:
    """Refuse a table whose columns cannot give an article.

    Raises
    ------
    SourceError
        No column serves as title or text, or none as date.
    """
    if not (columns.get("title") or columns.get("text")) or not columns.get("published_at"):
        raise SourceError(
            "no-columns",
            f"no column of {source.name} was recognised as title or text, or none as date, "
            f"in {', '.join(header[:20])!r}: name them with --map title=… --map published_at=…",
        )


def header_of(source: Source) -> list[str]:
    """The names in the first line of a table; empty when it cannot be one."""
    line = _first_line(source)
    if not line or len(line) > 20_000 or "\x00" in line:
        return []
    try:
        cells = next(csv.reader([line], delimiter=_delimiter(source)), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]
