"""Weak members: what reaches no level goes, for the time being, where its neighbours are.

A level is strict on purpose: of what misses it by a little, half belongs, and a narrative that took it all in would
drift. Neighbours know more, if those that belong nowhere may vote as well. Over five 16-week streams of English
headlines the vote placed 21 texts a stream, of which 55 % belonged and 37 % were of no story (IDF1 .793 -> .795); of
all that reaches .8 of a level and no more 35 to 45 % belongs. A weak member counts in a narrative's volume and in
nothing else, and stays in the pool: it may become a member or found a narrative later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from narratives.affinity import Batch, WordOverlap, joined
from narratives.language import base_language
from narratives.settings import DiscoverSettings

_NEIGHBOURS = 15


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
    words = WordOverlap(joined([asking, voters]), [])
    alike = asking.vectors @ voters.vectors.T
    here, there = (np.array([base_language(tag) for tag in batch.langs]) for batch in (asking, voters))
    alike = np.where(here[:, None] == there, alike, settings.across_languages * alike)
    alike = alike + settings.word_weight * np.asarray((words.rows(asking) @ words.rows(voters).T).todense())
    alike = np.round(alike, 6)  # so that the last bit of a product cannot decide
    found = {}
    for i, article in enumerate(asking.ids):
        close = np.flatnonzero(alike[i] >= cut)
        order = close[np.argsort(-alike[i, close], kind="stable")][: _NEIGHBOURS + 1]
        neighbours = [j for j in order if voters.ids[j] != article][:_NEIGHBOURS]
        votes: dict[str, float] = {}
        for j in neighbours:
            votes[homes[j]] = votes.get(homes[j], 0.0) + float(alike[i, j])
        weight, best = max(((votes.get(name, 0.0), name) for name in near[i]), default=(0.0, ""))
        share = weight / sum(votes.values()) if votes else 0.0
        if best and share >= settings.vote_share:
            found[article] = (best, share)
    return found
