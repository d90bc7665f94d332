"""What several rooms' tests share: a small real encoder, desks, and the places of real data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

# One thread a product: tests run side by side with others on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"


class WordEncoder:
    """A real, tiny encoder: every word or Chinese character has a fixed random direction; texts add them up."""

    fingerprint = "word-directions|1"
    dimension = 64

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        from narratives.language import words

        rows = []
        for text in texts:
            total = np.zeros(self.dimension)
            for word in set(words(text)):
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
                total += np.random.default_rng(seed).standard_normal(self.dimension)
            rows.append(total / max(np.linalg.norm(total), 1e-9))
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimension)


class WordTone:
    """A real, tiny tone scorer: counts a few good and bad words."""

    name = "word-tone-1"
    _good = ("gain", "rise", "success", "增长", "成功")
    _bad = ("fail", "fall", "fear", "失败", "担忧")

    def score(self, texts: Sequence[str], encode: object = None, targets: object = None) -> np.ndarray:
        rows = []
        for text in texts:
            good = sum(word in text for word in self._good)
            bad = sum(word in text for word in self._bad)
            rows.append(np.array([bad, 1.0, good]) / (bad + good + 1.0))
        return np.array(rows).reshape(len(texts), 3)


@pytest.fixture(scope="session")
def word_encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def word_tone() -> WordTone:
    return WordTone()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the labelled real data; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def sample_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The sample subject, all the way through the default model: made once a session."""
    import narratives

    desk = narratives.init(tmp_path_factory.mktemp("sample") / "desk", ROOT / "data" / "definitions.yaml")
    desk.ingest([ROOT / "data" / "articles-zh.jsonl", ROOT / "data" / "articles-en.jsonl"])
    desk.update()
    yield desk
    desk.close()
