"""The cache: nothing twice, nothing lost, nothing false, whoever dies and whoever else is writing."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embeddings import VectorCache, encode_articles
from embeddings.planning import plan_batches
from embeddings.transformer import TransformerEncoder

_PROGRAM = Path(__file__).with_name("batch_encoder.py")
_spec = importlib.util.spec_from_file_location("batch_encoder", _PROGRAM)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
BatchEncoder, corpus = _module.BatchEncoder, _module.corpus


def start(folder: Path, n: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    program = [sys.executable, str(_PROGRAM), str(folder), str(n)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def only_folder(cache: Path) -> Path:
    (folder,) = (path.parent for path in cache.glob("*/space.json"))
    return folder


def test_nothing_is_encoded_twice(tmp_path: Path) -> None:
    encoder, texts = BatchEncoder(), [*corpus(100), *corpus(50)]
    first = VectorCache(tmp_path).encode(encoder, texts)
    assert sum(map(len, encoder.batches)) == 100
    again = VectorCache(tmp_path).encode(encoder, texts[::-1])
    assert sum(map(len, encoder.batches)) == 100
    assert again[::-1].tobytes() == first.tobytes()


def test_fresh_and_cached_vectors_are_the_half_precision_value(tmp_path: Path) -> None:
    fresh = VectorCache(tmp_path).encode(BatchEncoder(), corpus(40))
    assert fresh.dtype == np.float32
    assert np.array_equal(fresh, fresh.astype(np.float16).astype(np.float32))


def test_new_texts_do_not_move_old_vectors(tmp_path: Path) -> None:
    cache, encoder = VectorCache(tmp_path), BatchEncoder()
    before = cache.encode(encoder, corpus(70))
    encoder.batches.clear()
    after = cache.encode(encoder, corpus(90))
    assert after[:70].tobytes() == before.tobytes()
    assert sum(map(len, encoder.batches)) == 20


def test_get_neither_encodes_nor_creates(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors")
    assert not cache.get(BatchEncoder.fingerprint, corpus(3)).found.any()
    assert not (tmp_path / "vectors").exists()
    vectors = cache.encode(BatchEncoder(), corpus(3))
    seen = cache.get(BatchEncoder.fingerprint, [*corpus(3), "other"])
    assert seen.found.tolist() == [True, True, True, False]
    assert seen.vectors[:3].tobytes() == vectors.tobytes()


def test_progress_counts_to_the_missing(tmp_path: Path) -> None:
    cache, seen = VectorCache(tmp_path), []
    cache.encode(BatchEncoder(), corpus(10))
    cache.encode(BatchEncoder(), corpus(80), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (70, 70)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_another_model_keeps_the_old_vectors_and_says_what_it_will_cost(tmp_path: Path) -> None:
    cache, old = VectorCache(tmp_path), BatchEncoder()
    assert cache.cost(old, corpus(10)).seconds is None
    cache.encode(old, corpus(60))
    new = BatchEncoder()
    new.fingerprint = "batch-encoder|2"
    cost = cache.cost(new, corpus(60))
    assert (cost.n_texts, cost.n_missing, cost.other_models) == (60, 60, ("batch-encoder|1",))
    known = cache.cost(old, corpus(100))
    assert known.n_missing == 40 and known.seconds is not None and known.seconds > 0
    cache.encode(new, corpus(60))
    assert cache.models() == {"batch-encoder|1": 60, "batch-encoder|2": 60}


def test_an_encoder_that_changes_its_mind_is_refused(tmp_path: Path) -> None:
    class Broken(BatchEncoder):  # type: ignore[misc,valid-type]
        def encode(self, texts, /):  # type: ignore[no-untyped-def]
            return super().encode(texts)[:, :5]

    class Infinite(BatchEncoder):  # type: ignore[misc,valid-type]
        def encode(self, texts, /):  # type: ignore[no-untyped-def]
            return super().encode(texts) * np.inf

    with pytest.raises(ValueError, match="shape"):
        VectorCache(tmp_path).encode(Broken(), corpus(3))
    with pytest.raises(ValueError, match="not finite"):
        VectorCache(tmp_path).encode(Infinite(), corpus(3))
    assert not VectorCache(tmp_path).get(BatchEncoder.fingerprint, corpus(3)).found.any()


@pytest.mark.parametrize("name", ["keys.bin", "vectors.f16"])
@pytest.mark.parametrize("change", [-1, -7, -40, -1000, 13, 4096])
def test_a_torn_tail_is_cut_off_and_made_again(tmp_path: Path, name: str, change: int) -> None:
    whole = VectorCache(tmp_path).encode(BatchEncoder(), corpus(64))
    path = only_folder(tmp_path) / name
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + b"\x5a" * change)
    healed = VectorCache(tmp_path).encode(BatchEncoder(), [*corpus(64), "new"])
    seen = VectorCache(tmp_path).get(BatchEncoder.fingerprint, [*corpus(64), "new"])
    assert seen.found.all()
    assert np.allclose(healed[:64], whole, atol=0.02)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    whole = VectorCache(tmp_path).encode(BatchEncoder(), corpus(32))
    path = only_folder(tmp_path) / "vectors.f16"
    content = bytearray(path.read_bytes())
    content[5 * 2 * BatchEncoder.dimension + 3] ^= 0x10
    path.write_bytes(content)
    assert VectorCache(tmp_path).get(BatchEncoder.fingerprint, corpus(32)).found.sum() == 31
    healed = VectorCache(tmp_path).encode(BatchEncoder(), corpus(32))
    assert np.allclose(healed, whole, atol=0.02)
    assert VectorCache(tmp_path).get(BatchEncoder.fingerprint, corpus(32)).found.all()


def test_parquet_carries_vectors_to_another_cache(tmp_path: Path) -> None:
    here, there = VectorCache(tmp_path / "here"), VectorCache(tmp_path / "there")
    vectors = here.encode(BatchEncoder(), corpus(50))
    assert here.export_parquet(BatchEncoder.fingerprint, tmp_path / "vectors.parquet") == 50
    assert there.import_parquet(tmp_path / "vectors.parquet") == 50
    assert there.import_parquet(tmp_path / "vectors.parquet") == 0
    assert there.get(BatchEncoder.fingerprint, corpus(50)).vectors.tobytes() == vectors.tobytes()


def test_a_parquet_file_from_elsewhere_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"key": [b"0" * 16]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="fingerprint"):
        VectorCache(tmp_path).import_parquet(tmp_path / "other.parquet")


def test_ctrl_c_loses_at_most_one_batch_and_the_next_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    texts = corpus(200)
    reference = VectorCache(tmp_path / "reference").encode(BatchEncoder(), texts)

    def stop(done: int, total: int) -> None:
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VectorCache(tmp_path / "stopped").encode(BatchEncoder(), texts, stop)
    assert VectorCache(tmp_path / "stopped").get(BatchEncoder.fingerprint, texts).found.sum() > 60
    resumed = VectorCache(tmp_path / "stopped").encode(BatchEncoder(), texts)
    assert resumed.tobytes() == reference.tobytes()
    assert not (only_folder(tmp_path / "stopped") / "plan.jsonl").exists()


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    texts = corpus(400)
    reference = VectorCache(tmp_path / "reference").encode(BatchEncoder(), texts)
    processes = [start(tmp_path / "shared", 400) for _ in range(2)]
    assert [process.communicate(timeout=60) and process.returncode for process in processes] == [0, 0]
    cache = VectorCache(tmp_path / "shared")
    assert cache.get(BatchEncoder.fingerprint, texts).vectors.tobytes() == reference.tobytes()
    assert cache.models() == {BatchEncoder.fingerprint: 400}


class WaitingEncoder(BatchEncoder):  # type: ignore[misc,valid-type]
    """Does not end its first batch before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def encode(self, texts, /):  # type: ignore[no-untyped-def]
        self.has_begun.set()
        assert self.may_end.wait(30), "the other one did not come to its end"
        return super().encode(texts)


def test_nobody_waits_for_another_one_with_other_texts(tmp_path: Path) -> None:
    slow, fast = WaitingEncoder(), BatchEncoder()
    with ThreadPoolExecutor(1) as other:
        job = other.submit(VectorCache(tmp_path).encode, slow, corpus(100))
        assert slow.has_begun.wait(30)
        VectorCache(tmp_path).encode(fast, ["one more"])
        slow.may_end.set()
        job.result()
    assert fast.batches == [["one more"]]
    assert VectorCache(tmp_path).get(BatchEncoder.fingerprint, [*corpus(100), "one more"]).found.all()


def test_two_with_the_same_texts_encode_each_batch_once(tmp_path: Path) -> None:
    texts = corpus(400)
    reference = VectorCache(tmp_path / "reference").encode(BatchEncoder(), texts)
    slow, fast = WaitingEncoder(), BatchEncoder()
    n_batches = len(plan_batches({text: text for text in texts}))
    with ThreadPoolExecutor(1) as other:
        job = other.submit(VectorCache(tmp_path / "shared").encode, slow, texts)
        assert slow.has_begun.wait(30)

        def tell(done: int, total: int) -> None:
            if len(fast.batches) >= n_batches // 2:
                slow.may_end.set()

        found = VectorCache(tmp_path / "shared").encode(fast, texts, tell)
        job.result()
    assert len(slow.batches) + len(fast.batches) == n_batches and len(fast.batches) >= n_batches // 2
    assert found.tobytes() == reference.tobytes()


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_that_was_done_and_change_no_bit(tmp_path: Path) -> None:
    rng, texts = random.Random(0), corpus(250)
    reference = VectorCache(tmp_path / "reference").encode(BatchEncoder(), texts)
    n_kills = n_finished = n_before = 0
    while n_kills < 100:
        folder = tmp_path / f"killed-{n_finished}"
        process = start(folder, 250)
        assert process.stdout is not None
        for _ in range(rng.randrange(4)):  # batches that may be finished, so that a busy machine comes on, too
            process.stdout.readline()
        time.sleep(rng.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        n_kills += process.wait() == -signal.SIGKILL
        seen = VectorCache(folder).get(BatchEncoder.fingerprint, texts)
        assert seen.found.sum() >= n_before
        assert seen.vectors[seen.found].tobytes() == reference[seen.found].tobytes()
        n_before = int(seen.found.sum())
        if seen.found.all():
            n_finished, n_before = n_finished + 1, 0
    assert n_finished > 0
    assert VectorCache(folder).encode(BatchEncoder(), texts).tobytes() == reference.tobytes()


@pytest.mark.slow
def test_a_million_vectors_open_in_under_a_second(tmp_path: Path) -> None:
    from embeddings.vector_file import KEY, VectorFile

    file = VectorFile(tmp_path, "million")
    file.create(8)
    keys = np.random.default_rng(0).integers(0, 2**63, 2_000_000, np.uint64).view(KEY)
    file.append(keys, np.zeros((1_000_000, 8), np.float16))
    started = time.process_time()
    assert VectorFile(tmp_path, "million").lookup(keys[::100_000]).found.all()
    assert time.process_time() - started < 1


def test_of_keys_alike_but_for_their_end_each_finds_its_own_last_row(tmp_path: Path) -> None:
    from embeddings.vector_file import KEY, VectorFile

    file = VectorFile(tmp_path, "alike")
    file.create(1)
    keys = np.zeros(40_000, KEY)
    keys["first"], keys["second"] = np.arange(40_000) // 4 + (np.uint64(7) << np.uint64(48)), np.arange(40_000) % 4
    file.append(keys, (np.arange(40_000)[:, None] % 1_000).astype(np.float16))
    file.append(keys[5:6], np.full((1, 1), -1, np.float16))
    asked = keys[[5, 6, 39_999, 0]]
    asked["second"][3] = 9
    found = VectorFile(tmp_path, "alike").lookup(asked)
    assert found.found.tolist() == [True, True, True, False]
    assert found.vectors[:3, 0].tolist() == [-1.0, 6.0, 999.0]


def test_batches_depend_on_the_texts_alone() -> None:
    texts = {text: text for text in corpus(300)}
    backwards = dict(reversed(texts.items()))
    assert plan_batches(texts) == plan_batches(backwards)
    assert sum(map(len, plan_batches(texts))) == 300
    assert len(plan_batches({str(i): "字" * 50_000 for i in range(12)})) == 2


def test_articles_are_encoded_alike_with_and_without_a_cache(tmp_path: Path, tiny: TransformerEncoder) -> None:
    frame = pd.DataFrame(
        {
            "title": ["稀土涨价", None, "Prices rise", "稀土涨价"],
            "text": ["价格上涨", "Only a body.", None, "价格上涨"],
        }
    )
    seen: list[tuple[int, int]] = []
    bare = encode_articles(frame, tiny, progress=lambda done, total: seen.append((done, total)))
    cached = encode_articles(frame, tiny, VectorCache(tmp_path))
    assert bare.tobytes() == cached.tobytes()
    assert seen[-1] == (3, 3)
    assert np.array_equal(bare[0], bare[3])
    assert encode_articles(frame.iloc[:0], tiny).shape == (0, tiny.dimension)
    with pytest.raises(KeyError, match="text"):
        encode_articles(frame[["title"]], tiny)
