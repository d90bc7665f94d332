"""Groups among articles that no known narrative has claimed.

Average-link clustering on similarity, cut at a level taken from random pairs of the same material, finds small
young groups; UMAP and HDBSCAN cut the first, larger set into coarse parts beforehand. UMAP is never asked where
a single article belongs: its answer depends on the batch.
"""

from __future__ import annotations

import numpy as np

from narratives.affinity import Batch, WordOverlap
from narratives.granularity import event_level, linked, measured_cut
from narratives.language import base_language
from narratives.linkage import average_link, single_similarities
from narratives.projection import umap_model
from narratives.settings import DiscoverSettings, Settings

_MAX_LINKED = 4_000  # average-link needs n * n / 2 distances
_MAX_CHAINED = 15_000  # the same groups from one matrix in single precision: 900 MB, and a third more where it shrinks
# Of the default encoder. Of .27 to .39 on replays of English, Chinese and mixed news the one at which no stream loses:
# above it stories told in two languages part, below it Chinese headlines gather by topic.
_EVENT_LEVEL = 0.345
# At the grain of events. Reports of one event share more words than articles on one subject (English headlines: IDF1
# .81 with the weight of subjects, .83); and with 1.6 for two languages .79 of the stories told in both lie in one
# narrative, with 1.4 .58. What that gathers wrongly is not new and is not born (`narratives.novelty`).
_EVENT_WEIGHTS = {"group_word_weight": 0.4, "across_languages": 1.6}


def at_grain(settings: Settings, named: bool) -> DiscoverSettings:
    """The settings with what `auto` stands for; where events are the grain with their level, and weights of their own
    unless they are set.

    Parameters
    ----------
    named
        Whether narratives are defined: they give the desk a subject, and without one nothing says that a narrative is
        broader than an event.
    """
    found = settings.discover
    grain = found.grain if found.grain != "auto" else "subject" if named else "events"
    if grain != "events":
        return found.model_copy(update={"grain": grain, "event_level": 0.0})
    level = found.event_level or (_EVENT_LEVEL if settings.encode.model == "default" else 0.0)
    unset = {name: value for name, value in _EVENT_WEIGHTS.items() if name not in found.model_fields_set}
    return found.model_copy(update={**unset, "grain": grain, "event_level": 0.0 if found.tau_percentile else level})


def cut_level(batch: Batch, words: WordOverlap, settings: DiscoverSettings) -> float:
    """Similarity that separates groups: by the grain, or the `tau_percentile` of all pairs if that is set."""
    similarity = similarities(batch, words, settings)
    if not settings.tau_percentile and settings.grain != "events":
        return measured_cut(similarity, settings.min_stories)
    chosen = np.triu(np.ones((len(batch), len(batch)), dtype=bool), 1)
    if settings.tau_percentile:
        pairs = similarity[chosen]
        return float(np.percentile(pairs, settings.tau_percentile)) if len(pairs) else 0.0
    return event_level(similarity[chosen & ~two_languages(batch)])


def similarities(batch: Batch, words: WordOverlap, settings: DiscoverSettings) -> np.ndarray:
    """(n, n) cosine of meaning plus a little overlap of words.

    At the grain of events two languages count more (`across_languages`): one event is told less alike in them, and the
    level that groups are cut at is one within languages.
    """
    meaning = batch.vectors @ batch.vectors.T
    if settings.grain == "events":
        meaning = np.where(two_languages(batch), settings.across_languages * meaning, meaning)
    if settings.group_word_weight:
        meaning = meaning + settings.group_word_weight * words.between(batch)
    return meaning


def two_languages(batch: Batch) -> np.ndarray:
    """(n, n) bool: the two texts are in different languages."""
    langs = np.array([base_language(tag) for tag in batch.langs], dtype=object)
    found: np.ndarray = langs[:, None] != langs[None, :]
    return found


def group_articles(batch: Batch, words: WordOverlap, cut: float, settings: DiscoverSettings) -> np.ndarray:
    """Average-link groups: members are on average at least `cut` alike.

    Above 4,000 articles from a chain of nearest neighbours (`narratives.linkage`), which takes less memory; above
    15,000 within UMAP + HDBSCAN parts.

    Returns
    -------
    (n,) int labels, numbered by first appearance.
    """
    n = len(batch)
    if n < 2:
        return np.zeros(n, dtype=int)
    if n <= _MAX_LINKED:
        return _numbered(_average_link(similarities(batch, words, settings), cut))
    if n <= _MAX_CHAINED:
        across = settings.across_languages if settings.grain == "events" else 1.0
        return _numbered(average_link(single_similarities(batch, words, settings.group_word_weight, across), cut))
    parts = coarse_parts(batch.vectors, settings)
    labels = np.empty(n, dtype=int)
    offset = 0
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        for start in range(0, len(rows), _MAX_LINKED):
            some = rows[start : start + _MAX_LINKED]
            inner = _average_link(similarities(batch.take(some), words, settings), cut) if len(some) > 1 else [0]
            labels[some] = np.asarray(inner) + offset
            offset = int(labels[some].max()) + 1
    return _numbered(labels)


def bootstrap_groups(batch: Batch, words: WordOverlap, cut: float, settings: DiscoverSettings) -> np.ndarray:
    """The first grouping: UMAP + HDBSCAN coarse, average-link inside each part, and groups alike joined across parts.

    Returns
    -------
    (n,) int labels, numbered by first appearance.

    References
    ----------
    McInnes et al., UMAP, 2018; Campello et al., HDBSCAN, 2013.
    """
    parts = coarse_parts(batch.vectors, settings)
    labels = np.empty(len(batch), dtype=int)
    offset = 0
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        inner = group_articles(batch.take(rows), words, cut, settings)
        labels[rows] = inner + offset
        offset += int(inner.max()) + 1
    if len(batch) <= _MAX_LINKED:
        labels = _join_alike(_numbered(labels), similarities(batch, words, settings), cut)
    return _numbered(labels)


def _join_alike(labels: np.ndarray, similarity: np.ndarray, cut: float) -> np.ndarray:
    """Join groups from different parts, the most alike first, while their mean similarity reaches the cut.

    HDBSCAN parts small sets by language (of 19 sample articles on one matter 12 were found, and their narrative
    had no English keyword); the mean over all pairs of two groups sees that they are one.
    """
    labels = labels.copy()
    while True:
        names, member = np.unique(labels, return_inverse=True)
        if len(names) < 2:
            return labels
        one_hot = np.eye(len(names))[member]
        sizes = one_hot.sum(axis=0)
        means = (one_hot.T @ similarity @ one_hot) / np.outer(sizes, sizes)
        np.fill_diagonal(means, -np.inf)
        a, b = np.unravel_index(int(np.argmax(np.round(means, 6))), means.shape)
        if means[a, b] < cut:
            return labels
        labels[labels == names[b]] = names[a]


def coarse_parts(vectors: np.ndarray, settings: DiscoverSettings) -> np.ndarray:
    """(n,) HDBSCAN labels over ten UMAP dimensions, -1 for what is in no part; one part below 30 articles."""
    n = len(vectors)
    if n < 30:
        return np.zeros(n, dtype=int)
    import hdbscan

    reduced = umap_model(
        n_components=min(10, n - 2),
        n_neighbors=min(15, n - 1),
        min_dist=0.0,
        metric="cosine",
        random_state=settings.seed,
        n_jobs=1,
    ).fit_transform(vectors)
    size = max(settings.min_stories, round(0.0015 * n))
    labels = hdbscan.HDBSCAN(min_cluster_size=size, core_dist_n_jobs=1).fit_predict(reduced)
    return np.asarray(labels, dtype=int)


def _average_link(similarity: np.ndarray, cut: float) -> np.ndarray:
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(linked(similarity), 1.0 - cut, "distance"))


def _numbered(labels: np.ndarray) -> np.ndarray:
    order: dict[int, int] = {}
    return np.array([order.setdefault(int(label), len(order)) for label in labels], dtype=int)
