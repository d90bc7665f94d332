"""Batches of texts of similar length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
