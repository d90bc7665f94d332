"""What an ingest did: result objects whose counts always add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

COUNTS = ("read", "accepted", "superseded", "repeated", "quarantined", "reprints")


@dataclass(frozen=True)
class FileReport:
    """What became of one file or address.

    Parameters
    ----------
    name
        Path or address.
    reader
        Name of the reader; empty when the file was passed over.
    counts
        n of read, accepted, superseded, repeated, quarantined and reprints.
        read = accepted + superseded + repeated + quarantined; reprints are among the accepted.
    note
        Why it was passed over, which encoding was detected, and the like.
    failed
        It could not be read as a whole (a missing extra, a server that does not answer, a torn file).
    """

    name: str
    reader: str
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    failed: bool = False

    def __post_init__(self) -> None:
        n = Counter(self.counts)
        n_out = n["accepted"] + n["superseded"] + n["repeated"] + n["quarantined"]
        if n["read"] != n_out:
            raise ValueError(f"{self.name}: {n['read']} records came in, {n_out} are accounted for")


@dataclass(frozen=True)
class IngestReport:
    """What became of all files and addresses of one call."""

    files: tuple[FileReport, ...]

    @property
    def counts(self) -> dict[str, int]:
        """n of read, accepted, superseded, repeated, quarantined and reprints over all files."""
        total = Counter(dict.fromkeys(COUNTS, 0))
        for file in self.files:
            total.update(file.counts)
        return {name: total[name] for name in COUNTS}

    @property
    def n_new(self) -> int:
        """Articles that the archive did not have in this version."""
        counts = self.counts
        return counts["accepted"] + counts["superseded"]

    def __str__(self) -> str:
        counts = self.counts
        return (
            f"{counts['read']:,} records: {counts['accepted']:,} accepted "
            f"({counts['reprints']:,} of them reprints), "
            f"{counts['superseded']:,} superseded, {counts['repeated']:,} repeated, "
            f"{counts['quarantined']:,} quarantined"
        )
