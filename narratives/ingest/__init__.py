"""Reading: from files, folders and feeds to articles in the archive."""

from narratives.ingest.fields import parse_mapping
from narratives.ingest.registry import READERS, Reader, reader_for
from narratives.ingest.reports import FileReport, IngestReport
from narratives.ingest.retry import retry_quarantine
from narratives.ingest.run import ingest_paths

__all__ = [
    "READERS",
    "FileReport",
    "IngestReport",
    "Reader",
    "ingest_paths",
    "parse_mapping",
    "reader_for",
    "retry_quarantine",
]
