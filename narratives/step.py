"""One weekly step: take in, place, discover, score, track, alert. Computed in memory, written in one transaction.

A step reads the archive as the step before left it and writes all of its own or nothing; the same articles in
the same weeks give the same archive, however often the run was killed in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, joined, scores, unit
from narratives.archive import schema
from narratives.assign import Placement, calibration, floors, place, pooled
from narratives.definitions import Definition
from narratives.discover import bootstrap_groups, cut_level, group_articles
from narratives.known import SeedTexts, countered, make_known, seeds_in, sentence_votes
from narratives.material import Material, Row
from narratives.ruled import Ruled
from narratives.settings import Settings
from narratives.space import Space
from narratives.state import Cluster, Member, StepState

if TYPE_CHECKING:
    from narratives.archive import Archive

_CUT_ARTICLES = 1_500  # latest stories whose pairs set the level at which groups are cut
_BOOTSTRAP_ROUNDS = 4
_FOLLOW_ROUNDS = 3
# From this kinship on a young narrative has split off. The sample's births: .17 (a split), .15 and .08 (none).
_KINSHIP = 0.16
_KINSHIP_NARRATIVES = 8  # with fewer the measured kinship of strangers means nothing
_CUT_WEEKS = 4  # the cut is the mean of this many weeks' measurements


class Step:
    """The stages of one week, in the order in which the pipeline calls them."""

    def __init__(
        self,
        archive: Archive,
        settings: Settings,
        definitions: Sequence[Definition],
        said: SeedTexts,
        material: Material,
    ) -> None:
        self.archive, self.settings, self.material = archive, settings, material
        self.definitions, self.said = list(definitions), said
        self.zone = ZoneInfo(settings.discover.timezone)
        self._rows: dict[str, dict[str, Any]] = {}
        self.ruled = Ruled(self)
        self.learned: dict[str, Any] = {}  # the space's running means without the definitions' texts
        self.encoding: Callable[[int, int], None] | None = None  # told how many of this week's texts are encoded

    # -- reading ---------------------------------------------------------------------------------------------

    def rows_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of the article table, in the order asked for."""
        missing = sorted({i for i in ids if i not in self._rows})
        if len(self._rows) > 100_000:
            self._rows.clear()
            missing = sorted(set(ids))
        for start in range(0, len(missing), 500):
            for row in self.archive.rows(schema.article, schema.article.c.id.in_(missing[start : start + 500])):
                self._rows[row["id"]] = row
        return [self._rows[i] for i in ids]

    def batch(self, state: StepState, ids: Sequence[str]) -> Batch:
        """Articles as a batch of this week, with their sentences' votes for the definitions."""
        assert state.space is not None
        rows = self.rows_of(ids)
        batch = self.material.batch(rows, state.space)
        if state.bootstrapped:
            return batch
        return replace(batch, votes=sentence_votes(rows, state.space, self.said, state.seeds, self.material))

    def take_in(self, state: StepState) -> None:
        """Tell one voice a story from its copies, and count the voices into the space's running means."""
        stories = sorted({row["story_id"] for row in state.arrivals})
        earlier: dict[str, str] = {}
        for start in range(0, len(stories), 500):
            done = self.archive.rows(
                schema.article,
                schema.article.c.story_id.in_(stories[start : start + 500]),
                schema.article.c.step_week.is_not(None),
            )
            for row in sorted(done, key=_in_time):
                earlier.setdefault(row["story_id"], row["id"])
        for row in sorted(state.arrivals, key=_in_time):
            self._rows[row["id"]] = row
            voice = earlier.setdefault(row["story_id"], row["id"])
            if voice == row["id"]:
                state.voices.append(row)
            else:
                state.copies[row["id"]] = voice
        prior = self.material.prior_means
        state.space = Space.from_json(prior, self.archive.get_meta("space"))
        vectors = self.material.article_vectors(state.voices, self.encoding)
        state.space.learn(vectors, [row["lang"] for row in state.voices])
        self.learned = state.space.to_json()
        n_voices = int(self.archive.get_meta("n_voices", 0)) + len(state.voices)
        earlier_week = bool(self.archive.get_meta("bootstrapped", False))
        state.bootstrapping = not earlier_week and n_voices >= self.settings.discover.bootstrap_stories
        state.bootstrapped = earlier_week or state.bootstrapping
        passages = self.said.rows("passage")
        state.space.learn(self.said.vectors[passages], [self.said.langs[i] for i in passages])
        state.seeds = seeds_in(state.space, prior, self.said, self.definitions, self.material)

    def know(self, state: StepState) -> None:
        """Make the narratives that exist ready for assignment, in this week's space."""
        assert state.space is not None
        limit = self.settings.discover.max_members
        state.narratives = {row["id"]: row for row in self.archive.rows(schema.narrative)}
        measured = [row["counts"]["cut"] for row in self.archive.rows(schema.step) if row["counts"]]
        state.cut = measured[-1] if measured else 0.0
        table = schema.membership
        with self.archive.reading() as connection:
            for row in state.narratives.values():
                if row["status"] in ("merged", "ended"):
                    continue
                # Few articles, or the first clustering of all: a definition is known by its own texts alone.
                if state.bootstrapping or not state.bootstrapped:
                    state.members[row["id"]] = self.batch(state, [])
                    continue
                query = (
                    select(table.c.article_id, table.c.week)
                    .where(table.c.narrative_id == row["id"], table.c.primary, ~table.c.weak, table.c.how != "copy")
                    .order_by(table.c.week.desc(), table.c.article_id)
                    .limit(limit)
                )
                found = connection.execute(query).all()
                ids = [article for article, _ in reversed(found)]
                state.members[row["id"]] = self.batch(state, ids)
                state.member_weeks[row["id"]] = [joined for _, joined in reversed(found)]
        self._make_known(state)

    def _make_known(self, state: StepState, placed: Mapping[str, list[str]] | None = None) -> None:
        """`Known` for every living narrative; `placed` are ids added to their members for the time being."""
        assert state.space is not None
        state.known = []
        for narrative_id, members in state.members.items():
            row = state.narratives[narrative_id]
            added = (placed or {}).get(narrative_id, [])
            if added:
                members = joined([members, self.batch(state, added)])
            seed = state.seeds.get(row["slug"] or "")
            if not len(members) and seed is None:
                continue
            weeks_joined = state.member_weeks.get(narrative_id, [])
            unchanged = not added and row["score_mean"] is not None and weeks_joined and row["last_week"]
            stored = None
            if unchanged and (state.week - row["last_week"]) > 2 * weeks.WEEK:
                stored = (row["score_mean"], row["score_sd"])
            state.known.append(make_known(narrative_id, members, seed, self.settings.discover, stored))
        state.known += self.ruled.aliases(state)
        self._calibrate(state, state.known)

    def _calibrate(self, state: StepState, known: Sequence[Known]) -> None:
        """Levels and floors from how well members of all narratives fit theirs, and from the cut."""
        settings, state.pool_level = self.settings.discover, pooled(known)
        for one in known:
            if one.own[0]:
                one.mean, one.sd = calibration(one.own, one.named, settings, state.pool_level)
            one.floor, one.group_floor = floors(state.pool_level, state.cut, one.named, settings)

    def _kinship(self, known: Sequence[Known]) -> float:
        """Kinship that strangers do not reach: four sd above the median of the pairs of discovered narratives."""
        said = self.settings.discover.kinship
        centres = [k.centre for k in known if not k.named]
        if said or len(centres) < _KINSHIP_NARRATIVES:
            return said or _KINSHIP
        found = np.stack(centres)
        pairs = (found @ found.T)[np.triu_indices(len(found), 1)]
        middle, upper = np.percentile(pairs, [50, 75])  # sd from the quartile: some pairs are no strangers
        return max(_KINSHIP, round(float(middle + 4 * (upper - middle) / 0.6745), 6))

    def gather(self, state: StepState) -> None:
        """The pool: this week's voices and those of the last weeks that are still unassigned.

        In the week in which enough stories have come together it is everything so far: the bootstrap.
        """
        assert state.space is not None
        settings = self.settings.discover
        since = None if state.bootstrapping else state.week - (settings.buffer_weeks - 1) * weeks.WEEK
        waiting = self._open_voices(since, unassigned=not state.bootstrapping)
        rows = sorted([*waiting, *state.voices], key=_in_time)[-settings.buffer_max :]
        state.pool = self.batch(state, [row["id"] for row in rows])
        self.ruled.settle_homes(state)
        recent = self._open_voices(None, unassigned=False, limit=_CUT_ARTICLES)
        sample = self.material.batch(sorted([*recent, *state.voices], key=_in_time)[-_CUT_ARTICLES:], state.space)
        state.measured_cut = cut_level(sample, WordOverlap(sample, []), settings)
        steps = self.archive.rows(schema.step)[-_CUT_WEEKS + 1 :]
        earlier = [row["counts"].get("measured_cut") for row in steps] if state.bootstrapped else []
        state.cut = float(np.mean([*(cut for cut in earlier if cut is not None), state.measured_cut]))
        self._calibrate(state, state.known)

    def _open_voices(self, since: date | None, unassigned: bool, limit: int | None = None) -> list[dict[str, Any]]:
        """Voices that earlier steps took in: all, or the unassigned ones since a week."""
        article, member = schema.article, schema.membership
        query = select(article.c.id).where(article.c.step_week.is_not(None), article.c.is_voice)
        if since is not None:
            query = query.where(article.c.step_week >= since)
        if unassigned:
            query = query.where(~select(member.c.article_id).where(member.c.article_id == article.c.id).exists())
        query = query.order_by(article.c.published_at.desc(), article.c.id)
        with self.archive.reading() as connection:
            ids = list(connection.scalars(query.limit(limit) if limit else query))
        return self.rows_of(ids)

    # -- deciding --------------------------------------------------------------------------------------------

    def place(self, state: StepState) -> None:
        """Known first; what fits nothing and hangs together becomes a narrative."""
        assert state.pool is not None and state.space is not None
        settings = self.settings.discover
        pool = state.pool
        words = WordOverlap(pool, [k.profile for k in state.known])
        if state.bootstrapping:
            groups = bootstrap_groups(pool, words, state.cut, settings)
            for _ in range(_BOOTSTRAP_ROUNDS - 1):
                placement = self._placed(state, pool, words, groups, state.known)
                chosen: dict[str, list[str]] = {}
                for article_id, narrative_id in zip(pool.ids, placement.narrative, strict=True):
                    if narrative_id:
                        chosen.setdefault(narrative_id, []).append(article_id)
                state.members = {i: members.take([]) for i, members in state.members.items()}
                self._make_known(state, chosen)
                words = WordOverlap(pool, [k.profile for k in state.known])
        elif state.bootstrapped:
            groups = group_articles(pool, words, state.cut, settings)
        else:  # too few articles yet for the mean of a group to say more than each article
            groups = np.arange(len(pool))
        placement = self._placed(state, pool, words, groups, state.known)
        how = "bootstrap" if state.bootstrapping else "assigned"
        self._take(state, pool, placement, how)
        if state.bootstrapped:
            self._found(state, placement)
            self._follow(state, how)

    def _placed(
        self, state: StepState, batch: Batch, words: WordOverlap, groups: np.ndarray, known: list[Known]
    ) -> Placement:
        """Score a batch against narratives and decide."""
        assert state.space is not None
        found = scores(batch, known, words, self.settings.discover)
        closed = self.ruled.closed(state, batch, known)
        # Once a narrative has members, they say better than counter-examples what does not belong.
        if not state.bootstrapped:
            ruled_out = countered(batch, state.space, self.said, known)
            closed = ruled_out if closed is None else closed | ruled_out
        return self.ruled.redirected(batch, place(found, groups, known, self.settings.discover, closed))

    def _take(self, state: StepState, batch: Batch, placement: Placement, how: str) -> int:
        """Note what a placement has decided; returns how many articles found a narrative."""
        n = 0
        for i, narrative_id in enumerate(placement.narrative):
            if narrative_id:
                n += 1
                way = self.ruled.ways.get(batch.ids[i], how)
                state.placed.append(Member(batch.ids[i], narrative_id, float(placement.score[i]), way))
                state.placed += [
                    Member(batch.ids[i], other, score, how, primary=False) for other, score in placement.others[i]
                ]
        return n

    def _follow(self, state: StepState, how: str) -> None:
        """What stayed behind may follow the newborn: narratives grow by their first members, then are asked again."""
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
            young = [make_known(c.id, pool.take(members[c.id]), None, self.settings.discover) for c in state.born]
            known = [*state.known, *young]
            self._calibrate(state, known)
            rest = pool.take(left)
            words = WordOverlap(rest, [k.profile for k in known])
            if not self._take(state, rest, self._placed(state, rest, words, np.arange(len(left)), known), how):
                return

    def _found(self, state: StepState, placement: Placement) -> None:
        """Give the newborn groups ids; one that lies close to a discovered narrative has split off it."""
        assert state.pool is not None and state.space is not None
        settings = self.settings.discover
        living = [k for k in state.known if k.id in state.members]
        by_id = {k.id: k for k in living}
        number = max((int(i[1:]) for i in state.narratives), default=0)
        for rows, nearest, score in placement.newborn:
            number += 1
            members = state.pool.take(rows)
            cluster = Cluster(f"N{number:04d}", members.ids, nearest, round(score, 4))
            cluster.bootstrap = state.bootstrapping
            pairs = members.vectors @ members.vectors.T
            n = len(members)
            cluster.cohesion = float((pairs.sum() - np.trace(pairs)) / (n * (n - 1)))
            new = make_known(cluster.id, members, None, settings)
            if not state.bootstrapping:
                cluster.parent, cluster.kinship = self._parent(members, new, living)
            state.born.append(cluster)
            how = "bootstrap" if state.bootstrapping else "discovered"
            own = members.vectors @ new.centre
            state.placed += [Member(i, cluster.id, float(w), how) for i, w in zip(members.ids, own, strict=True)]
            if cluster.parent:
                self._contest(state, cluster, new, by_id[cluster.parent])

    def _parent(self, members: Batch, new: Known, known: Sequence[Known]) -> tuple[str, float]:
        """The discovered narrative that a young one has split off, if any, and their kinship.

        Kinship is the cosine between the centres plus the overlap of the young one's words with the older one's
        profile; where a story divides, places and names stay the same.
        """
        words = WordOverlap(members, [k.profile for k in known])
        kin = [
            (float(new.centre @ k.centre) + float(words.with_profile(members, k.profile).mean()), k.id)
            for k in known
            if not k.named
        ]
        kinship, parent = max(kin, default=(0.0, ""))
        return (parent if kinship >= self._kinship(known) else ""), round(kinship, 4)

    def _contest(self, state: StepState, cluster: Cluster, new: Known, parent: Known) -> None:
        """Recent stories of the parent that lie nearer to the part that split off go with it."""
        members = state.members[parent.id]
        since = state.week - (self.settings.discover.buffer_weeks - 1) * weeks.WEEK
        movable = set(self.ruled.movable(members).ids)
        weeks_joined = zip(members.ids, state.member_weeks[parent.id], strict=True)
        recent = [i for i, (one, joined) in enumerate(weeks_joined) if joined >= since and one in movable]
        for i in recent:
            rest = unit(parent.centre * len(members) - members.vectors[i])
            to_new = float(members.vectors[i] @ new.centre)
            if to_new > float(members.vectors[i] @ rest):
                state.moved.append(Member(members.ids[i], cluster.id, to_new, "split"))


def _in_time(row: Row) -> tuple[datetime, str]:
    return row["published_at"], row["id"]
