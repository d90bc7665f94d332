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
_SHRINK = 0.6  # share of open clusters below which the matrix is cut down to them


def single_similarities(batch: Batch, words: WordOverlap, word_weight: float, across: float = 1.0) -> np.ndarray:
    """(n, n) float32: what `discover.similarities` says, row block by row block; two languages count `across` times."""
    n = len(batch)
    langs = np.unique([base_language(tag) for tag in batch.langs], return_inverse=True)[1]
    weight = np.where(np.arange(langs.max(initial=0) + 1)[:, None] == langs, 1.0, across).astype(np.float32)
    rows = words.rows(batch).astype(np.float32) if word_weight else None
    found = np.empty((n, n), dtype=np.float32)
    for start in range(0, n, _ROWS):  # one triangle, which is mirrored
        end = min(n, start + _ROWS)
        block = found[start:end, start:]
        np.matmul(batch.vectors[start:end], batch.vectors[start:].T, out=block)
        if across != 1.0:
            block *= weight[langs[start:end], start:]
        if rows is not None:
            block += np.float32(word_weight) * (rows[start:end] @ rows[start:].T).toarray()
        for column in range(end, n, _ROWS):  # square by square, each of which fits into a processor's cache
            found[column : column + _ROWS, start:end] = found[start:end, column : column + _ROWS].T
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
    np.clip(similarity, -1.0, 1.0, out=similarity)  # words may lift it above 1, as `granularity.linked` has it
    np.round(similarity, 6, out=similarity)  # so that the last bit of a product cannot decide
    np.fill_diagonal(similarity, -np.inf)
    labels, names, sizes = np.arange(n), np.arange(n), np.ones(n)
    closed = np.zeros(n, dtype=np.float32)  # -inf for a cluster that nothing is compared with any more
    joined: dict[int, list[int]] = {}
    n_open, first, chain = n, 0, list[int]()
    while n_open:
        if n_open < _SHRINK * len(similarity):  # most rows are closed: the others are compared in less memory
            kept_rows = np.flatnonzero(closed == 0)
            similarity, names, sizes = similarity[np.ix_(kept_rows, kept_rows)], names[kept_rows], sizes[kept_rows]
            chain, first = np.searchsorted(kept_rows, chain).tolist(), int(np.searchsorted(kept_rows, first))
            closed = np.zeros(n_open, dtype=np.float32)
        if not chain:
            first += int(np.argmax(closed[first:] == 0))
            chain = [first]
        at = chain[-1]
        near = similarity[at] + closed
        nearest = int(np.argmax(near))
        if len(chain) > 1 and near[chain[-2]] >= near[nearest]:
            nearest = chain[-2]
        if near[nearest] < cut:  # only where the chain is one long: it is a group as it is
            closed[at], n_open = -np.inf, n_open - 1
            chain.pop()
        elif len(chain) > 1 and nearest == chain[-2]:
            chain = chain[:-2]
            kept, gone = min(at, nearest), max(at, nearest)
            total = sizes[kept] + sizes[gone]
            together = (similarity[kept] * sizes[kept] + similarity[gone] * sizes[gone]) / total
            together[kept] = -np.inf
            similarity[kept] = similarity[:, kept] = together
            sizes[kept] = total
            closed[gone], n_open = -np.inf, n_open - 1
            joined.setdefault(int(names[kept]), []).append(int(names[gone]))
            if not chain and closed[first]:
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
