"""Which groups of the pool are born as narratives, and out of what: new, whole, and with an id."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial

import numpy as np

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, unit
from narratives.assign import Group, Placement
from narratives.bursts import Bursts
from narratives.known import make_known
from narratives.novelty import came_before, chance_of_growth, crowding, nearest_before
from narratives.overlap import Profiles
from narratives.siblings import families
from narratives.state import Cluster, Member, StepState
from narratives.step import Step
from narratives.sums import alike, cell_of

# From this kinship on a young narrative has split off. The sample's births: .21 (a split), .19, .17 and .13 (none).
_KINSHIP = 0.198
_STRANGERS_SD = 6.0  # at four, 36 of 44 births that were said to have split off were other stories (English headlines)
_KINSHIP_NARRATIVES = 8  # with fewer the measured kinship of strangers means nothing
# How many times what is left in no narrative now was left before. From the first on it is asked what came before, from
# the second on small groups may be born together, and only from the third on may be born what stands in a crowd:
# disasters that were gathered in the first weeks as one narrative took in all that came later. But where nothing like
# it came before, the crowd is the rest of its own story.
_SOME_PAST, _ENOUGH_PAST, _LONG_PAST = 0.25, 0.8, 1.4
_CROWDED, _UNSEEN = 0.8, 0.1
# A part of a family may have come before so many times as often: what is routine of itself makes no story of others.
_PART = 1.75
# A group that just missed a narrative of so many members is of it from this share of its own likeness on.
_SETTLED, _SAME = 40, 0.9
_NEAREST = 5  # earlier texts that say how near the like of a group has come before


class Births:
    """Founds the narratives of one step; `found` decides into its state.

    Parameters
    ----------
    words
        Knows the words of the pool and of the known narratives.
    """

    def __init__(self, step: Step, state: StepState, words: WordOverlap) -> None:
        self.step, self.state, self.words, self.settings = step, state, words, step.settings.discover

    def found(self, placement: Placement) -> None:
        """Give the newborn groups ids; one that lies close to a discovered narrative has split off it."""
        state, settings = self.state, self.settings
        assert state.pool is not None and state.space is not None
        living = [k for k in state.known if k.id in state.members]
        said, kinship = Profiles([k.profile for k in living]), self._kinship(living)
        by_id = {k.id: k for k in living}
        number = max((int(i[1:]) for i in state.narratives), default=0)
        for group in self._new(placement):
            number += 1
            members = state.pool.take(group.rows)
            cluster = Cluster(f"N{number:04d}", members.ids, group.nearest, round(group.score, 4))
            cluster.n_parts, cluster.word, cluster.term = group.n_parts, group.word, group.term
            cluster.bootstrap = state.bootstrapping
            pairs = members.vectors @ members.vectors.T
            n = len(members)
            cluster.cohesion = float((pairs.sum() - np.trace(pairs)) / (n * (n - 1)))
            new = make_known(cluster.id, members, None, settings)
            if not state.bootstrapping:
                cluster.parent, cluster.kinship = self._parent(members, new, living, said, kinship)
                cluster.told_before = self._told_before(members.vectors)
            state.born.append(cluster)
            how = "bootstrap" if state.bootstrapping else "discovered"
            own = members.vectors @ new.centre
            state.placed += [Member(i, cluster.id, float(w), how) for i, w in zip(members.ids, own, strict=True)]
            if cluster.parent:
                self._contest(cluster, new, by_id[cluster.parent])

    def _new(self, placement: Placement) -> list[Group]:
        """The groups that are born: whole, and at the grain of events only if their like has not come all along.

        Of one subject something like it has always come. What is not new stays in the pool.
        """
        state, settings = self.state, self.settings
        assert state.pool is not None
        if state.bootstrapping:
            return self._families(placement.newborn)
        asked = [self._beyond_nearest(group) for group in placement.newborn]
        newborn = [group for group in asked if len(group.rows) >= settings.min_stories]
        if settings.grain != "events":
            return self._families(newborn)
        left = np.array([not name for name in placement.narrative])
        for group, rest in zip(placement.newborn, asked, strict=True):
            left[np.setdiff1d(group.rows, rest.rows)] = False
        born, kept = self._events(newborn, placement.small, left)
        taken = {member.article_id for member in state.placed if member.primary}
        left &= np.array([article not in taken for article in state.pool.ids])
        born, gathered = Bursts(self.step, state, self.words).gather(born, left, partial(self._is_new, left=left))
        born += self._families(gathered)
        rows = np.concatenate([kept[:0], *(group.rows for group in born)])
        state.kept_back = len(np.setdiff1d(kept, rows))
        return born

    def _events(
        self, newborn: Sequence[Group], small: Sequence[Group], left: np.ndarray
    ) -> tuple[list[Group], np.ndarray]:
        """Those of the groups, and of families of small ones, whose like has not come before; and rows of the others.

        Parameters
        ----------
        left : (n_pool,) bool
            Texts of the pool that are in no narrative.
        """
        state, settings, kept = self.state, self.settings, list[Group]()
        if not newborn and not small:
            return [], np.zeros(0, dtype=int)
        assert state.pool is not None
        past = self._past(left)
        parts = [*newborn, *(small if past >= _ENOUGH_PAST else ())]
        if settings.came_before >= 2:
            return self._families(parts), np.zeros(0, dtype=int)
        vectors, row_of = state.pool.vectors[left], np.cumsum(left) - 1
        if past >= _SOME_PAST:
            parts, kept = _parted(parts, self._new_to([row_of[p.rows] for p in parts], vectors, _PART))
        families = self._families(parts)
        rows = [row_of[family.rows] for family in families]
        new = np.array([past >= _LONG_PAST or crowding(own, vectors) < _CROWDED for own in rows], dtype=bool)
        if past >= _SOME_PAST:
            new = self._new_to(rows, vectors, np.where(new, 1.0, _UNSEEN / settings.came_before))
        born, others = _parted(families, new)
        large = [group.rows for group in [*kept, *others] if len(group.rows) >= settings.min_stories]
        return born, np.concatenate([np.zeros(0, dtype=int), *large])

    def _new_to(self, groups: Sequence[np.ndarray], left: np.ndarray, times: np.ndarray | float) -> np.ndarray:
        """Which groups are new to what was left before: seldom seen, or grown beyond chance.

        Parameters
        ----------
        times
            Of the share that may have come before.
        """
        settings, older = self.settings, self._left_before[0]
        new: np.ndarray = came_before(groups, left, older) < times * settings.came_before
        often = [group for group, is_new in zip(groups, new, strict=True) if not is_new]
        new[~new] = chance_of_growth(often, left, older, settings.min_stories) < settings.grown_p_value
        return new

    @cached_property
    def _left_before(self) -> tuple[np.ndarray, int]:
        return self.step.left_before(self.state)

    def _past(self, left: np.ndarray) -> float:
        """How many times what is left in no narrative now was left before."""
        return self._left_before[1] / max(1, left.sum())

    def _told_before(self, group: np.ndarray) -> float:
        """How near the nearest texts of the weeks before come to a group; 0 where it is not asked."""
        older, n = self._left_before if self.settings.grain == "events" else (group[:0], 0)
        return nearest_before(group, older, max(1, round(_NEAREST * len(older) / n))) if len(older) else 0.0

    def _is_new(self, own: np.ndarray, left: np.ndarray) -> bool:
        """Whether hardly anything like these rows of what is left has come before, as far as there was a past."""
        if self.settings.came_before >= 2 or self._past(left) < _SOME_PAST:
            return True
        assert self.state.pool is not None
        (came,) = came_before([own], self.state.pool.vectors[left], self._left_before[0])
        return bool(came < self.settings.came_before)

    def _beyond_nearest(self, group: Group) -> Group:
        """What of a group is not of its nearest narrative: nothing, if it just missed a discovered one and is no more
        like itself than like that; but for what a decision keeps out."""
        state, settings = self.state, self.settings
        assert state.pool is not None
        row = state.narratives.get(group.nearest)
        total = self.step.total(state, group.nearest) if row and row["origin"] == "discovered" else None
        if total is None or total.n < _SETTLED:
            return group
        own = cell_of(state.week, state.pool.take(group.rows))
        words = WordOverlap(state.pool.take([]), [total.profile, own.profile])
        likeness = alike([total, own], words, settings)
        if likeness[0, 1] < _SAME * likeness[1, 1]:
            return group
        return group._replace(rows=self._take_in(group.rows, group.nearest, total.vector))

    def _take_in(self, rows: np.ndarray, name: str, vector: np.ndarray) -> np.ndarray:
        """Rows of the pool join a narrative, but for those that a decision keeps out: these are returned."""
        state = self.state
        assert state.pool is not None
        closed, column = self.step.ruled.closed(state, state.pool, state.known), [k.id for k in state.known]
        into = [i for i in rows if closed is None or not closed[i, column.index(name)]]
        own = state.pool.vectors[into] @ unit(vector)
        ids = [state.pool.ids[i] for i in into]
        state.placed += [Member(i, name, float(w), "assigned") for i, w in zip(ids, own, strict=True)]
        return np.setdiff1d(rows, into)

    def _families(self, newborn: Sequence[Group]) -> list[Group]:
        """Parts of one young story are one; what a young narrative tells goes there. Those that are large enough."""
        state, step, settings = self.state, self.step, self.settings
        assert state.pool is not None
        if state.bootstrapping or not newborn or settings.sibling > 1:
            return [group for group in newborn if len(group.rows) >= settings.min_stories]
        pool, since = state.pool, state.week - settings.buffer_weeks * weeks.WEEK
        rows = [(i, state.narratives[i]) for i in sorted(state.members)]
        recent = [
            i for i, row in rows if row["origin"] == "discovered" and row["born_week"] and row["born_week"] > since
        ]
        young = {i: total for i in recent if (total := step.total(state, i)) is not None}
        groups = [cell_of(state.week, pool.take(group.rows)) for group in newborn]
        words = WordOverlap(pool.take([]), [total.profile for total in [*young.values(), *groups]])
        homes = families(list(young.values()), groups, words, settings)
        born: dict[int, Group] = {}
        for home, group in zip(homes, newborn, strict=True):
            if home >= len(young):
                first = born.get(home)
                if first is not None:
                    group = first._replace(rows=np.union1d(first.rows, group.rows), n_parts=first.n_parts + 1)
                born[home] = group
                continue
            name, total = list(young.items())[home]
            kept_out = self._take_in(group.rows, name, total.vector)
            if len(kept_out) >= settings.min_stories:  # by a decision: they are a story of their own
                born[-len(born) - 1] = group._replace(rows=kept_out)
        return [group for group in born.values() if len(group.rows) >= settings.min_stories]

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
        """Recent stories of the parent that lie nearer to the part that split off go with it; of several parts with
        the nearest."""
        state, members = self.state, self.state.members[parent.id]
        since = state.week - (self.settings.buffer_weeks - 1) * weeks.WEEK
        assert state.pool is not None
        movable = set(self.step.ruled.movable(members).ids) - set(state.pool.ids)  # a new text is placed by itself
        weeks_joined = zip(members.ids, state.members.weeks(parent.id), strict=True)
        recent = [i for i, (one, joined) in enumerate(weeks_joined) if joined >= since and one in movable]
        for i in recent:
            rest = unit(parent.centre * len(members) - members.vectors[i])
            to_new = float(members.vectors[i] @ new.centre)
            taken = next((one for one in state.moved if one.article_id == members.ids[i]), None)
            if to_new > float(members.vectors[i] @ rest) and (taken is None or to_new > taken.weight):
                state.moved = [one for one in state.moved if one is not taken]
                state.moved.append(Member(members.ids[i], cluster.id, to_new, "split"))


def _parted(groups: Sequence[Group], chosen: np.ndarray) -> tuple[list[Group], list[Group]]:
    """Those that are chosen, and the others."""
    pairs = list(zip(groups, chosen, strict=True))
    return [group for group, is_in in pairs if is_in], [group for group, is_in in pairs if not is_in]
