"""Sketches: what is kept of a text to find its copies.

MinHash values (one permutation, densified) over the character shingles of the whole text and, apart, of its lead.

References
----------
Broder, On the resemblance and containment of documents, 1997.
Li, Owen and Zhang, One permutation hashing, 2012.
Shrivastava and Li, Densifying one permutation hashing via rotation, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.characters import Codes, folded, folded_all

N_BODY, N_LEAD = 128, 64  # values kept; the first of them make the bands
_HAN_SHINGLE, _OTHER_SHINGLE = 4, 9  # characters
_HAN_LEAD, _OTHER_LEAD = 160, 420  # characters
_MAX_CHARS = 20_000  # what stands after that does not tell a copy
_SHORT_CHARS = 60  # a text below this is sketched with its title
_BLOCK_CHARS = 60_000  # worked on at once: what fits into a processor's cache
_FACTOR = 0x9E3779B97F4A7C15
_NOTHING = np.uint64(2**64 - 1)

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
    return sketch_all([title], [text])[0]


def sketch_all(titles: Sequence[str], texts: Sequence[str]) -> list[Sketch]:
    """Sketches of many articles, some dozens at a time: much faster than one by one, and the same to the bit."""
    found: list[Sketch] = []
    start = n = 0
    for i, text in enumerate(texts):
        n += min(len(text), _MAX_CHARS)
        if n >= _BLOCK_CHARS or i + 1 == len(texts):
            found += _sketch_block(titles[start : i + 1], texts[start : i + 1])
            start, n = i + 1, 0
    return found


def _sketch_block(titles: Sequence[str], texts: Sequence[str]) -> list[Sketch]:
    codes, ends = folded_all([text[:_MAX_CHARS] for text in texts])
    for i in np.flatnonzero(np.diff(ends, prepend=0) < _SHORT_CHARS)[::-1]:
        before = folded(titles[i][:_MAX_CHARS])
        codes = np.insert(codes, ends[i - 1] if i else 0, before)
        ends[i:] += len(before)
    begins = np.concatenate([[0], ends[:-1]])
    n_codes = ends - begins
    is_han = np.concatenate([[0], np.cumsum((codes >= 0x3400) & (codes <= 0x9FFF))])
    opening_ends = np.minimum(ends, begins + 400)
    is_chinese = is_han[opening_ends] - is_han[begins] > 0.3 * (opening_ends - begins)
    widths = np.where(is_chinese, _HAN_SHINGLE, _OTHER_SHINGLE)
    n_body = np.maximum(0, n_codes - widths + 1)
    n_lead = np.minimum(n_body, np.where(is_chinese, _HAN_LEAD, _OTHER_LEAD) - widths + 1)
    values = np.zeros((len(texts), N_BODY + N_LEAD), np.uint16)
    for width in (_HAN_SHINGLE, _OTHER_SHINGLE):
        own = np.flatnonzero((widths == width) & (n_body > 0))
        if len(own):
            # Shingles that run across two texts are made too, and left out by their place.
            hashes = _shingle_hashes(codes, width)
            values[own, :N_BODY] = _minima(hashes, begins[own], n_body[own], N_BODY)
            values[own, N_BODY:] = _minima(hashes, begins[own], n_lead[own], N_LEAD)
    return [Sketch(int(b), int(o), v) for b, o, v in zip(n_body, n_lead, values, strict=True)]


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
    """Hash of each run of `width` characters; shape (len - width + 1,), empty for a shorter text.

    The sum of code k times factor ** (k + 1), made by doubling: runs of two, four and eight, then the rest.
    """
    if len(codes) < width:
        return np.empty(0, np.uint64)
    single = codes.astype(np.uint64) * np.uint64(_FACTOR)
    mixed, done = single, 1
    power = _FACTOR
    while 2 * done <= width:
        longer = mixed[done:] * np.uint64(power)
        longer += mixed[: len(longer)]
        mixed, done, power = longer, 2 * done, power * power % 2**64
    while done < width:
        longer = single[done:] * np.uint64(power)
        n = len(longer)
        longer += mixed[:n]
        mixed, done, power = longer, done + 1, power * _FACTOR % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _minima(
    hashes: NDArray[np.uint64], begins: NDArray[np.int64], counts: NDArray[np.int64], n: int
) -> NDArray[np.uint16]:
    """The smallest hash of each of `n` equal ranges (a power of two), its low 16 bits; shape (texts, n).

    A range without any takes the value of the next one that has some, marked by how far it had to go.

    Parameters
    ----------
    begins, counts
        Where each text's hashes begin and how many it has, at least one; shape (texts,).
    """
    ends = np.cumsum(counts)
    spots = np.arange(ends[-1]) + np.repeat(begins - (ends - counts), counts)
    own = hashes[spots]
    cells = (own >> np.uint64(64 - n.bit_length() + 1)).astype(np.int64)
    cells += np.repeat(np.arange(0, n * len(counts), n), counts)
    flat = np.full(n * len(counts), _NOTHING, np.uint64)
    np.minimum.at(flat, cells, own)
    least = flat.reshape(-1, n)
    # A hash of all ones would pass for an empty range: one in 2 ** 64.
    places = np.where(least != _NOTHING, np.arange(n), 2 * n)
    first = places.min(1, keepdims=True)
    following = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
    following = np.where(following < n, following, first + n)
    distance = (following - np.arange(n)).astype(np.uint64)
    found = np.take_along_axis(least, following % n, 1) + distance * np.uint64(0x9E37)
    return (found & np.uint64(0xFFFF)).astype(np.uint16)
