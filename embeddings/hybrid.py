"""The `hybrid` profile: two models' vectors side by side, each with its share of what is left without language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from embeddings.encoder import Encoder


class HybridEncoder:
    """Vectors of several encoders, scaled and laid end to end.

    What counts in a cosine after the language is removed is a part's spread around its mean, and spreads differ
    (a text of multilingual-e5-small keeps .17 of its squared length, one of USE .81): `scales` make up for it. As every
    part has length one and the squared scales sum to one, so has the whole, and whatever subtracts means from it
    subtracts them from each part. `VectorCache` keeps each part as that part's own vectors.

    Parameters
    ----------
    parts
        Encoders.
    scales
        A positive factor for each; only their ratio matters.
    name
        Begins the fingerprint.

    Example
    -------
    >>> class Ones:
    ...     fingerprint, dimension = "ones", 1
    ...     def encode(self, texts, /):
    ...         return np.ones((len(texts), 1), np.float32)
    >>> HybridEncoder([Ones(), Ones()], [3, 4]).encode(["a"]).astype(float).round(2).tolist()
    [[0.6, 0.8]]
    """

    def __init__(self, parts: Sequence[Encoder], scales: Sequence[float], name: str = "hybrid") -> None:
        if len(parts) != len(scales) or not parts or min(scales) <= 0:
            raise ValueError(f"{len(parts)} encoders and the scales {list(scales)}; needed a positive scale for each")
        self.parts = tuple(parts)
        self.scales = tuple(float(scale / np.linalg.norm(scales)) for scale in scales)
        shown = "/".join(f"{scale:.4f}" for scale in self.scales)
        self.fingerprint = "|".join([f"{name} {shown}", *(part.fingerprint for part in parts)])
        self.dimension = sum(part.dimension for part in parts)
        self.backend = "; ".join(str(getattr(part, "backend", part.fingerprint)) for part in parts)

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        """(n, dimension) float32, each row of length one."""
        return join_parts([part.encode(texts) for part in self.parts], self.scales)


def join_parts(parts: Sequence[np.ndarray], scales: Sequence[float]) -> np.ndarray:
    """(n, d1), (n, d2), … and a factor for each -> (n, d1 + d2 + …) float32."""
    return np.concatenate([part * np.float32(scale) for part, scale in zip(parts, scales, strict=True)], axis=1)
