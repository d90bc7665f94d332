"""The path for GPUs, on a CPU: no padding but in attention, tokenised ahead, memory that runs out, several devices."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from embeddings import feeding
from embeddings.bert_forward import PackedBert
from embeddings.feeding import Feeder, ModelForward, tokens_that_fit
from embeddings.transformer import TransformerEncoder

TEXTS = [f"{'稀土 磁体 出口 ' * (i % 9)}{i}" for i in range(40)]


class SmallMemory:
    """A forward pass on a device that holds so many tokens."""

    bytes_per_token = 100

    def __init__(self, forward: PackedBert, most_tokens: int) -> None:
        self._forward, self._most = forward, most_tokens
        self.device = forward.device
        self.sizes: list[int] = []

    def launch(self, token_ids: Sequence[Sequence[int]]) -> Any:
        import torch

        size = len(token_ids) * max(len(ids) for ids in token_ids)
        self.sizes.append(size)
        if size > self._most:
            raise torch.OutOfMemoryError(f"{size} tokens, room for {self._most}")
        return self._forward.launch(token_ids)


@pytest.fixture(scope="module")
def at_once(tiny: TransformerEncoder) -> PackedBert:
    import torch

    return PackedBert(tiny._model, torch.float32, at_once=True)


@pytest.fixture(scope="module")
def reference(tiny: TransformerEncoder) -> np.ndarray:
    return tiny._model.encode(TEXTS, prompt=tiny.prompt, normalize_embeddings=True)


def least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum(axis=1).min())


def test_attention_of_a_batch_at_once_agrees(
    tiny: TransformerEncoder, at_once: PackedBert, reference: np.ndarray
) -> None:
    assert least_cosine(at_once(tiny._tokenise(TEXTS)), reference) > 0.99999
    assert at_once(tiny._tokenise(["稀土"])).shape == (1, tiny.dimension)


def test_bfloat16_at_once_agrees_for_the_default_model(bundled: TransformerEncoder) -> None:
    import torch

    tokens = bundled._tokenise(["稀土磁体出口管制升级", "China tightens rare earth magnet exports " * 12, "OK"])
    fast = PackedBert(bundled._model, torch.bfloat16, at_once=True)(tokens)
    assert least_cosine(fast, PackedBert(bundled._model, torch.float32)(tokens)) > 0.999


def test_memory_that_runs_out_halves_the_batches_from_then_on(
    tiny: TransformerEncoder, at_once: PackedBert, reference: np.ndarray
) -> None:
    small = SmallMemory(at_once, 100)
    feeder = Feeder([small], tiny._tokenise, tokens_per_batch=1_000)
    assert least_cosine(feeder.encode(TEXTS, tiny.dimension), reference) > 0.99999
    assert max(small.sizes) > 100 and feeder.budgets[0] <= 125
    small.sizes.clear()
    feeder.encode(TEXTS, tiny.dimension)
    assert max(small.sizes) <= 125


def test_a_text_that_does_not_fit_by_itself_is_an_error(tiny: TransformerEncoder, at_once: PackedBert) -> None:
    import torch

    with pytest.raises(torch.OutOfMemoryError, match="room for 3"):
        Feeder([SmallMemory(at_once, 3)], tiny._tokenise, 1_000).encode(TEXTS, tiny.dimension)


def test_two_devices_share_the_batches_and_give_the_same_bits(tiny: TransformerEncoder, at_once: PackedBert) -> None:
    one = Feeder([at_once], tiny._tokenise, 200).encode(TEXTS, tiny.dimension)
    pair = [SmallMemory(at_once, 10_000), SmallMemory(at_once, 10_000)]
    two = Feeder(pair, tiny._tokenise, 200).encode(TEXTS, tiny.dimension)
    assert two.tobytes() == one.tobytes()
    assert sum(len(device.sizes) for device in pair) > 2


def test_the_next_portion_is_tokenised_while_the_device_computes(
    tiny: TransformerEncoder, at_once: PackedBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "TEXTS_AHEAD", 10)
    second = threading.Event()
    calls: list[int] = []

    def tokenise(texts: list[str]) -> list[list[int]]:
        calls.append(len(texts))
        if len(calls) == 2:
            second.set()
        return tiny._tokenise(texts)

    class Waits(SmallMemory):
        def launch(self, token_ids: Sequence[Sequence[int]]) -> Any:
            assert second.wait(20), "nothing was tokenised ahead"
            return super().launch(token_ids)

    Feeder([Waits(at_once, 10_000)], tokenise, 500).encode(TEXTS, tiny.dimension)
    assert calls == [10, 10, 10, 10]


def test_any_model_runs_padded(tiny: TransformerEncoder, reference: np.ndarray) -> None:
    forward = ModelForward(tiny._model, "cpu")
    assert least_cosine(Feeder([forward], tiny._tokenise, 300).encode(TEXTS, tiny.dimension), reference) > 0.99999


def test_an_encoder_on_several_devices_feeds_them_and_says_so(
    tiny: TransformerEncoder, reference: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    both = TransformerEncoder(tiny._model, "tiny", devices=("cpu", "cpu"))
    monkeypatch.setattr(torch, "bfloat16", torch.float32)
    assert least_cosine(both.encode(TEXTS), reference) > 0.99999
    assert both.texts_per_batch > 1_000 and "bfloat16" in both.backend


def test_the_batch_follows_from_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10_000_000_000, 80_000_000_000))
    assert tokens_that_fit("cuda:0", 60_000) == 100_000
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10_000_000, 80_000_000_000))
    assert tokens_that_fit("cuda:0", 60_000) == 4_096


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_processor(bundled: TransformerEncoder) -> None:
    import torch

    from embeddings.encoder import load_transformer

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    texts = ["稀土磁体出口管制升级", "China tightens rare earth magnet exports " * 12, "OK"] * 20
    assert least_cosine(load_transformer("default", "cuda").encode(texts), bundled.encode(texts)) > 0.999
