"""Vectors on disk: no text is encoded twice by the same model.

Each model has a folder of its own (`vector_file.py`), so a changed model keeps the old vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.encoder import Encoder
from embeddings.passages import model_input
from embeddings.vector_file import KEY, Lookup, VectorFile, text_keys, write_whole

if TYPE_CHECKING:
    import pandas as pd

_TEXTS_PER_BATCH = 32
_CHARS_PER_BATCH = 24_000
_MAX_CHARS = 4_000  # what a text counts in a batch at most: more no model reads by default

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Cost:
    """What an encoding will take, known before it starts.

    Parameters
    ----------
    n_texts
        Different texts asked for.
    n_missing
        Those not in the cache.
    seconds
        At the speed this model had here before; None if it never ran here.
    other_models
        Fingerprints whose vectors the cache keeps beside this one's.
    """

    n_texts: int
    n_missing: int
    seconds: float | None
    other_models: tuple[str, ...]


class VectorCache:
    """Vectors by model and text, in a folder.

    Any number of processes may read and encode at once: reading needs no lock, and batches are encoded
    one at a time under a lock, so that processes asked for the same texts share the work. A killed run
    loses the batch it was in. The next run finishes the batches that the killed one had planned, each as
    a whole, and so ends with the same bits as a run that was not killed.

    Parameters
    ----------
    folder
        Created when something is first written.

    Example
    -------
    >>> import tempfile
    >>> class Lengths:
    ...     fingerprint, dimension = "lengths", 2
    ...     def encode(self, texts, /):
    ...         return np.array([[len(text), 1] for text in texts], np.float32)
    >>> cache = VectorCache(Path(tempfile.mkdtemp()))
    >>> cache.encode(Lengths(), ["a", "aaa"]).tolist()
    [[1.0, 1.0], [3.0, 1.0]]
    >>> cache.get("lengths", ["aaa", "b"]).found.tolist()
    [True, False]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._files: dict[str, VectorFile] = {}

    def get(self, fingerprint: str, texts: Sequence[str]) -> Lookup:
        """Look texts up; nothing is encoded, created or locked."""
        return self._file(fingerprint).lookup(text_keys(texts))

    def encode(self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Look texts up and encode those that are not there.

        Parameters
        ----------
        encoder
            Is asked for whole batches only.
        texts
            n strings as `model_input` gives them; repeated ones are encoded once.
        progress
            Called with the number of missing texts done and their total, after each batch.

        Returns
        -------
        np.ndarray
            (n, d) float32: always what half precision keeps of a vector, whether it was there or is new.

        Raises
        ------
        ValueError
            The encoder gives vectors of another shape than it says, or numbers that are not finite.
        """
        if not len(texts):
            return np.zeros((0, encoder.dimension), np.float32)
        file = self._file(encoder.fingerprint)
        keys = text_keys(texts)
        seen = file.lookup(keys)
        if seen.found.all():
            return seen.vectors
        file.create(encoder.dimension)
        by_key = dict(zip(_hex(keys), texts, strict=True))
        missing = {key for key, found in zip(_hex(keys), seen.found, strict=True) if not found}
        plan = _Plan(file)
        with file.lock:
            batches = plan.extend(by_key, missing)
        n_done = 0
        for batch in batches:
            with file.lock:
                _encode_batch(file, encoder, batch, [by_key[key] for key in batch])
            n_done += len(missing.intersection(batch))
            if progress is not None:
                progress(n_done, len(missing))
        with file.lock:
            plan.tidy()
        return file.lookup(keys).vectors

    def cost(self, encoder: Encoder, texts: Sequence[str]) -> Cost:
        """What `encode` would have to do, without doing it."""
        unique = list(dict.fromkeys(texts))
        file = self._file(encoder.fingerprint)
        missing = ~file.lookup(text_keys(unique)).found
        rate = file.describe().get("chars_per_second")
        n_chars = sum(min(len(text), _MAX_CHARS) for text, gone in zip(unique, missing, strict=True) if gone)
        others = tuple(name for name in self.models() if name != encoder.fingerprint)
        return Cost(len(unique), int(missing.sum()), n_chars / rate if rate else None, others)

    def models(self) -> dict[str, int]:
        """Fingerprints of the models used here, and how many vectors each has."""
        found = {}
        for path in sorted(self.folder.glob("*/space.json")):
            fingerprint = json.loads(path.read_text(encoding="utf-8"))["fingerprint"]
            found[fingerprint] = len(self._file(fingerprint))
        return found

    def export_parquet(self, fingerprint: str, path: Path) -> int:
        """Write a model's vectors to a Parquet file: `key` (16 bytes), `vector` (list of d half floats).

        Returns the number of rows; damaged ones are left out.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        keys, vectors = self._file(fingerprint).everything()
        column = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(KEY.itemsize), len(keys), [None, pa.py_buffer(keys.tobytes())]
        )
        rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), max(1, vectors.shape[1]))
        table = pa.table({"key": column, "vector": rows})
        table = table.replace_schema_metadata({"fingerprint": fingerprint, "dimension": str(vectors.shape[1])})
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(table, scratch)
        scratch.replace(path)
        return len(keys)

    def import_parquet(self, path: Path) -> int:
        """Take in what `export_parquet` wrote, here or elsewhere; vectors already here stay as they are.

        Returns
        -------
        int
            Rows added.

        Raises
        ------
        ValueError
            The file names no fingerprint, has numbers that are not finite, or vectors of another dimension
            than those here.
        """
        import pyarrow.parquet as pq

        table = pq.read_table(path).combine_chunks()
        metadata = table.schema.metadata or {}
        if not {b"fingerprint", b"dimension"} <= metadata.keys():
            raise ValueError(f"{path}: no fingerprint in its metadata: not written by export_parquet")
        keys = np.frombuffer(b"".join(table["key"].to_pylist()), KEY)
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.astype(np.float16).reshape(len(keys), int(metadata[b"dimension"]))
        if not np.isfinite(vectors).all():
            raise ValueError(f"{path}: vectors with numbers that are not finite")
        file = self._file(metadata[b"fingerprint"].decode("utf-8"))
        file.create(vectors.shape[1])
        with file.lock:
            file.recover()
            new = ~file.lookup(keys).found
            file.append(keys[new], vectors[new])
        return int(new.sum())

    def _file(self, fingerprint: str) -> VectorFile:
        if fingerprint not in self._files:
            name = hashlib.sha256(fingerprint.encode("utf-8")).hexdigest()[:16]
            self._files[fingerprint] = VectorFile(self.folder / name, fingerprint)
        return self._files[fingerprint]


def encode_articles(
    frame: pd.DataFrame,
    encoder: Encoder,
    cache: VectorCache | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Vectors of articles.

    Parameters
    ----------
    frame
        n rows with the columns `title` and `text`; missing values count as empty.
    encoder
        From `load_encoder`.
    cache
        Where vectors are kept; without one everything is encoded, with the same result.
    progress
        Called with the number of texts done and their total, after each batch.

    Returns
    -------
    np.ndarray
        (n, d) float32, in the frame's order.

    Raises
    ------
    KeyError
        A column is absent.
    """
    if absent := {"title", "text"} - set(frame.columns):
        raise KeyError(f"columns {sorted(absent)} are absent; the frame has {list(frame.columns)}")
    titles, bodies = frame["title"].fillna("").astype(str), frame["text"].fillna("").astype(str)
    texts = [model_input(title, text) for title, text in zip(titles, bodies, strict=True)]
    if cache is not None:
        return cache.encode(encoder, texts, progress)
    vectors: dict[str, np.ndarray] = {}
    unique = {text: text for text in texts}
    for batch in plan_batches(unique):
        rows = np.asarray(encoder.encode(batch)).astype(np.float16).astype(np.float32)
        vectors.update(zip(batch, rows, strict=True))
        if progress is not None:
            progress(len(vectors), len(unique))
    return np.array([vectors[text] for text in texts], np.float32).reshape(len(texts), encoder.dimension)


def plan_batches(texts: dict[str, str]) -> list[list[str]]:
    """Group keys into batches by their texts alone: shortest first, equal lengths in the texts' order.

    Parameters
    ----------
    texts
        Key to text.

    Returns
    -------
    list of list of str
        Keys; at most 32 texts and about 24,000 characters a batch.
    """
    batches: list[list[str]] = []
    n_chars = 0
    for key in sorted(texts, key=lambda key: (len(texts[key]), texts[key])):
        size = min(len(texts[key]), _MAX_CHARS)
        if not batches or len(batches[-1]) >= _TEXTS_PER_BATCH or n_chars + size > _CHARS_PER_BATCH:
            batches.append([])
            n_chars = 0
        batches[-1].append(key)
        n_chars += size
    return batches


class _Plan:
    """The batches that were begun, one a line of `plan.jsonl`; whoever changes it holds the file's lock."""

    def __init__(self, file: VectorFile) -> None:
        self._file, self._path = file, file.folder / "plan.jsonl"

    def extend(self, texts: dict[str, str], missing: set[str]) -> list[list[str]]:
        """Batches to encode: those left over whose texts are at hand, then new ones for the rest."""
        left = self._unfinished()
        usable = [batch for batch in left if missing.intersection(batch) and texts.keys() >= set(batch)]
        planned = {key for batch in usable for key in batch}
        new = plan_batches({key: texts[key] for key in missing - planned})
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
        found = self._file.lookup(_from_hex([key for batch in batches for key in batch])).found
        parts = np.split(found, np.cumsum([len(batch) for batch in batches])[:-1])
        return [batch for batch, part in zip(batches, parts, strict=False) if not part.all()]

    def _write(self, batches: list[list[str]]) -> None:
        if batches:
            write_whole(self._path, "".join(json.dumps(batch) + "\n" for batch in batches))
        else:
            self._path.unlink(missing_ok=True)


def _encode_batch(file: VectorFile, encoder: Encoder, batch: list[str], texts: list[str]) -> None:
    """Encode a batch as a whole if one of its members is missing, and append those that are."""
    keys = _from_hex(batch)
    file.recover()
    new = ~file.lookup(keys).found
    if not new.any():
        return
    started = time.perf_counter()
    vectors = np.asarray(encoder.encode(texts), np.float32)
    seconds = max(time.perf_counter() - started, 1e-9)
    if vectors.shape != (len(texts), encoder.dimension):
        needed = (len(texts), encoder.dimension)
        raise ValueError(f"the encoder {encoder.fingerprint!r} gave shape {vectors.shape}, needed {needed}")
    if not np.isfinite(vectors).all():
        raise ValueError(f"the encoder {encoder.fingerprint!r} gave numbers that are not finite")
    file.append(keys[new], vectors[new].astype(np.float16))
    rate = sum(min(len(text), _MAX_CHARS) for text in texts) / seconds
    before = file.describe().get("chars_per_second")
    file.note_rate(encoder.dimension, rate if before is None else 0.9 * before + 0.1 * rate)


def _hex(keys: np.ndarray) -> list[str]:
    raw, width = keys.tobytes().hex(), 2 * KEY.itemsize
    return [raw[i : i + width] for i in range(0, len(raw), width)]


def _from_hex(keys: list[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(keys)), KEY)
