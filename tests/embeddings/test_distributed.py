"""Encoding over Ray: two workers on one machine, one of them killed; the vectors are those of the local path."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from embeddings import VectorCache, distributed, load_encoder, model_input
from embeddings.distributed import EncodingWorker
from embeddings.exchange import read_vectors

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow
N_TEXTS = 1_600
WORDS = "稀土 磁体 出口管制 China tightens magnet exports prices rise 价格 上涨 again".split()


def texts(n: int = N_TEXTS) -> list[str]:
    rng = np.random.default_rng(0)
    return [f"{' '.join(rng.choice(WORDS, rng.integers(1, 12)))} {i}" for i in range(n)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


class MortalWorker(EncodingWorker):
    """The worker that comes to its third call first is killed in it, as if by the system."""

    will: Path
    n_calls = 0

    def __call__(self, table: Any) -> Any:
        self.n_calls += 1
        if self.n_calls == 3:
            try:
                self.will.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(table)


def test_a_worker_killed_half_way_changes_nothing(
    cluster: None, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = VectorCache(tmp_path / "local")
    reference = local.encode(load_encoder(str(tiny_model), "cpu", "torch-float32"), texts())
    MortalWorker.will = tmp_path / "killed"
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(distributed, "EncodingWorker", MortalWorker)
    (folder,) = distributed.encode_with_ray(
        texts(), tmp_path / "out", None, str(tiny_model), "cpu", "torch-float32", n_workers=2, cpus=0.4
    )
    assert MortalWorker.will.exists()
    cache = VectorCache(tmp_path / "vectors")
    assert cache.import_parquet(folder) == N_TEXTS
    fingerprint = load_encoder(str(tiny_model), "cpu").fingerprint
    assert cache.get(fingerprint, texts()).vectors.tobytes() == reference.tobytes()


def test_parquet_in_parquet_out_and_nothing_twice(cluster: None, tiny_model: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"title": ["稀土涨价", None, "Prices rise"], "text": ["价格上涨", "Only a body.", None], "x": 1}
    )
    frame.to_parquet(tmp_path / "articles.parquet")
    inputs = [model_input(title or "", text or "") for title, text in frame[["title", "text"]].fillna("").to_numpy()]

    def run() -> Path:
        (folder,) = distributed.encode_files_with_ray(
            [tmp_path / "articles.parquet"], tmp_path / "out", str(tiny_model), "cpu", "torch-float32", 1, 0.4
        )
        return folder

    folder = run()
    first = {path.name for path in folder.glob("*.parquet")}
    (folder / "torn.parquet").write_bytes(b"PAR1 was killed")
    assert run() == folder
    assert sum(len(keys) for _, keys, _ in read_vectors(folder)) == 3
    assert first <= {path.name for path in folder.glob("*.parquet")} and not (folder / "torn.parquet").exists()
    cache = VectorCache(tmp_path / "vectors")
    assert cache.import_parquet(folder) == 3
    encoder = load_encoder(str(tiny_model), "cpu", "torch-float32")
    seen = cache.get(encoder.fingerprint, inputs)
    assert seen.found.all()
    assert (seen.vectors * encoder.encode(inputs)).sum(axis=1).min() > 0.999
