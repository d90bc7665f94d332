"""Vectors on disk: no text is encoded twice by the same model.

Each model has a folder of its own (`vector_file.py`), so a changed model keeps the old vectors.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoder import Encoder
from embeddings.exchange import read_vectors, write_vectors
from embeddings.hybrid import HybridEncoder, join_parts
from embeddings.planning import MAX_CHARS, TEXTS_PER_BATCH, Plan, from_hex, share_out, to_hex
from embeddings.vector_file import Lookup, VectorFile, text_keys, write_whole

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

    Any number of processes may read and encode at once: reading needs no lock, who encodes holds a claim on
    its batch only, and the file's lock is held just to append. Processes asked for the same texts share the
    batches between them; others do not wait for each other. A killed run loses the batch it was in. The next
    run finishes the batches that the killed one had planned, each as a whole, and so ends with the same bits
    as a run that was not killed.

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
        keys = text_keys(texts)
        if not (parts := self._parts(fingerprint)):
            return self._file(fingerprint).lookup(keys)
        seen = [self._file(part).lookup(keys) for part, _ in parts]
        found = np.logical_and.reduce([part.found for part in seen])
        vectors = join_parts([part.vectors for part in seen], [scale for _, scale in parts])
        return Lookup(np.where(found[:, None], vectors, np.float32(0)), found)

    def encode(self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Look texts up and encode those that are not there.

        Parameters
        ----------
        encoder
            Is asked for whole batches only, and, where it can choose what computes, to do it as for the vectors that
            are here. The parts of a hybrid are encoded and kept one by one.
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
        if isinstance(encoder, HybridEncoder):
            return self._encode_parts(encoder, texts, progress)
        file = self._file(encoder.fingerprint)
        keys = text_keys(texts)
        seen = file.lookup(keys)
        if seen.found.all():
            return seen.vectors
        self._settle_backend(file, encoder)
        by_key = dict(zip(to_hex(keys), texts, strict=True))
        missing = {key for key, found in zip(to_hex(keys), seen.found, strict=True) if not found}
        plan = Plan(file)
        with file.lock:
            batches = plan.extend(by_key, missing, getattr(encoder, "texts_per_batch", TEXTS_PER_BATCH))
        n_done = 0
        for batch in share_out(
            file, batches, lambda batch: _encode_batch(file, encoder, batch, [by_key[key] for key in batch])
        ):
            n_done += len(missing.intersection(batch))
            if progress is not None:
                progress(n_done, len(missing))
        with file.lock:
            plan.tidy()
        return file.lookup(keys).vectors

    def cost(self, encoder: Encoder, texts: Sequence[str], probe: bool = False) -> Cost:
        """What `encode` would have to do, without doing it.

        Parameters
        ----------
        probe
            Where this model never ran here, encode a few of the texts to see how fast it is.
        """
        unique = list(dict.fromkeys(texts))
        parts: tuple[Encoder, ...] = encoder.parts if isinstance(encoder, HybridEncoder) else (encoder,)
        n_missing, seconds = 0, 0.0
        for part in parts:
            file = self._file(part.fingerprint)
            found = file.lookup(text_keys(unique)).found
            gone = [text for text, is_here in zip(unique, found, strict=True) if not is_here]
            rate = file.describe().get("chars_per_second") or (_probed_rate(part, gone) if probe and gone else None)
            n_chars = sum(min(len(text), MAX_CHARS) for text in gone)
            seconds += n_chars / rate if rate else (float("nan") if gone else 0.0)
            n_missing = max(n_missing, len(gone))
        others = tuple(sorted(set(self.models()) - {encoder.fingerprint, *(part.fingerprint for part in parts)}))
        return Cost(len(unique), n_missing, None if seconds != seconds else seconds, others)

    def models(self) -> dict[str, int]:
        """Fingerprints of the models used here, and how many vectors each has; a hybrid those of its rarer part."""
        found = {}
        for path in sorted(self.folder.glob("*/space.json")):
            fingerprint = json.loads(path.read_text(encoding="utf-8"))["fingerprint"]
            parts = self._parts(fingerprint) or [(fingerprint, 1.0)]
            found[fingerprint] = min(len(self._file(part)) for part, _ in parts)
        return found

    def backends(self, fingerprint: str) -> list[str]:
        """What has computed a model's vectors here, in order of first use; empty if it is not known."""
        return [
            name
            for part, _ in self._parts(fingerprint) or [(fingerprint, 1.0)]
            for name in self._file(part).describe().get("backends", [])
        ]

    def export_parquet(self, fingerprint: str, path: Path) -> int:
        """Write a model's vectors to a Parquet file: `key` (16 bytes), `vector` (list of d half floats).

        Returns the number of rows; damaged ones are left out.

        Raises
        ------
        ValueError
            The model is made of several, whose vectors are kept one by one; the message names them.
        """
        if parts := self._parts(fingerprint):
            raise ValueError(f"{fingerprint!r} is made of others, export each: {[name for name, _ in parts]}")
        return write_vectors(self._file(fingerprint), path)

    def import_parquet(self, path: Path) -> int:
        """Take in what `export_parquet` or `encode_with_ray` wrote, here or elsewhere.

        Vectors already here stay as they are.

        Parameters
        ----------
        path
            A file, or a folder of them.

        Returns
        -------
        int
            Rows added.

        Raises
        ------
        ValueError
            A file names no fingerprint, has numbers that are not finite, or vectors of another dimension
            than those here.
        """
        n_new = 0
        for fingerprint, keys, vectors in read_vectors(path):
            file = self._file(fingerprint)
            file.create(vectors.shape[1])
            with file.lock:
                file.recover()
                _, first = np.unique(keys, return_index=True)
                new = np.sort(first[~file.lookup(keys[first]).found])
                file.append(keys[new], vectors[new])
            n_new += len(new)
        return n_new

    def _encode_parts(self, encoder: HybridEncoder, texts: Sequence[str], progress: Progress | None) -> np.ndarray:
        """Encode each part by itself, and remember of which parts the whole is made."""
        content = {
            "fingerprint": encoder.fingerprint,
            "dimension": encoder.dimension,
            "parts": [part.fingerprint for part in encoder.parts],
            "scales": list(encoder.scales),
        }
        folder = self._file(encoder.fingerprint).folder
        if not (folder / "space.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "space.json", json.dumps(content, ensure_ascii=False))
        unique = list(dict.fromkeys(texts))
        n_missing = [
            int((~self._file(part.fingerprint).lookup(text_keys(unique)).found).sum()) for part in encoder.parts
        ]
        vectors, total, n_before = [], sum(n_missing), 0
        for part, n in zip(encoder.parts, n_missing, strict=True):
            tell = None if progress is None else _shifted(progress, n_before, total)
            vectors.append(self.encode(part, texts, tell))
            n_before += n
        return join_parts(vectors, encoder.scales)

    def _parts(self, fingerprint: str) -> list[tuple[str, float]]:
        """Fingerprints and scales of the parts of a hybrid; empty for any other model."""
        said = self._file(fingerprint).describe()
        return list(zip(said.get("parts", ()), said.get("scales", ()), strict=True))

    def _settle_backend(self, file: VectorFile, encoder: Encoder) -> None:
        """Have the encoder compute as before in this folder, so that no desk changes its arithmetic on the way."""
        prefer = getattr(encoder, "prefer_backend", None)
        used = file.describe().get("backends") or (["torch"] if len(file) else [])
        if prefer is not None and used:
            prefer(used[0])
        file.create(encoder.dimension)
        if name := getattr(encoder, "backend_name", None):
            with file.lock:
                file.note(backend=str(name))

    def _file(self, fingerprint: str) -> VectorFile:
        if fingerprint not in self._files:
            name = hashlib.sha256(fingerprint.encode("utf-8")).hexdigest()[:16]
            self._files[fingerprint] = VectorFile(self.folder / name, fingerprint)
        return self._files[fingerprint]


def _encode_batch(file: VectorFile, encoder: Encoder, batch: list[str], texts: list[str]) -> None:
    """Encode a batch as a whole if one of its members is missing, and append those that are."""
    keys = from_hex(batch)
    if file.lookup(keys).found.all():
        return
    started = time.perf_counter()
    vectors = np.asarray(encoder.encode(texts), np.float32)
    seconds = max(time.perf_counter() - started, 1e-9)
    if vectors.shape != (len(texts), encoder.dimension):
        needed = (len(texts), encoder.dimension)
        raise ValueError(f"the encoder {encoder.fingerprint!r} gave shape {vectors.shape}, needed {needed}")
    if not np.isfinite(vectors).all():
        raise ValueError(f"the encoder {encoder.fingerprint!r} gave numbers that are not finite")
    rate = sum(min(len(text), MAX_CHARS) for text in texts) / seconds
    with file.lock:
        file.recover()
        new = ~file.lookup(keys).found
        file.append(keys[new], vectors[new].astype(np.float16))
        before = file.describe().get("chars_per_second")
        file.note(chars_per_second=rate if before is None else 0.9 * before + 0.1 * rate)


def _probed_rate(encoder: Encoder, texts: Sequence[str]) -> float:
    """Characters a second, on eight texts spread over the lengths."""
    some = sorted(texts, key=len)[:: max(1, len(texts) // 8)][:8]
    encoder.encode(some[:1])  # what is loaded at first use does not count
    started = time.perf_counter()
    encoder.encode(some)
    return sum(min(len(text), MAX_CHARS) for text in some) / max(time.perf_counter() - started, 1e-9)


def _shifted(progress: Progress, n_before: int, total: int) -> Progress:
    return lambda done, _: progress(n_before + done, total)
