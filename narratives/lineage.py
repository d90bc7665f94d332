"""Splits, merges, dormancy: proposals that have to hold before they are carried out.

Cutting every narrative's members anew found 24 of 24 forced splits, with 34 uncalled-for ones over 245
narratives; so a proposal is kept and carried out only when the next review finds it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from narratives.affinity import Batch, WordOverlap, across_share, joined
from narratives.discover import group_articles
from narratives.overlap import profile_of
from narratives.settings import DiscoverSettings

HOLD = 2  # reviews that a proposal must be found in
MERGE_MARGIN = 0.02


@dataclass(frozen=True)
class SplitProposal:
    """The part (article ids) that would leave `narrative`, and the larger one, which keeps the id."""

    narrative: str
    leaving: tuple[str, ...]
    staying: tuple[str, ...] = ()


def propose_split(
    narrative: str, members: Batch, words: WordOverlap, cut: float, settings: DiscoverSettings
) -> SplitProposal | None:
    """Does average-link at the cut take the latest members into two parts of `min_stories` and more each?

    Parameters
    ----------
    members
        The latest stories of the narrative, oldest first.
    """
    if len(members) < 2 * settings.min_stories:
        return None
    labels = group_articles(members, words, cut, settings)
    sizes = np.bincount(labels)
    parts = [int(label) for label in np.argsort(-sizes, kind="stable") if sizes[label] >= settings.min_stories]
    if len(parts) < 2:
        return None
    staying, leaving = (tuple(members.ids[i] for i in np.flatnonzero(labels == part)) for part in parts[:2])
    return SplitProposal(narrative, leaving, staying)


def held(before: Batch, proposal: SplitProposal, members: Batch, cut: float) -> SplitProposal | None:
    """The proposal with the part leaving that was to leave before, or None if neither is that part.

    A part is the same if its texts then and now are on average as alike as those of one group: of a large narrative
    hardly one text is among the latest at both reviews, and of two parts of one size now one is the larger, now the
    other.

    Parameters
    ----------
    before
        What was to leave at the review before.
    members
        That the proposal was made of.
    """
    if not len(before):
        return None
    at = {article: i for i, article in enumerate(members.ids)}

    def alike(part: Sequence[str]) -> float:
        rows = members.vectors[[at[i] for i in part]]
        return float(before.vectors.mean(axis=0) @ rows.mean(axis=0))

    leaving, staying = alike(proposal.leaving), alike(proposal.staying)
    if max(leaving, staying) < cut:
        return None
    if leaving >= staying:
        return proposal
    return SplitProposal(proposal.narrative, proposal.staying, proposal.leaving)


def propose_merges(
    narratives: Mapping[str, Batch], words: WordOverlap, cut: float, settings: DiscoverSettings
) -> list[tuple[str, str]]:
    """Pairs of narratives that are on average as alike as members of one: mean pairwise similarity >= cut + .02.

    The mean over all pairs of two sets is the product of their sums, so no pair of articles is looked at; pairs of two
    languages count more by their share.
    """
    from scipy.sparse import csr_matrix

    names = [name for name, batch in narratives.items() if len(batch)]
    if len(names) < 2:
        return []
    every = joined([narratives[name] for name in names])
    sizes = np.array([len(narratives[name]) for name in names])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    mean_of = csr_matrix((np.repeat(1.0 / sizes, sizes), np.arange(len(every)), starts), shape=(len(names), len(every)))
    means = mean_of @ every.vectors.astype(np.float64)
    alike = means @ means.T * across_share([profile_of(narratives[name], 0) for name in names], settings)
    if settings.group_word_weight:
        profiles = mean_of @ words.rows(every)
        alike = alike + settings.group_word_weight * (profiles @ profiles.T).toarray()
    found = np.argwhere(np.triu(alike >= cut + MERGE_MARGIN, 1))
    return [(names[i], names[j]) for i, j in found]


def status_after(status: str, last_week: date | None, week: date, settings: DiscoverSettings) -> str:
    """Status of a narrative whose latest member came in `last_week`: active, dormant or ended.

    >>> status_after("active", date(2025, 9, 15), date(2025, 11, 10), DiscoverSettings())
    'dormant'
    """
    if status == "merged" or last_week is None:
        return status
    silent = week - last_week
    if silent >= timedelta(weeks=settings.ended_weeks):
        return "ended"
    if silent >= timedelta(weeks=settings.dormant_weeks):
        return "dormant"
    return "active" if status in ("dormant", "ended") else status
