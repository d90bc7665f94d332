"""One weekly step: take in, place, discover, score, track, alert. Computed in memory, written in one transaction.

A step reads the archive as the step before left it and writes all of its own or nothing; the same articles in
the same weeks give the same archive, however often the run was killed in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, joined
from narratives.archive import schema
from narratives.assign import calibration, floors, pooled
from narratives.definitions import Definition
from narratives.discover import at_grain, cut_level
from narratives.known import SeedTexts, make_known, seeds_in, sentence_votes
from narratives.latest import Latest
from narratives.material import Material, Row
from narratives.ruled import Ruled
from narratives.settings import Settings
from narratives.space import Space, form_tag
from narratives.state import StepState
from narratives.sums import Cell, added, cell_of, cells_of, known_from, total_of, within
from narratives.term_sums import Profile
from narratives.vocabulary import material_of

if TYPE_CHECKING:
    from narratives.archive import Archive

_CUT_ARTICLES = 1_500  # latest stories whose pairs set the level at which groups are cut
_LARGE = ("profile", "centre")  # of a narrative's row: made anew from its members
_CUT_WEEKS = 4  # the cut is the mean of this many weeks' measurements
_BEFORE_WEEKS = 12  # before the pool's, in which the like of a newborn group is looked for
_BEFORE_MOST = 3_000  # texts looked at


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
        settings = settings.model_copy(update={"discover": at_grain(settings, bool(definitions))})
        self.archive, self.settings, self.material = archive, settings, material
        self.definitions, self.said = list(definitions), said
        self.zone = ZoneInfo(settings.discover.timezone)
        self._rows: dict[str, dict[str, Any]] = {}
        self._spoken: dict[date, dict[date, Profile]] = {}
        self.ruled = Ruled(self)
        self.learned: dict[str, Any] = {}  # the space's running means without the definitions' texts
        self.kept: list[dict[str, Any]] = []  # the means of this week, which its articles keep
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
        told = list(state.arrivals)
        for start in range(0, len(stories), 500):
            some = schema.article.c.story_id.in_(stories[start : start + 500])
            told += self.archive.rows(schema.article, some, schema.article.c.step_week.is_not(None))
        voice_of: dict[str, str] = {}
        # Who was the voice stays it, also with a new text; then the first that was taken in, then the first of all.
        for row in sorted(told, key=lambda row: (not row["is_voice"], row["step_week"] is None, *in_time(row))):
            voice_of.setdefault(row["story_id"], row["id"])
        for row in sorted(state.arrivals, key=in_time):
            self._rows[row["id"]] = row
            voice = voice_of[row["story_id"]]
            if voice == row["id"]:
                state.voices.append(row)
            else:
                state.copies[row["id"]] = voice
        prior = self.material.prior_means
        state.space = space = Space.load(self.archive, prior)
        passages = self.said.rows("passage")
        said = self.said.vectors[passages], [self.said.langs[i] for i in passages]
        earlier_week = bool(self.archive.get_meta("bootstrapped", False))
        vectors = self.material.article_vectors(state.voices, self.encoding)
        space.learn(vectors, [form_tag(row) for row in state.voices])
        self.learned = space.to_json()
        n_voices = int(self.archive.get_meta("n_voices", 0)) + len(state.voices)
        state.bootstrapping = not earlier_week and n_voices >= self.settings.discover.bootstrap_stories
        state.bootstrapped = earlier_week or state.bootstrapping
        space.learn(*said)
        if state.bootstrapped:  # until then no vector is compared with another one
            self.kept = space.keep(state.week)
        state.seeds = seeds_in(space, prior, self.said, self.definitions, self.material)

    def know(self, state: StepState) -> None:
        """Make the narratives that exist ready for assignment, in this week's space."""
        assert state.space is not None
        state.narratives = {row["id"]: row for row in self.archive.rows(schema.narrative, without=_LARGE)}
        state.cut = next((counts["cut"] for counts in self.archive.step_counts() if counts), 0.0)
        living = [i for i, row in state.narratives.items() if row["status"] not in ("merged", "ended")]
        # Few articles, or the first clustering of all: a definition is known by its own texts alone.
        if state.bootstrapping or not state.bootstrapped:
            nobody = self.batch(state, [])
            state.members = Latest(lambda _: (nobody, []), living)
        else:
            most = self.settings.discover.max_members
            state.members = Latest(partial(self.latest, state, limit=most), living)
            state.cells = cells_of(self.archive, living)
            for narrative_id in living:
                if narrative_id not in state.cells and len(state.members[narrative_id]):
                    self._add_up(state, narrative_id)
        self.make_known(state)

    def latest(self, state: StepState, narrative_id: str, limit: int) -> tuple[Batch, list[date]]:
        """The latest members of a narrative and the weeks in which they joined, oldest first."""
        ids = self.joined(narrative_id, limit)[::-1]
        return self.batch(state, [article for article, _ in ids]), [week for _, week in ids]

    def joined(self, narrative_id: str, limit: int | None, week: date | None = None) -> list[tuple[str, date]]:
        """Members of a narrative that count, the latest first; of one week, or of all."""
        table = schema.membership
        query = (
            select(table.c.article_id, table.c.week)
            .where(table.c.narrative_id == narrative_id, table.c.primary, ~table.c.weak, table.c.how != "copy")
            .order_by(table.c.week.desc(), table.c.article_id)
        )
        query = query.limit(limit) if week is None else query.where(table.c.week == week)
        with self.archive.reading() as connection:
            return [(article, joined) for article, joined in connection.execute(query)]

    def recent(self, narratives: Sequence[str], since: date) -> dict[str, str]:
        """Members that joined some narratives since a week, with their narrative."""
        table, found = schema.membership, dict[str, str]()
        for start in range(0, len(narratives), 500):
            query = select(table.c.article_id, table.c.narrative_id).where(
                table.c.narrative_id.in_(narratives[start : start + 500]), table.c.week >= since
            )
            with self.archive.reading() as connection:
                rows = connection.execute(query.where(table.c.primary, ~table.c.weak, table.c.how != "copy"))
                found |= {row.article_id: row.narrative_id for row in rows}
        return found

    def _add_up(self, state: StepState, narrative_id: str) -> None:
        """Sums of a narrative from its latest members, in whole weeks."""
        members, joined = state.members[narrative_id], state.members.weeks(narrative_id)
        parts = {week: members.take([i for i, at in enumerate(joined) if at == week]) for week in sorted(set(joined))}
        if len(members) >= self.settings.discover.max_members:  # of the oldest week there may be more
            first = min(joined)
            parts[first] = self.batch(state, sorted(article for article, _ in self.joined(narrative_id, None, first)))
        seed = state.seeds.get(state.narratives[narrative_id]["slug"] or "")
        found = added([], list(parts.items()), seed, self.settings.discover)
        state.cells[narrative_id], state.totals[narrative_id] = found
        state.added_up.add(narrative_id)

    def total(self, state: StepState, narrative_id: str) -> Cell | None:
        """What a living narrative's latest members add up to; None if it has none."""
        if narrative_id not in state.totals:
            cells = state.cells.get(narrative_id)
            if cells is None:
                members = state.members[narrative_id]
                cells = [cell_of(state.week, members)] if len(members) else []
            most = self.settings.discover.max_members
            state.totals[narrative_id] = total_of(within(cells, most)) if cells else None
        return state.totals[narrative_id]

    def make_known(self, state: StepState, placed: Mapping[str, list[str]] | None = None) -> None:
        """`Known` for every living narrative; `placed` are ids added to their members for the time being."""
        settings, state.known = self.settings.discover, []
        for narrative_id in state.members:
            row = state.narratives[narrative_id]
            seed = state.seeds.get(row["slug"] or "")
            more = (placed or {}).get(narrative_id, [])
            stored = None
            calibrated = not more and row["score_mean"] is not None and row["last_week"]
            if calibrated and (state.week - row["last_week"]) > 2 * weeks.WEEK:
                stored = (row["score_mean"], row["score_sd"])
            total = self.total(state, narrative_id) if state.cells.get(narrative_id) else None
            if total is not None:
                state.known.append(known_from(narrative_id, total, seed, settings, stored))
                continue
            members = state.members[narrative_id]
            if more:
                members = joined([members, self.batch(state, more)])
            if len(members) or seed is not None:
                stored = stored if len(members) else None
                state.known.append(make_known(narrative_id, members, seed, settings, stored))
        state.known += self.ruled.aliases(state)
        self.calibrate(state, state.known)

    def calibrate(self, state: StepState, known: Sequence[Known]) -> None:
        """Levels and floors from how well members of all narratives fit theirs, and from the cut."""
        settings, state.pool_level = self.settings.discover, pooled(known)
        for one in known:
            if one.own[0]:
                one.mean, one.sd = calibration(one.own, one.named, settings, state.pool_level)
            one.floor, one.group_floor = floors(state.pool_level, state.cut, one.named, settings)

    def gather(self, state: StepState) -> None:
        """The pool: this week's voices and those of the last weeks that are still unassigned.

        In the week in which enough stories have come together it is everything so far: the bootstrap.
        """
        assert state.space is not None
        settings = self.settings.discover
        since = None if state.bootstrapping else state.week - (settings.buffer_weeks - 1) * weeks.WEEK
        waiting = self._open_voices(since, unassigned=not state.bootstrapping)
        rows = sorted([*waiting, *state.voices], key=in_time)[-settings.buffer_max :]
        state.pool = self.batch(state, [row["id"] for row in rows])
        self.ruled.settle_homes(state)
        state.measured_cut = settings.event_level or self._measured_cut(state.space, state.voices)
        latest = self.archive.step_counts(_CUT_WEEKS - 1)[::-1] if state.bootstrapped else []
        earlier = [counts.get("measured_cut") for counts in latest]
        state.cut = float(np.mean([*(cut for cut in earlier if cut is not None), state.measured_cut]))
        self.calibrate(state, state.known)

    def _measured_cut(self, space: Space, voices: Sequence[Row]) -> float:
        """Level at which the latest stories are cut."""
        recent = self._open_voices(None, unassigned=False, limit=_CUT_ARTICLES)
        sample = self.material.batch(sorted([*recent, *voices], key=in_time)[-_CUT_ARTICLES:], space)
        return cut_level(sample, WordOverlap(sample, []), self.settings.discover)

    def spoken(self, week: date) -> dict[date, Profile]:
        """Week -> what all its stories spoke of, of the weeks up to one, as the steps before left it."""
        if week not in self._spoken:
            self._spoken[week] = material_of(self.archive, week)
        return self._spoken[week]

    def left_before(self, state: StepState) -> tuple[np.ndarray, int]:
        """What the twelve weeks before the pool's left in no narrative: (n, d) vectors, evenly thinned, and number."""
        assert state.space is not None
        first = state.week - (self.settings.discover.buffer_weeks - 1) * weeks.WEEK
        ids = self._open_ids(first - _BEFORE_WEEKS * weeks.WEEK, unassigned=True, before=first)
        rows = self.rows_of(sorted(ids)[:: max(1, -(-len(ids) // _BEFORE_MOST))])
        return state.space.project(self.material.article_vectors(rows), [form_tag(row) for row in rows]), len(ids)

    def _open_voices(self, since: date | None, unassigned: bool, limit: int | None = None) -> list[dict[str, Any]]:
        """Voices that earlier steps took in, in any order: all, the unassigned ones since a week, the latest ones."""
        return self.rows_of(self._open_ids(since, unassigned, limit))

    def _open_ids(
        self, since: date | None, unassigned: bool, limit: int | None = None, before: date | None = None
    ) -> list[str]:
        article, member = schema.article, schema.membership
        query = select(article.c.id).where(article.c.step_week.is_not(None), article.c.is_voice)
        if since is not None:
            query = query.where(article.c.step_week >= since)
        if before is not None:
            query = query.where(article.c.step_week < before)
        if unassigned:
            placed = select(member.c.article_id).where(member.c.article_id == article.c.id, ~member.c.weak)
            query = query.where(~placed.exists())
        if limit is not None:  # asked to order all of a few weeks, SQLite would walk through every article by its date
            query = query.order_by(article.c.published_at.desc(), article.c.id).limit(limit)
        with self.archive.reading() as connection:
            return list(connection.scalars(query))


def in_time(row: Row) -> tuple[datetime, str]:
    return row["published_at"], row["id"]
