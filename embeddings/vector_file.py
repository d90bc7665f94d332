"""The file of one model's vectors: append-only, memory-mapped, checked, safe when its writer is killed.

In the folder lie

    space.json      the model's fingerprint, the dimension, how fast it was, what computed it
    vectors.f16     row after row of half-precision numbers, appended to and never changed
    keys.bin        20 bytes a row: 16 of the text's hash, 4 of a checksum over hash and vector
    lock, claims/   empty; held by whoever appends, or encodes a batch

A row counts once its key is written, and its key is written after its vector is on the disk: whoever dies in
between leaves a tail that the next writer cuts off. A row whose checksum is wrong is not there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_log = logging.getLogger(__name__)
KEY = np.dtype([("first", "<u8"), ("second", "<u8")])
_RECORD = np.dtype([*KEY.descr, ("checksum", "<u4")])
_TAIL = 20_000  # rows that are looked up in a dictionary until they are sorted in


@dataclass(frozen=True)
class Lookup:
    """What the cache has.

    Parameters
    ----------
    vectors
        (n, d) float32; the rows of texts that are not there are zero. d is 0 for a model never used here.
    found
        (n,) bool.
    """

    vectors: np.ndarray
    found: np.ndarray


def text_keys(texts: Sequence[str]) -> np.ndarray:
    """(n,) 128-bit hashes of texts, of type `KEY`."""
    hashes = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16) for text in texts)
    return np.frombuffer(b"".join(each.digest() for each in hashes), KEY)


def write_whole(path: Path, content: str) -> None:
    """Replace a file so that a reader sees the old or the new one, never a part."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with scratch.open("w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(path)


class VectorFile:
    """One model's vectors.

    Reading needs no lock. Whoever calls `recover` or `append` holds `lock` meanwhile.

    Parameters
    ----------
    folder
        Of this model alone.
    fingerprint
        The model's.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint
        self._vectors_file, self._keys_file = folder / "vectors.f16", folder / "keys.bin"
        self._description_file = folder / "space.json"
        self._dimension = 0
        self._forget()

    def _forget(self) -> None:
        self._records = np.zeros(0, _RECORD)
        self._rows = np.zeros((0, self._dimension), np.float16)
        self._sorted, self._order = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        self._tail: dict[bytes, int] = {}

    def __len__(self) -> int:
        self._refresh()
        return len(self._records)

    @property
    def lock(self) -> Any:
        """A lock that one process at a time can hold; it is released when its holder dies."""
        from filelock import FileLock

        return FileLock(self.folder / "lock")

    def claim(self, key: str) -> Any:
        """A lock for the batch that begins with a hexadecimal key, among 64, so that nothing must be cleared away."""
        from filelock import FileLock

        folder = self.folder / "claims"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{int(key[:2], 16) % 64:02d}")

    def describe(self) -> dict[str, Any]:
        """What `space.json` says; empty if there is none yet."""
        try:
            return dict(json.loads(self._description_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def create(self, dimension: int) -> None:
        """Make the folder unless it is there.

        Raises
        ------
        ValueError
            It holds vectors of another dimension.
        """
        known = self.describe().get("dimension", dimension)
        if known != dimension:
            raise ValueError(f"{self.folder} has vectors of {known} numbers, but {dimension} were given")
        if not self._description_file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._describe({"fingerprint": self.fingerprint, "dimension": dimension})

    def note(self, chars_per_second: float | None = None, backend: str | None = None) -> None:
        """Remember how fast the model was here, and what computed it."""
        content = self.describe()
        if chars_per_second is not None:
            content["chars_per_second"] = chars_per_second
        used = content.setdefault("backends", [])
        if backend is not None and backend not in used:
            used.append(backend)
        elif chars_per_second is None:
            return
        self._describe(content)

    def _describe(self, content: dict[str, Any]) -> None:
        write_whole(self._description_file, json.dumps(content, ensure_ascii=False))

    def lookup(self, keys: np.ndarray) -> Lookup:
        """Vectors of (n,) keys, each compared with its checksum."""
        self._refresh()
        rows = self._find(keys)
        there = np.flatnonzero(rows >= 0)
        # Plain arrays: a memory map makes an object of its own of every row that is taken out of it.
        read = np.asarray(self._rows)[rows[there]]
        said = np.asarray(self._records)["checksum"][rows[there]].tolist()
        sound = [_checksum(key, row) == one for key, row, one in zip(keys[there], read, said, strict=True)]
        found, vectors = np.zeros(len(keys), bool), np.zeros((len(keys), self._dimension), np.float32)
        found[there] = sound
        vectors[found] = read[np.array(sound, bool)]
        if n_damaged := int((rows >= 0).sum() - found.sum()):
            _log.warning("%s: %d damaged vectors count as missing", self.folder, n_damaged)
        return Lookup(vectors, found)

    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys (n,) and vectors (n, d), float16, of all sound rows."""
        self._refresh()
        keys = np.empty(len(self._records), KEY)
        keys["first"], keys["second"] = self._records["first"], self._records["second"]
        keys = np.unique(keys)
        seen = self.lookup(keys)
        return keys[seen.found], seen.vectors[seen.found].astype(np.float16)

    def recover(self) -> None:
        """Cut off what a killed writer has left behind the last whole row."""
        row_bytes = 2 * int(self.describe()["dimension"])
        for file in (self._vectors_file, self._keys_file):
            file.touch()
        n = min(
            self._keys_file.stat().st_size // _RECORD.itemsize,
            self._vectors_file.stat().st_size // row_bytes,
        )
        for file, size in ((self._keys_file, n * _RECORD.itemsize), (self._vectors_file, n * row_bytes)):
            if file.stat().st_size != size:
                os.truncate(file, size)

    def append(self, keys: np.ndarray, vectors: np.ndarray) -> None:
        """Add (n,) keys and their (n, d) float16 vectors behind the last row."""
        records = np.zeros(len(keys), _RECORD)
        records["first"], records["second"] = keys["first"], keys["second"]
        records["checksum"] = [_checksum(key, row) for key, row in zip(keys, vectors, strict=True)]
        for file, content in (
            (self._vectors_file, np.ascontiguousarray(vectors, np.float16).tobytes()),
            (self._keys_file, records.tobytes()),
        ):
            with file.open("ab") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())

    def _refresh(self) -> None:
        """Take in rows that this or another process has added."""
        try:
            n = self._keys_file.stat().st_size // _RECORD.itemsize
        except FileNotFoundError:
            n = 0
        if n == len(self._records) and self._dimension:
            return
        # The keys were looked at first: the vectors of every key seen are there by now.
        self._dimension = int(self.describe().get("dimension", 0))
        if n and self._dimension:
            n = min(n, self._vectors_file.stat().st_size // (2 * self._dimension))
        if n == 0 or self._dimension == 0:
            self._forget()
            return
        n_known = len(self._records) if n >= len(self._records) else 0
        self._records = np.memmap(self._keys_file, _RECORD, "r", shape=(n,))
        self._rows = np.memmap(self._vectors_file, np.float16, "r", shape=(n, self._dimension))
        n_sorted = len(self._order) if n_known else 0
        if n - n_sorted > max(_TAIL, n_sorted // 8):
            self._order = np.argsort(self._records["first"], kind="stable")
            self._sorted = self._records["first"][self._order]
            self._tail = {}
        else:
            if not n_known:
                self._sorted, self._order, self._tail = np.zeros(0, np.uint64), np.zeros(0, np.int64), {}
            for row in range(n_known, n):
                self._tail[self._records[row].tobytes()[: KEY.itemsize]] = row

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """(n,) the last row of each key, -1 where there is none."""
        left = np.searchsorted(self._sorted, keys["first"], "left")
        right = np.searchsorted(self._sorted, keys["first"], "right")
        rows = np.full(len(keys), -1, np.int64)
        seconds = np.asarray(self._records)["second"] if len(self._records) else np.zeros(0, np.uint64)
        alone = np.flatnonzero(right - left == 1)
        one = self._order[left[alone]]
        rows[alone] = np.where(seconds[one] == keys["second"][alone], one, -1)
        for i in np.flatnonzero(right - left > 1):
            same = self._order[left[i] : right[i]]
            same = same[seconds[same] == keys["second"][i]]
            rows[i] = max(same.tolist(), default=-1)
        for at in range(len(keys)) if self._tail else ():
            rows[at] = self._tail.get(keys[at].tobytes(), rows[at])
        return rows


def _checksum(key: np.void, vector: np.ndarray) -> int:
    """CRC-32 over the text's hash and the vector's bytes."""
    return zlib.crc32(np.ascontiguousarray(vector).tobytes(), zlib.crc32(key.tobytes()))
