"""The standing decisions inside a step: fixed places first, barred places closed, joined narratives found as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from narratives.affinity import Batch, Known, nearest_seeds
from narratives.archive import schema
from narratives.assign import Placement
from narratives.claims import UNSCORED, unscored
from narratives.known import make_known
from narratives.rulings import SEEN, Alias, Rulings
from narratives.state import Member, StepState

if TYPE_CHECKING:
    from narratives.step import Step


class Ruled:
    """What one step asks of the standing decisions.

    Parameters
    ----------
    step
        Whose archive the decisions are in.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.rulings = Rulings.load(step.archive)
        self.ways: dict[str, str] = {}  # article -> how it joined, where that was by way of an alias
        self._counters: dict[str, np.ndarray] = {}

    def unscored(self) -> dict[str, str]:
        """Article -> narrative where a decision or a merge since the last step left no score toward the claim."""
        archive = self.step.archive
        decided = self.rulings.latest > int(archive.get_meta(SEEN, 0))
        if not decided and not archive.get_meta(UNSCORED):
            return {}
        with archive.reading() as connection:
            every = connection.scalars(select(schema.narrative.c.id)) if decided else archive.get_meta(UNSCORED)
            return unscored(connection, list(every))

    def stories(self, batch: Batch) -> list[str]:
        return [str(row["story_id"]) for row in self.step.rows_of(list(batch.ids))]

    def settle_homes(self, state: StepState) -> None:
        """Put what has a fixed place there; the rest of the pool is open."""
        if not self.rulings.home or state.pool is None:
            return
        open_rows = []
        for i, story in enumerate(self.stories(state.pool)):
            home = self.rulings.home.get(story)
            if home is None:
                open_rows.append(i)
            else:
                state.placed.append(Member(state.pool.ids[i], home, 1.0, "decision"))
        state.pool = state.pool.take(open_rows)

    def movable(self, members: Batch) -> Batch:
        """Members whose place no decision fixes: neither named by one nor there by way of a merged narrative."""
        fixed = {
            article
            for article, story in zip(members.ids, self.stories(members), strict=True)
            if story in self.rulings.home
        }
        ways, table = [alias.how for alias in self.rulings.aliases], schema.membership
        if ways and len(members):
            query = select(table.c.article_id).where(table.c.article_id.in_(members.ids), table.c.how.in_(ways))
            with self.step.archive.reading() as connection:
                fixed |= set(connection.scalars(query.where(table.c.primary)))
        return members.take([i for i, article in enumerate(members.ids) if article not in fixed]) if fixed else members

    def aliases(self, state: StepState) -> list[Known]:
        """Narratives that the analyst made part of others, each with a centre and a level of its own still.

        One centre for two kinds of articles would be near to neither: what is like a narrative that was merged would
        found it once more. What joins by way of one (`membership.how` says so) is its member from then on.
        """
        found = (self._alias(state, alias) for alias in self.rulings.aliases)
        return [known for known in found if known is not None]

    def _alias(self, state: StepState, alias: Alias) -> Known | None:
        row, limit = state.narratives.get(alias.id), self.step.settings.discover.max_members
        if row is None or row["status"] != "merged" or alias.into not in state.members:
            return None
        own: list[str] = []
        if not state.bootstrapping:
            brought = self.step.rows_of(alias.articles[-2 * limit :])
            own = [r["id"] for r in brought if r["is_voice"] and self.rulings.home.get(r["story_id"]) == alias.into]
            table = schema.membership
            since = select(table.c.article_id).where(table.c.narrative_id == alias.into, table.c.how == alias.how)
            since = since.where(table.c.primary).order_by(table.c.week.desc(), table.c.article_id).limit(limit)
            with self.step.archive.reading() as connection:
                own += [article for article in reversed(connection.scalars(since).all()) if article not in own]
        members = self.step.batch(state, own[-limit:])
        seed = state.seeds.get(row["slug"] or "")
        return make_known(alias.id, members, seed, self.step.settings.discover) if len(members) or seed else None

    def closed(self, state: StepState, batch: Batch, known: list[Known]) -> np.ndarray | None:
        """(n, n_known) bool: the analyst said "not this" of the story, or of one that is nearer than the members.

        The article nearest to one that was rejected is compared like with like: its cosine to that one against its
        mean cosine to the three nearest members (or texts of the definition).
        """
        into = {alias.id: alias.into for alias in self.rulings.aliases}
        if not self.rulings.barred:
            return None
        stories, found = self.stories(batch), np.zeros((len(batch), len(known)), dtype=bool)
        for j, one in enumerate(known):
            home = into.get(one.id, one.id)
            barred = self.rulings.barred.get(home)
            if not barred:
                continue
            against = self._counter(state, home, sorted(barred.values()))
            own = [part for part in (self._members(state, home), one.seeds) if part is not None and len(part)]
            if len(batch) and len(against) and own:
                nearer = nearest_seeds(batch.vectors, against, k=1) > nearest_seeds(batch.vectors, np.vstack(own))
                found[:, j] = nearer
            found[:, j] |= [story in barred for story in stories]
        return found

    def _counter(self, state: StepState, narrative: str, articles: list[str]) -> np.ndarray:
        if narrative not in self._counters:
            self._counters[narrative] = self.step.batch(state, articles).vectors
        return self._counters[narrative]

    def _members(self, state: StepState, narrative: str) -> np.ndarray | None:
        batch = state.members.get(narrative)
        return batch.vectors if batch is not None else None

    def redirected(self, batch: Batch, placement: Placement) -> Placement:
        """A placement in which what joined a merged narrative joins the one that it became part of."""
        into = {alias.id: alias for alias in self.rulings.aliases}
        if not into:
            return placement
        end = {name: alias.into for name, alias in into.items()}
        narrative = tuple(end.get(i, i) for i in placement.narrative)
        others = []
        for article, way, own, beside in zip(batch.ids, placement.narrative, narrative, placement.others, strict=True):
            if way in into:
                self.ways[article] = into[way].how
            best: dict[str, float] = {}
            for other, score in beside:
                name = end.get(other, other)
                if name != own:
                    best[name] = max(score, best.get(name, score))
            others.append(tuple(best.items()))
        newborn = tuple(group._replace(nearest=end.get(group.nearest, group.nearest)) for group in placement.newborn)
        return replace(placement, narrative=narrative, others=tuple(others), newborn=newborn)
