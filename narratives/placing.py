"""Where this week's pool goes: known narratives first, new ones from what hangs together, the rest waits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, joined, scores, unit
from narratives.assign import Group, Placement, place
from narratives.discover import bootstrap_groups, group_articles
from narratives.known import countered, make_known
from narratives.neighbours import vote
from narratives.overlap import Profiles
from narratives.siblings import families
from narratives.state import Cluster, Member, StepState
from narratives.step import Step
from narratives.sums import cell_of

_BOOTSTRAP_ROUNDS = 4
_FOLLOW_ROUNDS = 3
# From this kinship on a young narrative has split off. The sample's births: .21 (a split), .19, .17 and .13 (none).
_KINSHIP = 0.198
_STRANGERS_SD = 6.0  # at four, 36 of 44 births that were said to have split off were other stories (English headlines)
_KINSHIP_NARRATIVES = 8  # with fewer the measured kinship of strangers means nothing


class Placing:
    """Places the pool of one step; `place` decides into its state."""

    def __init__(self, step: Step, state: StepState) -> None:
        self.step, self.state, self.settings = step, state, step.settings.discover

    def _kinship(self, known: Sequence[Known]) -> float:
        """Kinship that strangers do not reach: six sd above the median of the pairs of discovered narratives."""
        said = self.settings.kinship
        centres = [k.centre for k in known if not k.named]
        if said or len(centres) < _KINSHIP_NARRATIVES:
            return said or _KINSHIP
        found = np.stack(centres)
        pairs = (found @ found.T)[np.triu_indices(len(found), 1)]
        middle, upper = np.percentile(pairs, [50, 75])  # sd from the quartile: some pairs are no strangers
        return max(_KINSHIP, round(float(middle + _STRANGERS_SD * (upper - middle) / 0.6745), 6))

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
        how = "bootstrap" if state.bootstrapping else "assigned"
        self._take(pool, placement, how)
        if state.bootstrapped:
            self._found(placement)
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

    def _found(self, placement: Placement) -> None:
        """Give the newborn groups ids; one that lies close to a discovered narrative has split off it."""
        state, settings = self.state, self.settings
        assert state.pool is not None and state.space is not None
        living = [k for k in state.known if k.id in state.members]
        said, kinship = Profiles([k.profile for k in living]), self._kinship(living)
        by_id = {k.id: k for k in living}
        number = max((int(i[1:]) for i in state.narratives), default=0)
        for rows, nearest, score in self._families(placement.newborn):
            number += 1
            members = state.pool.take(rows)
            cluster = Cluster(f"N{number:04d}", members.ids, nearest, round(score, 4))
            cluster.bootstrap = state.bootstrapping
            pairs = members.vectors @ members.vectors.T
            n = len(members)
            cluster.cohesion = float((pairs.sum() - np.trace(pairs)) / (n * (n - 1)))
            new = make_known(cluster.id, members, None, settings)
            if not state.bootstrapping:
                cluster.parent, cluster.kinship = self._parent(members, new, living, said, kinship)
            state.born.append(cluster)
            how = "bootstrap" if state.bootstrapping else "discovered"
            own = members.vectors @ new.centre
            state.placed += [Member(i, cluster.id, float(w), how) for i, w in zip(members.ids, own, strict=True)]
            if cluster.parent:
                self._contest(cluster, new, by_id[cluster.parent])

    def _families(self, newborn: Sequence[Group]) -> list[Group]:
        """The groups that are born: parts of one young story are one; what a young narrative tells goes there."""
        state, step, settings = self.state, self.step, self.settings
        assert state.pool is not None
        if state.bootstrapping or not newborn or settings.sibling > 1:
            return list(newborn)
        pool, since = state.pool, state.week - settings.buffer_weeks * weeks.WEEK
        rows = [(i, state.narratives[i]) for i in sorted(state.members)]
        recent = [
            i for i, row in rows if row["origin"] == "discovered" and row["born_week"] and row["born_week"] > since
        ]
        young = {i: total for i in recent if (total := step.total(state, i)) is not None}
        groups = [cell_of(state.week, pool.take(group.rows)) for group in newborn]
        words = WordOverlap(pool.take([]), [total.profile for total in [*young.values(), *groups]])
        homes = families(list(young.values()), groups, words, settings)
        closed, column = step.ruled.closed(state, pool, state.known), {k.id: j for j, k in enumerate(state.known)}
        born: dict[int, Group] = {}
        for home, group in zip(homes, newborn, strict=True):
            if home >= len(young):
                first = born.get(home, group)
                joint = np.union1d(first.rows, group.rows)
                born[home] = first._replace(rows=joint)
                continue
            name, total = list(young.items())[home]
            into = [i for i in group.rows if closed is None or not closed[i, column[name]]]
            own = pool.vectors[into] @ unit(total.vector)
            state.placed += [Member(pool.ids[i], name, float(w), "assigned") for i, w in zip(into, own, strict=True)]
            kept_out = np.setdiff1d(group.rows, into)
            if len(kept_out) >= settings.min_stories:  # by a decision: they are a story of their own
                born[-len(born) - 1] = group._replace(rows=kept_out)
        return list(born.values())

    def _parent(
        self, members: Batch, new: Known, known: Sequence[Known], said: Profiles, least: float
    ) -> tuple[str, float]:
        """The discovered narrative that a young one has split off, if any, and their kinship.

        Kinship is the cosine between the centres plus the overlap of the young one's words with the older one's
        profile; where a story divides, places and names stay the same. `said` are the profiles of the known ones,
        `least` is the kinship that strangers do not reach.
        """
        words = WordOverlap(members, said)
        found = [k for k in known if not k.named]
        shared = words.with_profiles(members, [k.profile for k in found]).mean(axis=0)
        kin = [(float(new.centre @ k.centre) + float(share), k.id) for k, share in zip(found, shared, strict=True)]
        kinship, parent = max(kin, default=(0.0, ""))
        return (parent if kinship >= least else ""), round(kinship, 4)

    def _contest(self, cluster: Cluster, new: Known, parent: Known) -> None:
        """Recent stories of the parent that lie nearer to the part that split off go with it."""
        state, members = self.state, self.state.members[parent.id]
        since = state.week - (self.settings.buffer_weeks - 1) * weeks.WEEK
        movable = set(self.step.ruled.movable(members).ids)
        weeks_joined = zip(members.ids, state.members.weeks(parent.id), strict=True)
        recent = [i for i, (one, joined) in enumerate(weeks_joined) if joined >= since and one in movable]
        for i in recent:
            rest = unit(parent.centre * len(members) - members.vectors[i])
            to_new = float(members.vectors[i] @ new.centre)
            if to_new > float(members.vectors[i] @ rest):
                state.moved.append(Member(members.ids[i], cluster.id, to_new, "split"))
