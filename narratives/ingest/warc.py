"""WARC files of a crawler: the article of each page that answered."""

from __future__ import annotations

from collections.abc import Iterator

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.pages import article_of_page
from narratives.ingest.sources import Source, SourceError


def recognises(source: Source) -> bool:
    """It begins with a WARC version."""
    return source.head.startswith(b"WARC/")


def read(source: Source, context: Context) -> Iterator[Article | Reject]:
    """Articles and rejects in the order of the records; what is no page that answered well is passed over.

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
            for record in ArchiveIterator(stream):
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
