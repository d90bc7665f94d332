"""Sketches: what is kept of a text to find its copies.

MinHash values (one permutation, densified) over the character shingles of the whole text and, apart, of its lead.

References
----------
Broder, On the resemblance and containment of documents, 1997.
Li, Owen and Zhang, One permutation hashing, 2012.
Shrivastava and Li, Densifying one permutation hashing via rotation, 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from narratives.characters import Codes, folded

N_BODY, N_LEAD = 128, 64  # values kept; the first of them make the bands
_HAN_SHINGLE, _OTHER_SHINGLE = 4, 9  # characters
_HAN_LEAD, _OTHER_LEAD = 160, 420  # characters
_MAX_CHARS = 20_000  # what stands after that does not tell a copy
_SHORT_CHARS = 60  # a text below this is sketched with its title
_FACTORS = [np.uint64(pow(0x9E3779B97F4A7C15, k + 1, 2**64)) for k in range(max(_HAN_SHINGLE, _OTHER_SHINGLE))]

Values = NDArray[np.uint16]


@dataclass(frozen=True)
class Sketch:
    """What is kept of a text to find its copies.

    Parameters
    ----------
    n_shingles
        Shingles of the whole text (with repetitions); 0 when there was too little to say anything.
    n_lead
        Shingles of its lead.
    values
        uint16, shape (192,): 128 minima over the whole text, then 64 over its lead.
    """

    n_shingles: int
    n_lead: int
    values: Values

    def to_bytes(self) -> bytes:
        """390 bytes, little-endian."""
        sizes = self.n_shingles.to_bytes(4, "little") + self.n_lead.to_bytes(2, "little")
        return sizes + self.values.astype("<u2").tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Sketch:
        """The sketch that `to_bytes` wrote.

        Raises
        ------
        ValueError
            The length is not that of a sketch.
        """
        expected = 6 + 2 * (N_BODY + N_LEAD)
        if len(raw) != expected:
            raise ValueError(f"a sketch has {expected} bytes, got {len(raw)}")
        n_shingles, n_lead = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:6], "little")
        return cls(n_shingles, n_lead, np.frombuffer(raw, "<u2", offset=6).astype(np.uint16))


def sketch(title: str, text: str) -> Sketch:
    """Sketch of one article; the title counts only where the text is shorter than 60 characters.

    >>> a = sketch("", "稀土永磁材料的出口许可证自本月起恢复发放，欧洲的厂家称库存已经见底。" * 2)
    >>> b = sketch("另一个标题", "稀土永磁材料的出口許可證自本月起恢復發放，歐洲的廠家稱庫存已經見底。" * 2)
    >>> similarity(a, b)
    1.0
    """
    codes = folded(text[:_MAX_CHARS])
    if len(codes) < _SHORT_CHARS:
        codes = np.concatenate([folded(title[:_MAX_CHARS]), codes])
    width, lead = shingle_width(codes)
    hashes = _shingle_hashes(codes, width)
    opening = hashes[: lead - width + 1]
    values = np.concatenate([_minima(hashes, N_BODY), _minima(opening, N_LEAD)])
    return Sketch(len(hashes), len(opening), values)


def shingle_width(codes: Codes) -> tuple[int, int]:
    """Characters of a shingle and of a lead: Chinese says in four characters what takes nine letters."""
    start = codes[:400]
    n_han = int(((start >= 0x3400) & (start <= 0x9FFF)).sum())
    return (_HAN_SHINGLE, _HAN_LEAD) if n_han > 0.3 * len(start) else (_OTHER_SHINGLE, _OTHER_LEAD)


def similarity(a: Sketch, b: Sketch) -> float:
    """Estimated Jaccard similarity of the shingles of two texts, 0 to 1; standard error at most .044."""
    if not a.n_shingles or not b.n_shingles:
        return 0.0
    return float(np.mean(a.values[:N_BODY] == b.values[:N_BODY]))


def _shingle_hashes(codes: Codes, width: int) -> NDArray[np.uint64]:
    """Hash of each run of `width` characters; shape (len - width + 1,), empty for a shorter text."""
    n = len(codes) - width + 1
    if n <= 0:
        return np.empty(0, np.uint64)
    wide = codes.astype(np.uint64)
    mixed = np.zeros(n, np.uint64)
    for k in range(width):
        mixed += wide[k : k + n] * _FACTORS[k]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _minima(hashes: NDArray[np.uint64], n: int) -> Values:
    """The smallest hash of each of `n` equal ranges, its low 16 bits; zeros for no hashes.

    A range without any takes the value of the next one that has some, marked by how far it had to go.
    """
    if not len(hashes):
        return np.zeros(n, np.uint16)
    ordered = np.sort(hashes)
    starts = np.searchsorted(ordered, _ranges(n))
    is_filled = np.append(starts[1:], len(ordered)) > starts
    filled = np.flatnonzero(is_filled)
    source = np.searchsorted(filled, np.arange(n)) % len(filled)
    distance = (filled[source] - np.arange(n)) % n
    return (
        (ordered[starts[filled[source]]] + distance.astype(np.uint64) * np.uint64(0x9E37)) & np.uint64(0xFFFF)
    ).astype(np.uint16)


@lru_cache(maxsize=4)
def _ranges(n: int) -> NDArray[np.uint64]:
    """Where each of `n` equal ranges of the 64-bit numbers begins."""
    return np.array([(2**64 * i) // n for i in range(n)], np.uint64)
