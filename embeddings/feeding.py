"""Keeps GPUs busy: texts are tokenised ahead on the other cores, batches fit the memory, several devices share them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import numpy as np

from embeddings.batches import token_batches

_log = logging.getLogger(__name__)
TEXTS_AHEAD = 4_096  # tokenised while the devices compute those before
_MOST_TOKENS = 262_144
_LEAST_TOKENS = 4_096
_SHARE_OF_MEMORY = 0.6


class DeviceForward(Protocol):
    """A forward pass that comes back before the device has finished; `PackedBert` is one."""

    device: str
    bytes_per_token: int

    def launch(self, token_ids: Sequence[Sequence[int]], /) -> Any: ...


def tokens_that_fit(device: str, bytes_per_token: int) -> int:
    """Tokens of a batch that fit into the free memory of a GPU, with room to spare; a fixed number elsewhere."""
    import torch

    if not device.startswith("cuda"):
        return _LEAST_TOKENS
    free, _ = torch.cuda.mem_get_info(device)
    return int(np.clip(_SHARE_OF_MEMORY * free / bytes_per_token, _LEAST_TOKENS, _MOST_TOKENS))


class Feeder:
    """Runs texts through one forward pass a device.

    Texts are taken longest first, in portions; while the devices compute one portion a thread tokenises the next (the
    tokenizer itself uses all cores). Each device takes batches of similar length from the portion, and copies its
    vectors back once a portion. A batch that does not fit into a device's memory is cut into halves, and that device
    gets smaller batches from then on.

    Parameters
    ----------
    forwards
        One a device.
    tokenise
        Texts to token ids.
    tokens_per_batch
        Padded tokens in a batch; by default what fits into the free memory.
    """

    def __init__(
        self,
        forwards: Sequence[DeviceForward],
        tokenise: Callable[[list[str]], list[list[int]]],
        tokens_per_batch: int | None = None,
    ) -> None:
        self._forwards, self._tokenise = list(forwards), tokenise
        self.budgets = [tokens_per_batch or tokens_that_fit(f.device, f.bytes_per_token) for f in forwards]

    def encode(self, texts: Sequence[str], dimension: int) -> np.ndarray:
        """(n, dimension) float32 vectors of texts."""
        vectors = np.zeros((len(texts), dimension), np.float32)
        order = np.argsort([-len(text) for text in texts], kind="stable")
        portions = [order[start : start + TEXTS_AHEAD] for start in range(0, len(order), TEXTS_AHEAD)]
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(len(self._forwards)) as workers:
            waiting = [ahead.submit(self._tokenise, [texts[row] for row in rows]) for rows in portions[:1]]
            for i, rows in enumerate(portions):
                tokens = waiting.pop().result()
                if i + 1 < len(portions):
                    waiting = [ahead.submit(self._tokenise, [texts[row] for row in portions[i + 1]])]
                vectors[rows] = self._portion(tokens, dimension, workers)
        return vectors

    def _portion(self, tokens: list[list[int]], dimension: int, workers: ThreadPoolExecutor) -> np.ndarray:
        todo: SimpleQueue[np.ndarray] = SimpleQueue()
        for batch in token_batches([len(ids) for ids in tokens], min(self.budgets)):
            todo.put(batch)
        found = np.zeros((len(tokens), dimension), np.float32)
        jobs = [workers.submit(self._work, number, tokens, todo) for number in range(len(self._forwards))]
        for job in jobs:
            for rows, on_device in job.result():
                found[rows] = on_device.cpu().numpy()
        return found

    def _work(
        self, number: int, tokens: list[list[int]], todo: SimpleQueue[np.ndarray]
    ) -> list[tuple[np.ndarray, Any]]:
        """What one device does of a portion: rows and their vectors, still on the device."""
        done: list[tuple[np.ndarray, Any]] = []
        while True:
            try:
                rows = todo.get_nowait()
            except Empty:
                return done
            done += self._launch(number, tokens, rows)

    def _launch(self, number: int, tokens: list[list[int]], rows: np.ndarray) -> list[tuple[np.ndarray, Any]]:
        import torch

        forward = self._forwards[number]
        try:
            return [(rows, forward.launch([tokens[row] for row in rows]))]
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise
        if forward.device.startswith("cuda"):
            torch.cuda.empty_cache()
        half = len(rows) // 2
        size = len(rows) * max(len(tokens[row]) for row in rows)
        self.budgets[number] = max(1, min(self.budgets[number], size) // 2)
        _log.warning("%s: out of memory at %d tokens; batches of %d now", forward.device, size, self.budgets[number])
        return [*self._launch(number, tokens, rows[:half]), *self._launch(number, tokens, rows[half:])]


class ModelForward:
    """Any sentence-transformers model on a GPU, padded, with bfloat16 products where torch deems them safe."""

    def __init__(self, model: Any, device: str) -> None:
        import copy

        there = str(next(model.parameters()).device) == device
        self._model, self.device = (model if there else copy.deepcopy(model).to(device)), device
        config = model.transformers_model.config
        width = int(getattr(config, "hidden_size", 1_024))
        self.bytes_per_token = 48 * width + 8 * int(getattr(config, "intermediate_size", 4 * width))

    def launch(self, token_ids: Sequence[Sequence[int]]) -> Any:
        import torch

        padded = self._model.tokenizer.pad({"input_ids": [list(ids) for ids in token_ids]}, return_tensors="pt")
        features = {name: values.to(self.device) for name, values in padded.items()}
        kind = torch.device(self.device).type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            vectors = self._model(features)["sentence_embedding"].float()
            return torch.nn.functional.normalize(vectors, dim=1)
