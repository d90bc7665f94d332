"""Known narratives first: which of them does an article, or a group of articles, belong to?

Each narrative has a level of its own, calibrated on its members. A plain threshold for all lets large centres
swallow everything (it left 10 % of planted stories to be found, calibrated levels 93 %, over 20-week streams of
English news). Groups are decided before single articles: the mean of several is a sharper measurement, so a new
narrative's first articles are not lost one by one to the nearest old one.

A logistic regression over cosine, overlap, the second-best narrative, shared names and numbers, days apart and
languages decides single articles no better: on headlines, each stream left out in turn, its F1 is .844 against .832;
fitted there and asked on mixed streams .824 against .826. So levels decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from narratives.affinity import Known
from narratives.settings import DiscoverSettings

# Sub-stories of one narrative differ from its mean by about this much (sd), measured on the sample subject.
_STORY_SD = 0.03
_GROUP = 3  # from this many articles on, a group is decided as one
_OF_KNOWN = 0.8  # from this share on a group whose parts each fit a known narrative is no new one
_SMALL = 2  # from this many on, a group may be born together with others


class Pool(NamedTuple):
    """Mean and sd of the scores of members against their own narrative."""

    mean: float
    sd: float


NAMED_POOL = Pool(0.16, 0.07)  # against a definition alone
MEMBER_POOL = Pool(0.35, 0.10)  # against a narrative with members, before any is known
_PRIOR, _MOST, _LEARNED_FROM = 20.0, 50, 5
_SINGLE_SD, _GROUP_SD, _LEAST = 2.1, 2.7, 0.1  # floors: the pool's mean less so many sd
_SINGLE_CUT, _GROUP_CUT = 1.5, 1.15  # floors of what was discovered: so many times the cut


def calibration(
    own: tuple[int, float, float], named: bool, settings: DiscoverSettings, pool: Pool | None = None
) -> tuple[float, float]:
    """Mean and sd of a narrative's member scores, shrunk toward the pooled ones with weight `level_shrinkage`.

    Parameters
    ----------
    own
        Number, mean and variance of the members' leave-one-out scores (`own_scores`).
    named
        A definition's texts are all that is known of a named narrative at first; its pool moves to that of
        narratives with members over its first twenty.
    """
    (n, own_mean, variance), w = own, settings.level_shrinkage
    grown = min(1.0, n / 20) if named else 1.0
    pool = pool or MEMBER_POOL
    mean = (1 - grown) * NAMED_POOL.mean + grown * pool.mean
    sd = (1 - grown) * NAMED_POOL.sd + grown * pool.sd
    if n == 0:
        return mean, sd
    return (n * own_mean + w * mean) / (n + w), ((n * variance + w * sd**2) / (n + w)) ** 0.5


def pooled(known: Sequence[Known]) -> Pool:
    """Mean and sd of members' scores over all narratives with five members and more.

    `MEMBER_POOL` counts as twenty articles, one narrative as fifty at most. In one subject members score .3 against
    their narrative, reports of one event .6; what a newborn may be expected to look like, and what an article must
    reach at least, follows from it.
    """
    total, mean, square = _PRIOR, _PRIOR * MEMBER_POOL.mean, _PRIOR * MEMBER_POOL.sd**2
    for n, own_mean, variance in (k.own for k in known if k.own[0] >= _LEARNED_FROM):
        weight = min(n, _MOST)
        total, mean, square = total + weight, mean + weight * own_mean, square + weight * variance
    return Pool(mean / total, (square / total) ** 0.5)


def floors(pool: Pool, cut: float, named: bool, settings: DiscoverSettings) -> tuple[float, float]:
    """Least score of a single article and least mean score of a group, unless the settings say.

    From the pool; and for what was discovered from the cut that it was found with, because an article that is
    hardly more like a narrative than strangers in one group are like each other is none of it.
    """
    single = max(_LEAST, pool.mean - _SINGLE_SD * pool.sd)
    group = max(_LEAST / 2, pool.mean - _GROUP_SD * pool.sd)
    if not named:
        single, group = max(single, _SINGLE_CUT * cut), max(group, _GROUP_CUT * cut)
    return settings.floor or single, settings.group_floor or group


def group_levels(
    mean: np.ndarray, sd: np.ndarray, n: int, settings: DiscoverSettings, floor: np.ndarray | float | None = None
) -> np.ndarray:
    """Mean score that n articles together must reach, for narratives of these means, sds and floors.

    Higher than for one article: the mean of several scatters less, but for the sd between sub-stories.
    """
    spread = settings.level_sd * np.sqrt(np.asarray(sd) ** 2 / n + _STORY_SD**2)
    return np.maximum(np.asarray(mean) - spread, settings.group_floor if floor is None else floor)


def _parts_of_known(
    scores: np.ndarray,
    reached: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    least: np.ndarray,
    settings: DiscoverSettings,
) -> np.ndarray | None:
    """Of a group that fits no narrative as a whole: is it made of several that are known?

    Each article goes to the narrative that it is most like, and of these parts those count that fit theirs as a group.

    Parameters
    ----------
    scores, reached : (n, n_known)
        Of the group's articles, and whether each reaches the narrative's level by itself.

    Returns
    -------
    (n,) column of each article's narrative, -1 for none; None where such parts are not most of the group, or only one.
    """
    best, found = np.argmax(scores, axis=1), np.full(len(scores), -1)
    for column in np.unique(best):
        own = best == column
        n = int(own.sum())
        level = group_levels(mean[column], sd[column], n, settings, least[column])
        if n >= _GROUP and scores[own, column].mean() >= level:
            found[own] = column
    there = found[found >= 0]
    if len(there) < _OF_KNOWN * len(found) or len(np.unique(there)) < 2:
        return None
    strays = (found < 0) & reached.any(axis=1)
    found[strays] = np.argmax(np.where(reached, scores, -np.inf), axis=1)[strays]
    return found


class Group(NamedTuple):
    """Rows of a batch that hang together and fit nothing known: the nearest narrative, their mean score to it, of how
    many groups they were put together, and the word in their headlines that gathered them, if one did: as headlines
    write it, and as terms are counted."""

    rows: np.ndarray
    nearest: str
    score: float
    n_parts: int = 1
    word: str = ""
    term: str = ""


@dataclass(frozen=True)
class Placement:
    """Where the articles of a batch go.

    `narrative` holds an id or `""` an article, `score` its score to that (or else the best) narrative, `others`
    further narratives that it reaches by itself. `newborn` are the groups that fit nothing known, `small` those of
    them that are too small for a narrative. `near` are, for an article without one, the narratives whose level it
    reaches by `settings.vote_level`.
    """

    narrative: tuple[str, ...]
    score: np.ndarray
    others: tuple[tuple[tuple[str, float], ...], ...]
    newborn: tuple[Group, ...]
    near: tuple[tuple[str, ...], ...] = ()
    small: tuple[Group, ...] = ()


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
    newborn, small = [], []
    open_scores = scores if forbidden is None else np.where(forbidden, -1.0, scores)
    mean = np.array([k.mean for k in known])
    sd = np.array([k.sd for k in known])
    levels = np.array([k.level(settings) for k in known])
    least = np.array([k.group_floor or settings.group_floor for k in known])
    reached = open_scores >= levels if known else np.zeros((n, 0), dtype=bool)
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        if len(rows) >= _GROUP and known:
            together = scores[rows].mean(axis=0)
            fits = together >= group_levels(mean, sd, len(rows), settings, least)
            if forbidden is not None:  # most of it may not go there: it is a story of its own
                fits &= forbidden[rows].mean(axis=0) <= 0.5
            if fits.any():
                # Between narratives that the group as a whole fits, or that it reaches alone, each article
                # decides for itself.
                for row in rows:
                    best = int(np.argmax(np.where(fits | reached[row], open_scores[row], -np.inf)))
                    if open_scores[row, best] >= least[best] / 2:
                        chosen[row] = known[best].id
                continue
            parts = _parts_of_known(open_scores[rows], reached[rows], mean, sd, least, settings)
            if parts is not None:
                for row, column in zip(rows, parts, strict=True):
                    chosen[row] = known[column].id if column >= 0 else ""
                continue
        together = open_scores[rows].mean(axis=0) if known else np.zeros(0)
        nearest = known[int(np.argmax(together))].id if known else ""
        group = Group(rows, nearest, float(together.max()) if known else 0.0)
        if len(rows) >= settings.min_stories:
            newborn.append(group)
            continue
        for row in rows:
            if reached[row].any():
                chosen[row] = known[int(np.argmax(np.where(reached[row], open_scores[row], -np.inf)))].id
        if len(rows) >= _SMALL and not any(chosen[row] for row in rows):
            small.append(group)
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
    nearly = open_scores >= settings.vote_level * levels if known else np.zeros((n, 0), dtype=bool)
    near = tuple(tuple(known[int(j)].id for j in np.flatnonzero(nearly[i])) if not chosen[i] else () for i in range(n))
    return Placement(tuple(chosen), own, others, tuple(newborn), near, tuple(small))
