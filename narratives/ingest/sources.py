"""Where records come from: a file or an address, unpacked, with its encoding and bounded lines.

All of it is untrusted. A line or a document above the limits of the settings is never held in memory, a
packed file that grows without end is refused, and no byte sequence stops a reader.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from narratives.settings import IngestSettings

_HEAD_BYTES = 65_536
_SHOWN_BYTES = 400
_FREE_BYTES = 50_000_000  # unpacking so much is allowed whatever the ratio
_PACKED = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class SourceError(Exception):
    """A whole source cannot be read; `reason` is its code for the quarantine."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One line: its number from 1, its bytes without the line end, and whether it was above the limit."""

    number: int
    content: bytes
    too_long: bool = False
    n_bytes: int = 0


@dataclass(frozen=True)
class Source:
    """One file or the answer of one address.

    Parameters
    ----------
    name
        What origins begin with: the file's path or the address.
    settings
        Limits.
    path
        The file; None when `payload` is given.
    payload
        What an address answered.
    modified_at
        Aware instant from which relative dates are counted: the file's own date.
    """

    name: str
    settings: IngestSettings
    path: Path | None = None
    payload: bytes | None = None
    modified_at: datetime | None = None

    @classmethod
    def of_file(cls, path: Path, settings: IngestSettings) -> Source:
        """A file on disk.

        Raises
        ------
        OSError
            It is not there or may not be read.
        """
        place = path.absolute()
        modified = datetime.fromtimestamp(place.stat().st_mtime, UTC)
        return cls(str(place), settings, path=place, modified_at=modified)

    @property
    def suffix(self) -> str:
        """Last part of the file's name without what packing adds: `.csv` of `a.csv.gz`."""
        parts = [part.casefold() for part in Path(self.name.split("?")[0]).suffixes]
        while parts and parts[-1] in (".gz", ".zst", ".bz2", ".xz"):
            parts.pop()
        return parts[-1] if parts else ""

    @cached_property
    def head(self) -> bytes:
        """The first bytes, unpacked; empty for an empty source.

        Raises
        ------
        SourceError
            It cannot be unpacked.
        """
        with self.opened() as stream:
            return stream.read(_HEAD_BYTES)

    @cached_property
    def encoding(self) -> str:
        """The declared (byte order mark) or detected encoding; `utf-8` for plain ASCII."""
        return detect_encoding(self.head)

    @cached_property
    def text_head(self) -> str:
        """The first bytes as text."""
        return self.head.decode(self.encoding, "replace").lstrip("\ufeff")

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes as a stream.

        Raises
        ------
        SourceError
            It cannot be opened or unpacked, or grows beyond `max_expansion`.
        """
        try:
            with self._raw() as raw:
                magic = raw.read(8)
                raw.seek(0)
                kind = next((name for sign, name in _PACKED.items() if magic.startswith(sign)), None)
                if kind is None:
                    yield raw
                    return
                size = len(self.payload) if self.payload is not None else self.path.stat().st_size  # type: ignore[union-attr]
                limit = max(_FREE_BYTES, size * self.settings.max_expansion)
                with _unpacked(raw, kind) as stream:
                    yield io.BufferedReader(_Bounded(stream, limit, self.name), 262_144)
        except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
            raise SourceError("truncated", f"{self.name} cannot be unpacked to its end: {error}") from error
        except OSError as error:
            raise SourceError("unreadable", f"{self.name} cannot be read: {error}") from error

    @contextmanager
    def _raw(self) -> Iterator[IO[bytes]]:
        if self.payload is not None:
            yield io.BytesIO(self.payload)
        else:
            assert self.path is not None
            with self.path.open("rb") as file:
                yield file

    def lines(self) -> Iterator[Line]:
        """Lines of an 8-bit encoding, one after another; of one above `max_record_bytes` only the start.

        Raises
        ------
        SourceError
            It cannot be read to its end; what came before has been given.
        """
        limit = self.settings.max_record_bytes
        with self.opened() as stream:
            number = 0
            while raw := stream.readline(limit + 1):
                number += 1
                if number == 1 and raw.startswith(codecs.BOM_UTF8):
                    raw = raw[3:]
                if len(raw) <= limit or raw.endswith(b"\n"):
                    yield Line(number, raw.rstrip(b"\r\n"), n_bytes=len(raw))
                    continue
                size, shown = len(raw), raw[:_SHOWN_BYTES]
                while rest := stream.readline(1_048_576):
                    size += len(rest)
                    if rest.endswith(b"\n"):
                        break
                yield Line(number, shown, too_long=True, n_bytes=size)

    def content(self) -> bytes:
        """All bytes of a document.

        Raises
        ------
        SourceError
            It is larger than `max_document_bytes`, or cannot be read.
        """
        limit = self.settings.max_document_bytes
        with self.opened() as stream:
            found = stream.read(limit + 1)
        if len(found) > limit:
            raise SourceError(
                "too-long",
                f"{self.name} is larger than {limit:,} bytes (ingest.max_document_bytes): cut it up",
            )
        return found

    def text(self) -> str:
        """All of a document as text; bytes that are not in its encoding become U+FFFD."""
        raw = self.content()
        return raw.decode(detect_encoding(raw[: 4 * _HEAD_BYTES]), "replace").lstrip("\ufeff")


def detect_encoding(head: bytes) -> str:
    """The encoding of a text that begins so: byte order mark, UTF-8, else GB18030 or Big5.

    >>> detect_encoding("稀土價格上漲，磁鐵廠商表示庫存不足。".encode("big5"))
    'big5'
    >>> detect_encoding("稀土价格上涨，磁铁厂商表示库存不足。".encode("gb18030"))
    'gb18030'
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    # Mostly sound UTF-8 with a few bad bytes is still UTF-8.
    decoded = head.decode("utf-8", "replace")
    n_bad = decoded.count("\ufffd")
    if n_bad * 50 < sum(c > "\x7f" for c in decoded):
        return "utf-8"
    return max(("gb18030", "big5", "cp1252"), key=lambda name: _plausibility(head, name))


def _plausibility(head: bytes, encoding: str) -> float:
    """How much the bytes look like text when read in an encoding: common characters less impossible ones."""
    text = head.decode(encoding, "replace")
    foreign = [c for c in text if c > "\x7f"]
    if not foreign:
        return 0.0
    n_bad = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" for c in foreign)
    n_common = sum(c in _common() for c in foreign) if encoding != "cp1252" else 0.05 * len(foreign)
    if encoding == "cp1252":
        # Western letters stand alone between ASCII ones; Chinese bytes come in rows.
        n_common = sum(a < "\x80" and "\xc0" <= b <= "\xff" for a, b in pairwise(text))
    return (n_common - 5 * n_bad) / len(foreign)


def _common() -> frozenset[str]:
    return _COMMON


# The most frequent characters of Chinese news, both scripts, and its punctuation.
_COMMON = frozenset(
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過"
    "发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心"
    "本前开開但因只从從想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間"
    "由问問很最重并並物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世位"
    "次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變"
    "稀土矿礦价價格市场場企业業美元亿億万萬出口贸易貿經济濟报報导導記记者，。、：；？！“”（）《》「」"
)


class _Bounded(io.RawIOBase):
    """A stream that refuses to grow beyond a limit."""

    def __init__(self, stream: Any, limit: int, name: str) -> None:
        self._stream, self._left, self._limit, self._name = stream, limit, limit, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        self._left -= len(chunk)
        if self._left < 0:
            raise SourceError(
                "too-long", f"{self._name} unpacks to more than {self._limit:,} bytes (ingest.max_expansion)"
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def _unpacked(raw: IO[bytes], kind: str) -> Iterator[Any]:
    if kind == "gz":
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream
    elif kind == "bz2":
        with bz2.BZ2File(raw) as stream:
            yield stream
    elif kind == "xz":
        with lzma.LZMAFile(raw) as stream:
            yield stream
    else:
        import pyarrow

        with pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd") as stream:
            yield stream
