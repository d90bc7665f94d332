"""What a word has gathered it goes on gathering.

A subject that is told of in many ways is gathered by a word in its headlines (`narratives.bursts`). Its later texts are
as unlike each other as the first were and miss its level, which asks for likeness; and the word is no longer new. They
were left in no narrative, or founded others. So a text whose headline bears the word needs less of the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from narratives.affinity import Known, WordOverlap, scores
from narratives.assign import Group, Placement
from narratives.terms import article_terms

if TYPE_CHECKING:
    from narratives.state import StepState
    from narratives.step import Step

_OF_LEVEL = 0.5  # of the level that others need; at .7 a few fewer come
_MOSTLY = 0.5  # from this share of its texts on a group that hangs together goes there whole, and below it stays whole


class Gathered:
    """Places what bears the word of a narrative, in one step."""

    def __init__(self, step: Step, state: StepState) -> None:
        self.step, self.state, self.settings = step, state, step.settings.discover

    def added(self, placement: Placement) -> Placement:
        """A placement of the pool in which texts of no narrative join the one whose word they bear.

        Of a group that hangs together all texts go where most do, or none: it is an event of its own.
        """
        state = self.state
        assert state.pool is not None
        known = [k for k in state.known if state.narratives[k.id]["gathered_by"]]
        free = np.array([i for i, name in enumerate(placement.narrative) if not name], dtype=int)
        if not known or not len(free):
            return placement
        batch = state.pool.take(free)
        likeness = scores(batch, known, WordOverlap(batch, [k.profile for k in known]), self.settings)
        closed = self.step.ruled.closed(state, batch, known)
        is_open = np.ones_like(likeness, dtype=bool) if closed is None else ~closed
        enough = np.array([_OF_LEVEL * k.level(self.settings) for k in known])
        fits = self._bears(batch.ids, known) & is_open & (likeness >= enough)
        home = np.where(fits.any(axis=1), np.where(fits, likeness, -np.inf).argmax(axis=1), -1)
        at, newborn = np.full(len(state.pool), -1), list[Group]()
        at[free] = np.arange(len(free))
        for group in placement.newborn:
            rows = at[group.rows]
            into = home[rows][home[rows] >= 0]
            if len(into) < _MOSTLY * len(rows):
                newborn.append(group)
                home[rows] = -1
                continue
            most = int(np.bincount(into).argmax())
            home[rows] = np.where((home[rows] < 0) & is_open[rows, most], most, home[rows])
        narrative, score = list(placement.narrative), placement.score.copy()
        for n in np.flatnonzero(home >= 0):
            narrative[free[n]], score[free[n]] = known[home[n]].id, likeness[n, home[n]]
        small = tuple(group for group in placement.small if (home[at[group.rows]] < 0).all())
        return replace(placement, narrative=tuple(narrative), score=score, newborn=tuple(newborn), small=small)

    def _bears(self, ids: Sequence[str], known: Sequence[Known]) -> np.ndarray:
        """(n, n_known) bool: the word that gathered a narrative stands in the headline."""
        words = [self.state.narratives[k.id]["gathered_by"] for k in known]
        heads = [article_terms(row["title"], "") for row in self.step.rows_of(ids)]
        return np.array([[word in head for word in words] for head in heads], dtype=bool)
