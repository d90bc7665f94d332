"""How fine are the narratives of this material? The level at which groups are cut, measured on the material itself.

Stories of one subject are cut best where 88 % of random pairs are less alike, single events in general news where
97 to 99 % are; the distributions of pairs hardly differ, the clusterings do. So the level is the one whose groups
of average-link clustering have the highest mean silhouette, where articles in no group of `min_stories` count as
zero: too low a cut joins strangers, too high a cut leaves everything alone. On ten sets
(rare earths, Chinese events, English headlines, Reuters, a mixture; 28 to 1,500 articles) the cut with the best
silhouette came within .04 BCubed of the best cut on eight; on the two of rare earths, whose narratives are broad, a
coarser one agrees better with the labels, but the usual level there leaves the births in their weeks. Which of the cuts
as good as the best is taken was chosen later, on five replays of English headlines.

On a desk that follows no subject this is not asked (`event_level`): headlines of ten topics are told apart best by
topic, and among them the events of a stream of Chinese news drowned (IDF1 .20, at the level of events .64).

References
----------
Rousseeuw, Silhouettes, 1987; Breiman et al., Classification and Regression Trees, 1984 (the rule of standard errors).
"""

from __future__ import annotations

import numpy as np

# Percentiles of pair similarity that are tried.
TRIED = (50, 60, 66, 72, 76, 80, 83, 86, 88, 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.3, 99.6)
USUAL = 88  # kept unless another cut is clearly better
_ENOUGH = 20  # articles
_EVENT_SD = 3.7
_CERTAIN = 3.0  # standard errors of a paired difference from which one cut is better than another


def measured_cut(similarity: np.ndarray, min_stories: int, finest: bool = True) -> float:
    """The cut whose groups are told apart best.

    Parameters
    ----------
    similarity : (n, n)
        Of the latest stories, at most some 1,500: time and memory grow with n * n.
    min_stories
        Articles that make a group.
    finest
        Of the cuts as good as the best, the finest; else the best itself, where groups cannot be merged later.

    Returns
    -------
    Similarity: the 88th percentile of the pairs, unless another cut is better by three standard errors (of the paired
    difference); then the finest that the best is not better than by as much, or the best. 0 where there are no pairs.
    """
    from scipy.cluster.hierarchy import fcluster

    n = len(similarity)
    pairs = similarity[np.triu_indices(n, 1)]
    if not len(pairs):
        return 0.0
    usual = float(np.percentile(pairs, USUAL))
    if n < _ENOUGH:
        return usual
    cuts = np.percentile(pairs, TRIED)
    tree = linked(similarity)
    each = [silhouettes(similarity, fcluster(tree, 1.0 - cut, "distance"), min_stories) for cut in cuts]
    best = int(np.argmax([values.mean() for values in each]))
    as_good = [i for i, values in enumerate(each) if not _better(each[best], values)]
    if TRIED.index(USUAL) in as_good:
        return usual
    if not finest:
        return float(cuts[best])
    # On a plateau the finest: what is parted can be merged later, and strangers that were joined mislead. Few
    # articles have a wide plateau: the first 300 of a stream of news were cut at their 96th percentile, its
    # later ones at their 99th, when all within 3 % of the best were taken to be as good.
    return float(cuts[as_good[-1]])


def event_level(pairs: np.ndarray) -> float:
    """Level of groups that tell of one event, for an encoder that it is not known for: far above strangers.

    Nearly all pairs of the news are strangers, whose sd is taken from the quartile: pairs that do belong together
    hardly move it. Over streams of English, Chinese, mixed and older news the one level that was best for the default
    encoder lay 3.4 to 4.0 sd above the median.

    Parameters
    ----------
    pairs : (m,)
        Similarities of pairs of texts in one language.
    """
    if not len(pairs):
        return 0.0
    middle, upper = np.percentile(pairs, [50, 75])
    return float(middle + _EVENT_SD * (upper - middle) / 0.6745)


def _better(a: np.ndarray, b: np.ndarray) -> bool:
    """Silhouettes (n,) of one clustering are higher than another's of the same articles, beyond chance."""
    return bool((a - b).mean() > _CERTAIN * (a - b).std() / len(a) ** 0.5)


def silhouettes(similarity: np.ndarray, labels: np.ndarray, min_stories: int) -> np.ndarray:
    """(n,) silhouette of each article; zero for those in groups smaller than `min_stories`.

    The nearest other group is the one with the highest mean similarity; with one group only, it is the rest.

    >>> alike = np.array([[1, .9, 0, 0], [.9, 1, 0, 0], [0, 0, 1, .9], [0, 0, .9, 1]])
    >>> silhouettes(alike, np.array([1, 1, 2, 2]), 2).round(2), silhouettes(alike, np.array([1, 2, 3, 4]), 2)
    (array([0.9, 0.9, 0.9, 0.9]), array([0., 0., 0., 0.]))
    """
    found = np.zeros(len(labels))
    _, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    large = np.flatnonzero(sizes >= max(min_stories, 2))
    if not len(large):
        return found
    inside = np.flatnonzero(np.isin(member, large))
    column = np.searchsorted(large, member[inside])
    at = np.arange(len(inside))
    one_hot = np.zeros((len(labels), len(large)))
    one_hot[inside, column] = 1
    sums = similarity[inside] @ one_hot
    own = (sums[at, column] - 1) / (sizes[large][column] - 1)
    means = sums / sizes[large]
    means[at, column] = -np.inf
    other = means.max(axis=1)
    if len(large) == 1:
        rest = np.setdiff1d(np.arange(len(labels)), inside)
        other = similarity[np.ix_(inside, rest)].mean(axis=1) if len(rest) else np.full(len(inside), own.mean())
    width = np.maximum(1 - own, 1 - other)
    found[inside] = (own - other) / np.maximum(width, 1e-9)
    return found


def linked(similarity: np.ndarray) -> np.ndarray:
    """Average-link tree over 1 - similarity, equal articles tying exactly."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    # Rounded, so that the last bit of a product cannot decide.
    distance = np.round(np.clip(1.0 - similarity, 0.0, 2.0).astype(np.float64), 6)
    distance = np.minimum(distance, distance.T)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(linkage(squareform(distance, checks=False), "average"))
