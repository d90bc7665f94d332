"""Average-link groups of thousands of articles: exact, without a distance per pair in double precision.

The nearest-neighbour chain finds the same groups as linking the nearest pair first, in n² steps, and ends early: a
cluster whose nearest neighbour is below the cut can join nothing later, because the mean similarity to two clusters
together is never above that to the nearer one. Twelve thousand articles need one matrix of 576 MB and seconds, where
UMAP and HDBSCAN need a minute and find other groups.

References
----------
Murtagh, A survey of recent advances in hierarchical clustering algorithms, 1983.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narratives.language import base_language

if TYPE_CHECKING:
    from narratives.affinity import Batch
    from narratives.overlap import WordOverlap

_ROWS = 512  # of the matrix at a time


def single_similarities(batch: Batch, words: WordOverlap, word_weight: float, across: float = 1.0) -> np.ndarray:
    """(n, n) float32: what `discover.similarities` says, row block by row block; two languages count `across` times."""
    n = len(batch)
    langs = np.unique([base_language(tag) for tag in batch.langs], return_inverse=True)[1]
    found = np.empty((n, n), dtype=np.float32)
    rows = words.rows(batch) if word_weight else None
    for start in range(0, n, _ROWS):  # one triangle, which is mirrored
        end = min(n, start + _ROWS)
        block = found[start:end, start:]
        np.matmul(batch.vectors[start:end], batch.vectors[start:].T, out=block)
        if across != 1.0:
            block[langs[start:end, None] != langs[None, start:]] *= np.float32(across)
        if rows is not None:
            block += word_weight * (rows[start:end] @ rows[start:].T).toarray()
        found[end:, start:end] = block[:, end - start :].T
    return found


def average_link(similarity: np.ndarray, cut: float) -> np.ndarray:
    """Groups whose members are on average at least `cut` alike.

    Parameters
    ----------
    similarity : (n, n) float32
        Symmetric. Overwritten.

    Returns
    -------
    (n,) int labels: the number of one of its members.

    Example
    -------
    >>> alike = np.array([[1, .9, 0, 0], [.9, 1, 0, .1], [0, 0, 1, .8], [0, .1, .8, 1]], dtype=np.float32)
    >>> average_link(alike.copy(), .5).tolist(), average_link(alike.copy(), .85).tolist()
    ([0, 0, 2, 2], [0, 0, 2, 3])
    """
    n = len(similarity)
    labels = np.arange(n)
    np.clip(similarity, -1.0, 1.0, out=similarity)  # words may lift it above 1, as `granularity.linked` has it
    np.round(similarity, 6, out=similarity)  # so that the last bit of a product cannot decide
    np.fill_diagonal(similarity, -np.inf)
    sizes = np.ones(n)
    joined: dict[int, list[int]] = {}
    is_open = np.ones(n, dtype=bool)
    for first in range(n):
        chain = [first] if is_open[first] else []
        while chain:
            at = chain[-1]
            nearest = int(np.argmax(similarity[at]))
            if len(chain) > 1 and similarity[at, chain[-2]] >= similarity[at, nearest]:
                nearest = chain[-2]
            if similarity[at, nearest] < cut:  # only where the chain is one long: it is a group as it is
                _close(similarity, is_open, at)
                chain.pop()
            elif len(chain) > 1 and nearest == chain[-2]:
                chain = chain[:-2]
                kept, gone = min(at, nearest), max(at, nearest)
                total = sizes[kept] + sizes[gone]
                together = (similarity[kept] * sizes[kept] + similarity[gone] * sizes[gone]) / total
                together[kept] = -np.inf
                _close(similarity, is_open, gone)
                together[~is_open] = -np.inf
                similarity[kept] = similarity[:, kept] = together
                sizes[kept] = total
                joined.setdefault(kept, []).append(gone)
                if not chain and is_open[first]:
                    chain = [first]
                elif not chain:
                    chain = [kept]
            else:
                chain.append(nearest)
    for kept in sorted(joined, reverse=True):
        stack = list(joined[kept])
        while stack:
            member = stack.pop()
            labels[member] = kept
            stack += joined.get(member, [])
    return labels


def _close(similarity: np.ndarray, is_open: np.ndarray, at: int) -> None:
    """Nothing is compared with this cluster any more."""
    is_open[at] = False
    similarity[at] = similarity[:, at] = -np.inf
