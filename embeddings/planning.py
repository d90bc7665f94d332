"""Which texts are encoded together: batches that depend on the texts alone, and outlive a killed run."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from embeddings.vector_file import KEY, VectorFile, write_whole

TEXTS_PER_BATCH = 32
_CHARS_PER_TEXT = 750  # of a batch, on average, at most
MAX_CHARS = 4_000  # what a text counts in a batch at most: more no model reads by default


def plan_batches(texts: dict[str, str], n_texts: int = TEXTS_PER_BATCH) -> list[list[str]]:
    """Group keys into batches by their texts alone: shortest first, equal lengths in the texts' order.

    Parameters
    ----------
    texts
        Key to text.
    n_texts
        Most texts in a batch.

    Returns
    -------
    list of list of str
        Keys; at most `n_texts` texts and about 750 characters for each of them (24,000 for 32).
    """
    batches: list[list[str]] = []
    n_chars = 0
    for key in sorted(texts, key=lambda key: (len(texts[key]), texts[key])):
        size = min(len(texts[key]), MAX_CHARS)
        if not batches or len(batches[-1]) >= n_texts or n_chars + size > n_texts * _CHARS_PER_TEXT:
            batches.append([])
            n_chars = 0
        batches[-1].append(key)
        n_chars += size
    return batches


class Plan:
    """The batches that were begun, one a line of `plan.jsonl`; whoever changes it holds the file's lock."""

    def __init__(self, file: VectorFile) -> None:
        self._file, self._path = file, file.folder / "plan.jsonl"

    def extend(self, texts: dict[str, str], missing: set[str], n_texts: int) -> list[list[str]]:
        """Batches to encode: those left over whose texts are at hand, then new ones for the rest."""
        left = self._unfinished()
        usable = [batch for batch in left if missing.intersection(batch) and texts.keys() >= set(batch)]
        planned = {key for batch in usable for key in batch}
        new = plan_batches({key: texts[key] for key in missing - planned}, n_texts)
        self._write([*left, *new])
        return [*usable, *new]

    def tidy(self) -> None:
        """Drop finished batches; another process's unfinished ones stay."""
        self._write(self._unfinished())

    def _unfinished(self) -> list[list[str]]:
        try:
            batches = [json.loads(line) for line in self._path.read_text(encoding="ascii").splitlines()]
        except FileNotFoundError:
            return []
        found = self._file.lookup(from_hex([key for batch in batches for key in batch])).found
        parts = np.split(found, np.cumsum([len(batch) for batch in batches])[:-1])
        return [batch for batch, part in zip(batches, parts, strict=False) if not part.all()]

    def _write(self, batches: list[list[str]]) -> None:
        if batches:
            write_whole(self._path, "".join(json.dumps(batch) + "\n" for batch in batches))
        else:
            self._path.unlink(missing_ok=True)


def share_out(file: VectorFile, batches: list[list[str]], encode: Callable[[list[str]], None]) -> Iterator[list[str]]:
    """Encode batches one by one, each under a claim; those that other processes hold come last. Yields what is done."""
    todo = deque((batch, False) for batch in batches)
    while todo:
        batch, is_last_round = todo.popleft()
        claim = file.claim(batch[0])
        try:
            claim.acquire(blocking=is_last_round)
        except TimeoutError:
            todo.append((batch, True))
            continue
        try:
            encode(batch)
        finally:
            claim.release()
        yield batch


def to_hex(keys: np.ndarray) -> list[str]:
    """(n,) keys as hexadecimal digits."""
    raw, width = keys.tobytes().hex(), 2 * KEY.itemsize
    return [raw[i : i + width] for i in range(0, len(raw), width)]


def from_hex(keys: list[str]) -> np.ndarray:
    """The keys of `to_hex`."""
    return np.frombuffer(bytes.fromhex("".join(keys)), KEY)
