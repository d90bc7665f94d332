"""The archive: the one place that talks to the database."""

from narratives.archive.articles import Articles, Outcome, Prepared
from narratives.archive.files import ArchiveBusy, ArchiveDamaged, ArchiveError, ArchiveReadOnly
from narratives.archive.history import History
from narratives.archive.store import Store


class Archive(Articles, History):
    """One archive, opened by `Archive.open`, made by `Archive.create`: its articles and their history."""


__all__ = [
    "Archive",
    "ArchiveBusy",
    "ArchiveDamaged",
    "ArchiveError",
    "ArchiveReadOnly",
    "Articles",
    "History",
    "Outcome",
    "Prepared",
    "Store",
]
