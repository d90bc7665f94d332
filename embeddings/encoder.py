"""Text to vectors: the `Encoder` protocol and `load_encoder`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from embeddings.bundled import HUB_NAME, MODEL_NAME, BundledModelError, bundled_model
from embeddings.fast import FastEncoder
from embeddings.hybrid import HybridEncoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from embeddings.transformer import TransformerEncoder

PROFILES = ("default", "fast", "hybrid")


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


def load_encoder(
    name: str = "default", device: str = "auto", backend: str = "auto", prompt: str | None = None
) -> TransformerEncoder | FastEncoder | HybridEncoder:
    """Load a model.

    Parameters
    ----------
    name
        `default` (multilingual-e5-small, from the bundled weights), `fast` (Universal Sentence Encoder
        multilingual, in numpy, on the CPU), `hybrid` (both), or any sentence-transformers model name or path. Where
        the package with the default's weights cannot be installed, they come from the model hub.
    device
        `auto` (all accelerators, if there are any), `cpu`, `cuda` (all of them), `cuda:1`, `mps`.
    backend
        What computes on a CPU: `auto` (see `embeddings.backends`) or one of `embeddings.backends.BACKENDS`.
    prompt
        Put before each text; by default what the model wants before a document.

    Raises
    ------
    ValueError
        The device or the backend is not there, or there is neither such a directory nor such a model on the hub.
    BundledModelError
        The weights of `default` are damaged, or absent with no hub within reach; those of `fast` are absent.
    """
    if name == "fast":
        return FastEncoder()
    if name == "hybrid":
        return HybridEncoder([load_transformer("default", device, backend, prompt), FastEncoder()], HYBRID_SCALES)
    return load_transformer(name, device, backend, prompt)


def load_transformer(
    name: str = "default", device: str = "auto", backend: str = "auto", prompt: str | None = None
) -> TransformerEncoder:
    """`load_encoder` for all names but `fast` and `hybrid`."""
    from embeddings.transformer import TransformerEncoder

    devices = find_devices(device)
    weights: str | None = None
    if name != "default":
        shown = Path(name).name if Path(name).exists() else name
        model = _load(name, devices[0])
    else:
        shown = MODEL_NAME
        try:
            bundled = bundled_model()
            model, weights = _load(str(bundled.directory), devices[0]), bundled.weights
        except BundledModelError as error:
            try:
                model = _load(HUB_NAME, devices[0])
            except ValueError:
                raise error from None
    return TransformerEncoder(model, shown, weights, backend=backend, prompt=prompt, devices=devices)


def find_devices(wanted: str) -> tuple[str, ...]:
    """Names of the devices to compute on; `auto` and `cuda` take every GPU.

    Raises
    ------
    ValueError
        There is no such device.
    """
    import torch

    gpus = tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    if wanted == "auto":
        return gpus or mps or ("cpu",)
    if wanted == "cuda" and gpus:
        return gpus
    if wanted in (*gpus, *mps, "cpu"):
        return (wanted,)
    raise ValueError(f"device {wanted!r} is not here; there is {', '.join((*gpus, *mps, 'cpu'))}")


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


# With them the squared lengths that e5 and USE keep, once each language's mean is off (.165 and .809 on average over
# the texts that `estimate_languages` reads), stand as .65 to .35.
HYBRID_SCALES = (0.949, 0.315)
