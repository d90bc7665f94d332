"""Where this week's pool goes: known narratives first, new ones from what hangs together, the rest waits."""

from __future__ import annotations

import numpy as np

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, joined, scores
from narratives.assign import Placement, place
from narratives.births import Births
from narratives.discover import bootstrap_groups, group_articles
from narratives.gathered import Gathered
from narratives.known import countered, make_known
from narratives.neighbours import vote
from narratives.state import Member, StepState
from narratives.step import Step

_BOOTSTRAP_ROUNDS = 4
_FOLLOW_ROUNDS = 3


class Placing:
    """Places the pool of one step; `place` decides into its state."""

    def __init__(self, step: Step, state: StepState) -> None:
        self.step, self.state, self.settings = step, state, step.settings.discover

    def place(self) -> None:
        """Known first; what fits nothing and hangs together becomes a narrative."""
        state, settings = self.state, self.settings
        assert state.pool is not None and state.space is not None
        pool = state.pool
        words = WordOverlap(pool, [k.profile for k in state.known])
        if state.bootstrapping:
            groups = bootstrap_groups(pool, words, state.cut, settings)
            for _ in range(_BOOTSTRAP_ROUNDS - 1):
                placement = self._placed(pool, words, groups, state.known)
                chosen: dict[str, list[str]] = {}
                for article_id, narrative_id in zip(pool.ids, placement.narrative, strict=True):
                    if narrative_id:
                        chosen.setdefault(narrative_id, []).append(article_id)
                self.step.make_known(state, chosen)
                words = WordOverlap(pool, [k.profile for k in state.known])
        elif state.bootstrapped:
            groups = group_articles(pool, words, state.cut, settings)
        else:  # too few articles yet for the mean of a group to say more than each article
            groups = np.arange(len(pool))
        placement = self._placed(pool, words, groups, state.known)
        placement = self.step.ruled.redirected(pool, Gathered(self.step, state).added(placement))
        how = "bootstrap" if state.bootstrapping else "assigned"
        self._take(pool, placement, how)
        if state.bootstrapped:
            Births(self.step, state, words).found(placement)
            self._follow(how)
            if not state.bootstrapping and self.settings.vote_share <= 1:
                self._vote(placement)

    def _placed(self, batch: Batch, words: WordOverlap, groups: np.ndarray, known: list[Known]) -> Placement:
        """Score a batch against narratives and decide."""
        state = self.state
        assert state.space is not None
        found = scores(batch, known, words, self.settings)
        closed = self.step.ruled.closed(state, batch, known)
        # Once a narrative has members, they say better than counter-examples what does not belong.
        if not state.bootstrapped:
            ruled_out = countered(batch, state.space, self.step.said, known)
            closed = ruled_out if closed is None else closed | ruled_out
        return self.step.ruled.redirected(batch, place(found, groups, known, self.settings, closed))

    def _take(self, batch: Batch, placement: Placement, how: str) -> int:
        """Note what a placement has decided; returns how many articles found a narrative."""
        state, n = self.state, 0
        for i, narrative_id in enumerate(placement.narrative):
            if narrative_id:
                n += 1
                way = self.step.ruled.ways.get(batch.ids[i], how)
                state.placed.append(Member(batch.ids[i], narrative_id, float(placement.score[i]), way))
                state.placed += [
                    Member(batch.ids[i], other, score, how, primary=False) for other, score in placement.others[i]
                ]
        return n

    def _follow(self, how: str) -> None:
        """What stayed behind may follow the newborn: narratives grow by their first members, then are asked again."""
        state = self.state
        assert state.pool is not None
        pool = state.pool
        for _ in range(_FOLLOW_ROUNDS if state.born else 0):
            members: dict[str, list[int]] = {}
            at = {article_id: i for i, article_id in enumerate(pool.ids)}
            for member in state.placed:
                if member.primary and member.article_id in at:
                    members.setdefault(member.narrative_id, []).append(at[member.article_id])
            left = np.array(sorted(set(range(len(pool))) - {i for rows in members.values() for i in rows}), dtype=int)
            if not len(left):
                return
            young = [make_known(c.id, pool.take(members[c.id]), None, self.settings) for c in state.born]
            known = [*state.known, *young]
            self.step.calibrate(state, known)
            rest = pool.take(left)
            words = WordOverlap(rest, [k.profile for k in known])
            if not self._take(rest, self._placed(rest, words, np.arange(len(left)), known), how):
                return

    def _vote(self, placement: Placement) -> None:
        """What is still left asks its neighbours: recent members of what it nearly reaches, and all of the pool."""
        state, step = self.state, self.step
        assert state.pool is not None
        home = {m.article_id: m.narrative_id for m in state.placed if m.primary}
        near = {
            article: [name for name in names if name in state.members]
            for article, names in zip(state.pool.ids, placement.near, strict=True)
            if names and article not in home
        }
        asking = state.pool.take([i for i, article in enumerate(state.pool.ids) if near.get(article)])
        if not len(asking):
            return
        since = state.week - (self.settings.buffer_weeks - 1) * weeks.WEEK
        recent = step.recent(sorted({name for names in near.values() for name in names}), since)
        voters = joined([state.pool, step.batch(state, sorted(recent))])
        home_of = recent | home
        homes = [home_of.get(article, "") for article in voters.ids]
        found = vote(asking, [near[i] for i in asking.ids], voters, homes, state.cut, self.settings)
        state.voted += [Member(i, name, share, "vote", weak=True) for i, (name, share) in found.items()]
