"""Weak members: what reaches no level goes, for the time being, where its neighbours are.

A level is strict on purpose: of what misses it by a little, half belongs, and a narrative that took it all in would
drift. Neighbours know more, if those that belong nowhere may vote as well. Over five 16-week streams of English
headlines the vote placed 21 texts a stream, of which 55 % belonged and 37 % were of no story (IDF1 .793 -> .795); of
all that reaches .8 of a level and no more 35 to 45 % belongs. A weak member counts in a narrative's volume and in
nothing else, and stays in the pool: it may become a member or found a narrative later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from narratives.affinity import Batch, WordOverlap, joined
from narratives.language import base_language
from narratives.settings import DiscoverSettings

_NEIGHBOURS = 15
_TOGETHER = 64  # articles whose likeness to all voters is computed at once: what fits a processor's cache


def vote(
    asking: Batch,
    near: Sequence[Sequence[str]],
    voters: Batch,
    homes: Sequence[str],
    cut: float,
    settings: DiscoverSettings,
) -> Mapping[str, tuple[str, float]]:
    """Where the nearest neighbours of each article are, if enough of them are in one narrative.

    Parameters
    ----------
    asking
        Articles in no narrative.
    near
        For each, the narratives that it may go to: it nearly reaches their levels.
    voters
        Recent members and articles in no narrative, those who ask among them; nobody votes on himself.
    homes
        Narrative of each voter, "" for none.
    cut
        Who is less alike than this is no neighbour.

    Returns
    -------
    Article -> narrative and its share of the votes, each weighted by likeness, 0 to 1.
    """
    if not len(asking) or not len(voters):
        return {}
    found = {}
    for i, (article, (close, alike)) in enumerate(zip(asking.ids, _close(asking, voters, cut, settings), strict=True)):
        order = np.argsort(-alike, kind="stable")[: _NEIGHBOURS + 1]
        neighbours = [j for j in order if voters.ids[close[j]] != article][:_NEIGHBOURS]
        votes: dict[str, float] = {}
        for j in neighbours:
            home = homes[close[j]]
            votes[home] = votes.get(home, 0.0) + float(alike[j])
        weight, best = max(((votes.get(name, 0.0), name) for name in near[i]), default=(0.0, ""))
        share = weight / sum(votes.values()) if votes else 0.0
        if best and share >= settings.vote_share:
            found[article] = (best, share)
    return found


def _close(
    asking: Batch, voters: Batch, cut: float, settings: DiscoverSettings
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each article that asks the rows of the voters that are as alike as the cut, and how alike they are."""
    words = WordOverlap(joined([asking, voters]), [])
    own, others = words.rows(asking), words.rows(voters).T.tocsr()
    langs = np.unique([base_language(tag) for tag in (*asking.langs, *voters.langs)], return_inverse=True)[1]
    here, there = langs[: len(asking), None], langs[len(asking) :]
    for start in range(0, len(asking), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        alike = asking.vectors[part] @ voters.vectors.T
        alike[here[part] != there] *= settings.across_languages
        said = (own[part] @ others).toarray()
        said *= settings.word_weight
        said += alike
        for row in said:
            near = np.flatnonzero(row >= cut - 1e-5)
            found = np.round(row[near], 6)  # so that the last bit of a product cannot decide
            kept = found >= cut
            yield near[kept], found[kept]
