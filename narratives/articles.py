"""The article record: what every reader must produce, its checks and its normal form."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property


def matching_form(text: str) -> str:
    """Normal form used for hashing and comparing, never for showing.

    Full-width and compatibility characters are folded (NFKC), case is folded, runs of white space become one
    blank.

    >>> matching_form("ＮｄＦｅＢ　磁体\\n export")
    'ndfeb 磁体 export'
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.split()).casefold()


def short_hash(*parts: str, n_hex: int = 16) -> str:
    """Hash of several strings, `n_hex` hexadecimal digits (4 bits each) of SHA-256.

    >>> short_hash("a", "b") == short_hash("a", "b") != short_hash("ab", "")
    True
    """
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:n_hex]


@dataclass(frozen=True)
class Article:
    """One article as a reader hands it over.

    Parameters
    ----------
    title, text
        As published; at least one of them is not blank. Evidence offsets refer to `text`.
    published_at
        An aware instant. Its own offset is kept in the archive, the instant is stored in UTC.
    source
        Outlet as the file names it; may be empty.
    url
        May be empty.
    lang
        Language tag if the input declares one, else empty (the archive's ingest then detects it).
    origin
        Where it came from: `file:line`, `file#record` or a feed's address.

    Raises
    ------
    ValueError
        Title and text are both blank, or `published_at` has no offset.
    """

    title: str
    text: str
    published_at: datetime
    source: str = ""
    url: str = ""
    lang: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.title.strip() and not self.text.strip():
            raise ValueError("an article needs a title or a text, got neither")
        if self.published_at.tzinfo is None:
            raise ValueError(f"published_at needs an offset, got the naive {self.published_at.isoformat()}")

    @cached_property
    def id(self) -> str:
        """Identity across versions: source and address, or source, title and day where no address is given."""
        place = self.url.strip()
        if not place:
            day = self.published_at.astimezone(UTC).date().isoformat()
            place = f"{matching_form(self.title) or matching_form(self.text)[:200]}|{day}"
        return short_hash(matching_form(self.source), place)

    @cached_property
    def content_hash(self) -> str:
        """Hash of what it says: the same text under another source has the same one."""
        return short_hash(matching_form(self.title), matching_form(self.text), n_hex=32)


@dataclass(frozen=True)
class Reject:
    """A record that cannot become an article, with a reason code and a message that a person can act on."""

    origin: str
    reason: str
    message: str
    raw: str
