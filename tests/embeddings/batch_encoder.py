"""An encoder for tests of the cache, and a program that encodes with it until it is done or killed.

A vector depends, a little, on its whole batch, as with a real model: only whole batches give the same bits.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np


class BatchEncoder:
    fingerprint = "batch-encoder|1"
    dimension = 24

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.batches: list[list[str]] = []

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        time.sleep(self.seconds)
        self.batches.append(list(texts))
        company = _numbers("\n".join(texts))
        vectors = np.array([_numbers(text) + 0.01 * company for text in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _numbers(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).normal(size=BatchEncoder.dimension)


def corpus(n: int) -> list[str]:
    return [f"{'稀土 ' * (i % 40)}{i}" for i in range(n)]


def main() -> None:
    from embeddings import VectorCache

    print("ready", flush=True)
    VectorCache(Path(sys.argv[1])).encode(
        BatchEncoder(0.001), corpus(int(sys.argv[2])), lambda done, total: print("batch", flush=True)
    )
    print("done", flush=True)


if __name__ == "__main__":
    main()
