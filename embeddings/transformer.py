"""Sentence-transformers models as encoders: their own prompt, pooling and length, little or no padding."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.backends import BACKENDS, Choice, choose_backend, make_backend, possible_backends
from embeddings.batches import token_batches
from embeddings.bert_forward import PackedBert, supports
from embeddings.bundled import MODEL_NAME
from embeddings.fast import check_texts
from embeddings.feeding import Feeder, ModelForward

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_log = logging.getLogger(__name__)
# A longer text is cut before it is tokenised; no tokenizer makes fewer tokens than this from real text.
_MAX_CHARS_PER_TOKEN = 16


class TransformerEncoder:
    """A sentence-transformers model with its own document prompt, pooling and length.

    Texts are sorted by length and batched by tokens, so that little or nothing is computed for padding. The
    result on a machine depends on nothing but the list of texts. On a CPU the fastest backend computes that agrees with
    float32 (`embeddings.backends`); on GPUs `Feeder` keeps all of them busy, with bfloat16 products.

    Parameters
    ----------
    model
        A loaded `SentenceTransformer`.
    name
        Shown in the fingerprint.
    weights
        Hash of the weights; by default it is computed, which reads all of them once.
    tokens_per_batch
        Padded tokens in one forward pass; by default what suits the backend, or the GPU's free memory.
    backend
        What computes on a CPU: `auto` (what `$NARRATIVES_BACKEND` says, else the fastest that agrees) or one of
        `embeddings.backends.BACKENDS`, or the beginning of their names. The vectors are always float32.
    prompt
        Put before each text; by default what the model wants before a document.
    devices
        Where to compute; by default where the model is.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        weights: str | None = None,
        tokens_per_batch: int | None = None,
        backend: str = "auto",
        prompt: str | None = None,
        devices: Sequence[str] = (),
    ) -> None:
        self._model = model.eval()
        self.prompt = _document_prompt(model) if prompt is None else prompt
        self.max_tokens = int(model.max_seq_length or 512)
        pooling = ",".join(_pooling_modes(model)) or "unknown"
        hashed = weights or _hash_weights(model)
        self._fingerprint = f"{name}|{self.prompt}|{self.max_tokens}|{pooling}|{hashed}"
        self._key = f"{hashed}-{pooling}"
        self._dimension = int(model.get_embedding_dimension() or 0)
        self._budget = tokens_per_batch
        self._wanted = os.environ.get("NARRATIVES_BACKEND", backend) if backend == "auto" else backend
        if self._wanted != "auto" and not any(name.startswith(self._wanted) for name in BACKENDS):
            raise ValueError(f"backend {self._wanted!r}; there is auto, {', '.join(BACKENDS)}")
        self._devices = tuple(devices) or (str(model.device),)
        self._choice: Choice | None = None
        self._feeder: Feeder | None = None

    @property
    def fingerprint(self) -> str:
        """`name|prompt|maximum length|pooling|hash of the weights`."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._dimension

    @property
    def backend_name(self) -> str:
        """What computes: one of `BACKENDS`, or the kind of device with `-bfloat16`."""
        if self._devices != ("cpu",):
            return f"{self._devices[0].partition(':')[0]}-bfloat16"
        return self._chosen().name

    @property
    def backend(self) -> str:
        """What computes, and why, in words."""
        if self._devices != ("cpu",):
            return f"torch, bfloat16 products, on {', '.join(self._devices)}"
        return f"{self._chosen().name}: {self._chosen().reason}"

    @property
    def texts_per_batch(self) -> int:
        """How many texts a batch that is written down at once should have (32 on a CPU)."""
        return 32 if self._devices == ("cpu",) else 32_768

    def prefer_backend(self, name: str) -> None:
        """Compute as earlier vectors were: a whole name, or the beginning of one. Without effect where it cannot be.

        What was asked for by name when the encoder was made stays, and so does a backend that has computed already.
        """
        if self._wanted != "auto" or self._choice is not None or self._devices != ("cpu",):
            return
        fit = [other for other in possible_backends(self._model) if other.startswith(name)]
        if not fit:
            _log.warning("earlier vectors were computed by %s, which is not here: %s does now", name, self.backend_name)
        elif name in fit:
            self._choice = make_backend(name, "earlier vectors were computed so", self._model, self._key)
        else:
            self._choice = choose_backend(self._model, self._key, self._tokenise, family=name)

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        """Encode texts; a blank one gives the vector of the bare prompt.

        Parameters
        ----------
        texts
            n strings in the form that `model_input` gives; what exceeds the model's length is not read.

        Returns
        -------
        np.ndarray
            (n, dimension), float32, each row of length one.

        Raises
        ------
        TypeError
            A single string was given, or an element is no string.
        """
        check_texts(texts)
        kept = [text[: self.max_tokens * _MAX_CHARS_PER_TOKEN].strip() for text in texts]
        if self._devices != ("cpu",) and callable(self._model.tokenizer):
            return self._feed().encode(kept, self._dimension)
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        tokens = self._tokenise(kept)
        choice = self._chosen()
        for rows in token_batches([len(ids) for ids in tokens], self._budget or choice.tokens_per_batch):
            if choice.forward is not None:
                vectors[rows] = choice.forward([tokens[row] for row in rows])
                continue
            vectors[rows] = self._model.encode(
                [kept[row] for row in rows],
                prompt=self.prompt,
                batch_size=len(rows),
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return vectors

    def _tokenise(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text behind the prompt, at most `max_tokens` of them."""
        if not texts:
            return []
        prompted = [self.prompt + text for text in texts]
        if not callable(self._model.tokenizer):  # static models; only the lengths are used then
            return [list(range(min(len(text), self.max_tokens))) for text in prompted]
        encoded = self._model.tokenizer(prompted, truncation=True, max_length=self.max_tokens)
        return [list(ids) for ids in encoded["input_ids"]]

    def _chosen(self) -> Choice:
        if self._choice is None and self._wanted in BACKENDS:
            self._choice = make_backend(self._wanted, "as asked", self._model, self._key)
        elif self._choice is None:
            family = "" if self._wanted == "auto" else self._wanted
            self._choice = choose_backend(self._model, self._key, self._tokenise, family)
        return self._choice

    def _feed(self) -> Feeder:
        if self._feeder is None:
            import torch

            forwards = [
                PackedBert(self._model, torch.bfloat16, device, at_once=True)
                if supports(self._model)
                else ModelForward(self._model, device)
                for device in self._devices
            ]
            self._feeder = Feeder(forwards, self._tokenise, self._budget)
        return self._feeder


def _document_prompt(model: SentenceTransformer) -> str:
    """What the model wants before a document: its default, else its prompt for documents, else nothing."""
    prompts = model.prompts or {}
    for key in (model.default_prompt_name, "document", "passage"):
        if key is not None and prompts.get(key):
            return str(prompts[key])
    # E5 models on the hub carry no prompts; their card asks for this one.
    card = str(getattr(model.transformers_model.config, "_name_or_path", "")).lower()  # type: ignore[union-attr]
    return "passage: " if MODEL_NAME in card else ""


def _pooling_modes(model: SentenceTransformer) -> list[str]:
    modes: list[str] = []
    for module in model:
        mode: Any = getattr(module, "pooling_mode", None)
        if mode is not None:
            modes += [mode] if isinstance(mode, str) else [str(part) for part in mode]
    return modes


def _hash_weights(model: SentenceTransformer) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all weights in float32."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode("utf-8"))
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
