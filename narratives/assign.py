"""Known narratives first: which of them does an article, or a group of articles, belong to?

Each narrative has a level of its own, calibrated on its members. A plain threshold for all lets large centres
swallow everything (it left 10 % of planted stories to be found, calibrated levels 93 %, over 20-week streams of
English news). Groups are decided before single articles: the mean of several is a sharper measurement, so a new
narrative's first articles are not lost one by one to the nearest old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from narratives.affinity import Known
from narratives.settings import DiscoverSettings

# Sub-stories of one narrative differ from its mean by about this much (sd), measured on the sample subject.
_STORY_SD = 0.03
_GROUP = 3  # from this many articles on, a group is decided as one
NAMED_POOL = (0.16, 0.07)  # mean and sd of scores against a definition alone
MEMBER_POOL = (0.35, 0.10)  # the same against a narrative with members


def calibration(own: np.ndarray, named: bool, settings: DiscoverSettings) -> tuple[float, float]:
    """Mean and sd of a narrative's member scores, shrunk toward the pooled ones with weight `level_shrinkage`.

    Parameters
    ----------
    own : (n,) leave-one-out scores of the members (`own_scores`); may be empty
    named
        A definition's texts are all that is known of a named narrative at first; its pool moves to that of
        narratives with members over its first twenty.
    """
    n, w = len(own), settings.level_shrinkage
    grown = min(1.0, n / 20) if named else 1.0
    mean, sd = ((1 - grown) * a + grown * b for a, b in zip(NAMED_POOL, MEMBER_POOL, strict=True))
    if n == 0:
        return mean, sd
    spread = float(np.sum((own - own.mean()) ** 2))
    return (float(own.sum()) + w * mean) / (n + w), ((spread + w * sd**2) / (n + w)) ** 0.5


def group_levels(mean: np.ndarray, sd: np.ndarray, n: int, settings: DiscoverSettings) -> np.ndarray:
    """Mean score that n articles together must reach, for narratives of these means and sds.

    Higher than for one article: the mean of several scatters less, but for the sd between sub-stories.
    """
    spread = settings.level_sd * np.sqrt(np.asarray(sd) ** 2 / n + _STORY_SD**2)
    return np.maximum(np.asarray(mean) - spread, settings.group_floor)


@dataclass(frozen=True)
class Placement:
    """Where the articles of a batch go.

    `narrative` holds an id or `""` an article, `score` its score to that (or else the best) narrative, `others`
    further narratives that it reaches by itself. `newborn` are groups (row numbers) that fit nothing known,
    with the nearest known narrative and the group's mean score to it.
    """

    narrative: tuple[str, ...]
    score: np.ndarray
    others: tuple[tuple[tuple[str, float], ...], ...]
    newborn: tuple[tuple[np.ndarray, str, float], ...]


def place(
    scores: np.ndarray,
    groups: np.ndarray,
    known: Sequence[Known],
    settings: DiscoverSettings,
    forbidden: np.ndarray | None = None,
) -> Placement:
    """Decide group by group, then article by article.

    Parameters
    ----------
    scores : (n, n_known)
        Of `affinity.scores`.
    groups : (n,) int
        Of `discover.group_articles`.
    known
        Narratives, in the order of the columns.
    forbidden : (n, n_known) bool, optional
        True where a counter-example is nearer (`known.countered`), or where the analyst has said "not this".

    Returns
    -------
    Placement
    """
    n = len(scores)
    chosen = [""] * n
    newborn = []
    open_scores = scores if forbidden is None else np.where(forbidden, -1.0, scores)
    mean = np.array([k.mean for k in known])
    sd = np.array([k.sd for k in known])
    levels = np.array([k.level(settings) for k in known])
    reached = open_scores >= levels if known else np.zeros((n, 0), dtype=bool)
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        if len(rows) >= _GROUP and known:
            together = scores[rows].mean(axis=0)
            fits = together >= group_levels(mean, sd, len(rows), settings)
            if fits.any():
                # Between narratives that the group as a whole fits, or that it reaches alone, each article
                # decides for itself.
                for row in rows:
                    best = int(np.argmax(np.where(fits | reached[row], open_scores[row], -np.inf)))
                    if open_scores[row, best] >= settings.group_floor / 2:
                        chosen[row] = known[best].id
                continue
        if len(rows) >= settings.min_stories:
            together = open_scores[rows].mean(axis=0) if known else np.zeros(0)
            nearest = known[int(np.argmax(together))].id if known else ""
            newborn.append((rows, nearest, float(together.max()) if known else 0.0))
            continue
        for row in rows:
            if reached[row].any():
                chosen[row] = known[int(np.argmax(np.where(reached[row], open_scores[row], -np.inf)))].id
    best_scores = open_scores.max(axis=1) if known else np.zeros(n)
    index = {k.id: j for j, k in enumerate(known)}
    own = np.array([open_scores[i, index[c]] if c else best_scores[i] for i, c in enumerate(chosen)])
    others = tuple(
        tuple(
            (known[j].id, float(open_scores[i, j]))
            for j in np.argsort(-open_scores[i], kind="stable")
            if chosen[i] and reached[i, j] and known[j].id != chosen[i]
        )
        for i in range(n)
    )
    return Placement(tuple(chosen), own, others, tuple(newborn))
