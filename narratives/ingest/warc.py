"""WARC files of a crawler: the article of each page that answered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.pages import article_of_page
from narratives.ingest.sources import Source, SourceError


def recognises(source: Source) -> bool:
    """It begins with a WARC version."""
    return source.head.startswith(b"WARC/")


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the records; what is no page that answered well is passed over.

    A record that is longer than it says is read as far as it says, and its rest is rejected.

    Raises
    ------
    SourceError
        It is damaged, or the extra `feeds` is not installed.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ModuleNotFoundError as error:
        raise SourceError("missing-extra", "WARC files need warcio: pip install 'narratives[feeds]'") from error
    limit = context.settings.max_record_bytes
    number = 0
    try:
        with source.opened() as stream:
            records = ArchiveIterator(stream)
            while True:
                n_wrong = records.err_count
                with redirect_stderr(io.StringIO()):  # there it writes what it passes over
                    record = next(records, None)
                if records.err_count > n_wrong:
                    message = f"record {number} is longer than its Content-Length says: its end was not read"
                    yield Reject(f"{source.name}#{number}", "truncated", message, "")
                if record is None:
                    break
                number += 1
                if record.rec_type != "response" or record.http_headers is None:
                    continue
                kind = (record.http_headers.get_header("Content-Type") or "").casefold()
                if "html" not in kind or not record.http_headers.get_statuscode().startswith("2"):
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                origin = f"{source.name}#{number}"
                page = record.content_stream().read(limit + 1)
                if len(page) > limit:
                    message = f"the page of {url} is larger than ingest.max_record_bytes ({limit:,})"
                    yield Reject(origin, "too-long", message, url)
                    continue
                yield article_of_page(page, context, origin, url.strip("<>"))
    except (ArchiveLoadFailed, ValueError, UnicodeDecodeError, AttributeError) as error:
        raise SourceError("truncated", f"{source.name} cannot be read after record {number}: {error}") from error
