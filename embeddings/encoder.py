"""Text to vectors: the `Encoder` protocol and `load_encoder`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from embeddings.bert_forward import PackedBert, bfloat16_is_native, supports
from embeddings.bundled import HUB_NAME, MODEL_NAME, BundledModelError, bundled_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# A longer text is cut before it is tokenised; no tokenizer makes fewer tokens than this from real text.
_MAX_CHARS_PER_TOKEN = 16
_CPU_TOKENS_PER_BATCH = 4_096
_GPU_TOKENS_PER_BATCH = 65_536
_AGREEMENT = 0.999
_CHECK_TEXTS = [
    "商务部宣布对中重稀土实施出口管制，企业须逐单申领许可证，磁体价格随之上涨。",
    "The ministry tightened export controls on rare earth magnets, and prices rose 3.5 percent.",
    "稀土",
    "OK",
    "Core Insights - 钕铁硼 NdFeB 2025-11-15: the plant in Sumter, South Carolina, made its first block. " * 8,
]


@runtime_checkable
class Encoder(Protocol):
    """What turns texts into vectors; anything with these three members will do.

    `fingerprint` names everything that decides the vectors (model, weights, prompt, maximum length, pooling):
    vectors of different fingerprints are never compared. `encode` gives (n, dimension) float32 of length one,
    with the language still in them, and the same bits for the same list of texts.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str], /) -> np.ndarray: ...


class TransformerEncoder:
    """A sentence-transformers model with its own document prompt, pooling and length.

    Texts are sorted by length and batched by tokens, so that little or nothing is computed for padding. The
    result on a machine depends on nothing but the list of texts. On a CPU, BERT models with mean pooling run
    through `PackedBert`, in bfloat16 if the processor has it and if that agrees with float32 on a check.

    Parameters
    ----------
    model
        A loaded `SentenceTransformer`.
    name
        Shown in the fingerprint.
    weights
        Hash of the weights; by default it is computed, which reads all of them once.
    tokens_per_batch
        Padded tokens in one forward pass; by default what suits the model's device.
    precision
        Of the products on a CPU: `auto`, `float32` or `bfloat16`. The vectors are always float32.
    prompt
        Put before each text; by default what the model wants before a document.

    Attributes
    ----------
    backend
        What computes, and why, in words.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        weights: str | None = None,
        tokens_per_batch: int | None = None,
        precision: str = "auto",
        prompt: str | None = None,
    ) -> None:
        self._model = model.eval()
        self.prompt = _document_prompt(model) if prompt is None else prompt
        self.max_tokens = int(model.max_seq_length or 512)
        pooling = ",".join(_pooling_modes(model)) or "unknown"
        hashed = weights or _hash_weights(model)
        self._fingerprint = f"{name}|{self.prompt}|{self.max_tokens}|{pooling}|{hashed}"
        self._dimension = int(model.get_embedding_dimension() or 0)
        on_cpu = model.device.type == "cpu"
        self._budget = tokens_per_batch or (_CPU_TOKENS_PER_BATCH if on_cpu else _GPU_TOKENS_PER_BATCH)
        self._forward: PackedBert | None = None
        self.backend = f"sentence-transformers on {model.device}"
        if on_cpu and supports(model):
            self._forward, self.backend = self._fastest_forward(precision)

    @property
    def fingerprint(self) -> str:
        """`name|prompt|maximum length|pooling|hash of the weights`."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._dimension

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
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise TypeError("encode needs a list of strings")
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        kept = [text[: self.max_tokens * _MAX_CHARS_PER_TOKEN].strip() for text in texts]
        tokens = self._tokenise(kept)
        lengths = [len(ids) for ids in tokens]
        for rows in token_batches(lengths, self._budget):
            if self._forward is not None:
                vectors[rows] = self._forward([tokens[row] for row in rows])
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

    def _fastest_forward(self, precision: str) -> tuple[PackedBert, str]:
        import torch

        if precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision {precision!r}; there is auto, float32, bfloat16")
        exact = PackedBert(self._model, torch.float32)
        if precision == "float32":
            return exact, "packed BERT, float32: as asked"
        if precision == "auto" and not bfloat16_is_native():
            return exact, "packed BERT, float32: this processor has no bfloat16 of its own"
        fast = PackedBert(self._model, torch.bfloat16)
        tokens = self._tokenise(_CHECK_TEXTS)
        agreement = float((exact(tokens) * fast(tokens)).sum(axis=1).min())
        if precision == "auto" and agreement < _AGREEMENT:
            return exact, f"packed BERT, float32: bfloat16 agrees only to a cosine of {agreement:.5f}"
        return fast, f"packed BERT, bfloat16 products: cosine to float32 at least {agreement:.5f}"


def token_batches(lengths: Sequence[int] | np.ndarray, budget: int) -> list[np.ndarray]:
    """Split rows into batches of similar length whose padded size keeps to a budget.

    Parameters
    ----------
    lengths
        (n,) tokens of each text.
    budget
        Most tokens in a batch, padding counted; a longer text makes a batch of its own.

    Returns
    -------
    list of np.ndarray
        Row numbers, longest texts first, so that a device's memory is tried at once; every row once.

    Example
    -------
    >>> [batch.tolist() for batch in token_batches([3, 9, 4, 4], budget=10)]
    [[1], [2, 3], [0]]
    """
    order = np.argsort(-np.asarray(lengths, np.int64), kind="stable")
    batches, start = [], 0
    while start < len(order):
        size = max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches


def load_encoder(
    name: str = "default", device: str = "auto", precision: str = "auto", prompt: str | None = None
) -> TransformerEncoder:
    """Load a model.

    Parameters
    ----------
    name
        `default` (multilingual-e5-small, from the bundled weights), or any sentence-transformers model name
        or path. Where the package with the weights cannot be installed, `default` comes from the model hub.
    device
        `auto` (an accelerator if there is one), `cpu`, `cuda`, `cuda:1`, `mps`.
    precision, prompt
        See `TransformerEncoder`.

    Returns
    -------
    TransformerEncoder

    Raises
    ------
    ValueError
        The device is not there, or there is neither such a directory nor such a model on the hub.
    BundledModelError
        The default model's weights are damaged, or absent with no hub within reach.
    """
    chosen = _device(device)
    if name != "default":
        shown = Path(name).name if Path(name).exists() else name
        return TransformerEncoder(_load(name, chosen), shown, precision=precision, prompt=prompt)
    try:
        bundled = bundled_model()
    except BundledModelError as error:
        try:
            return TransformerEncoder(_load(HUB_NAME, chosen), MODEL_NAME, precision=precision, prompt=prompt)
        except ValueError:
            raise error from None
    model = _load(str(bundled.directory), chosen)
    return TransformerEncoder(model, MODEL_NAME, bundled.weights, precision=precision, prompt=prompt)


def _load(name: str, device: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    with _quiet():
        try:
            return SentenceTransformer(name, device=device)
        except OSError as error:
            raise ValueError(f"no model {name!r}, neither as a directory nor on the hub: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no notes while a model is loaded."""
    from transformers.utils import logging as transformers_logging

    logger = logging.getLogger("sentence_transformers")
    level, bars = logger.level, transformers_logging.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            transformers_logging.enable_progress_bar()


def _device(wanted: str) -> str:
    import torch

    accelerators = [
        name
        for name, present in [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())]
        if present
    ]
    if wanted == "auto":
        return [*accelerators, "cpu"][0]
    if wanted.partition(":")[0] not in [*accelerators, "cpu"]:
        raise ValueError(f"device {wanted!r} is not here; there is {', '.join([*accelerators, 'cpu'])}")
    return wanted


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
