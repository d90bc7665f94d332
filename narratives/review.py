"""Every few weeks: does a discovered narrative fall apart, are two of them one? Proposals first, deeds later."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete

from narratives import weeks
from narratives.affinity import Batch, WordOverlap, joined, unit
from narratives.archive import schema
from narratives.claims import UNSCORED, measured
from narratives.lineage import HOLD, MERGE_MARGIN, SplitProposal, held, propose_merges, propose_split
from narratives.members import forget_sums, move_members, set_narrative
from narratives.state import Cluster, Member, StepState
from narratives.step import Step
from narratives.sums import alike, cells_of, merged
from narratives.vocabulary import in_one, rows_of, stored_cells

LOOKED = 60  # latest members in which a split, or what makes two narratives one, is looked for
_ROUGH = 0.05  # sums tell likeness about so well; who may be one is then looked at by the members


class Review:
    """Looks for splits and merges in one step; `look` decides, `write` records within the step's transaction.

    Named narratives are the analyst's: they are neither split nor merged by the machine.
    """

    def __init__(self, step: Step, state: StepState) -> None:
        self.step, self.state = step, state
        self.kept: list[dict[str, Any]] = []  # proposals that wait for the next review
        self.merges: list[tuple[str, str]] = []  # (goes, stays)
        self.looked = False
        self._latest: dict[str, tuple[Batch, list[date]]] = {}
        self._chosen = step.ruled.rulings.chosen

    def look(self) -> None:
        """Find proposals, and carry out those that were found in the review before as well."""
        state, settings = self.state, self.step.settings.discover
        number = len(self.step.archive.steps())
        if state.bootstrapping or number % settings.review_every:
            return
        self.looked = True
        before = {
            (row["kind"], row["narrative_id"], row["other_id"]): row for row in self.step.archive.rows(schema.proposal)
        }
        living = [i for i in sorted(state.members) if self._may_change(i)]
        for narrative_id in filter(self._grew, living):
            members = self.step.ruled.movable(self._members(narrative_id)[0])
            proposal = propose_split(narrative_id, members, WordOverlap(members, []), state.cut, settings)
            if proposal is None:
                continue
            old = before.get(("split", narrative_id, ""))
            once = self.step.batch(state, old["detail"]["leaving"] if old else [])
            again = held(once, proposal, members, state.cut)
            if not self._alive(narrative_id, again or proposal, again is not None):
                continue
            n_held = old["n_held"] + 1 if old and again else 1
            if again and n_held >= HOLD:
                self._split(narrative_id, again.leaving)
            else:
                leaving = list((again or proposal).leaving)
                self._keep("split", narrative_id, "", n_held, {"leaving": leaving}, old)
        by_id = {i: self._members(i)[0] for i in self._near(living)}
        words = WordOverlap(joined(list(by_id.values())), []) if by_id else None
        for a, b in propose_merges(by_id, words, state.cut, settings) if words else []:
            if not self._may_merge(a, b):
                continue
            old = before.get(("merge", a, b))
            n_held = old["n_held"] + 1 if old else 1
            if n_held >= HOLD and not any(a in pair or b in pair for pair in self.merges):
                self.merges.append(self.order(a, b))
            else:
                self._keep("merge", a, b, n_held, {}, old)

    def _grew(self, narrative_id: str) -> bool:
        """Two parts may have members from the last weeks: a silent narrative is left whole, and is not read."""
        since = self._since()
        cells = self.state.cells.get(narrative_id)
        if cells:
            return sum(cell.n for cell in cells if cell.week >= since) >= 2
        return sum(week >= since for week in self.state.members.weeks(narrative_id)) >= 2

    def _since(self, more: int = 0) -> date:
        """Week from which members are recent, and `more` weeks before it."""
        return self.state.week - (self.step.settings.discover.buffer_weeks - 1 + more) * weeks.WEEK

    def _near(self, living: list[str]) -> list[str]:
        """Narratives that by their sums may be as alike to another one as members of one narrative are."""
        state, settings = self.state, self.step.settings.discover
        if not state.cells:  # all members are at hand
            return living
        having = [(i, total) for i in living if (total := self.step.total(state, i)) is not None]
        if len(having) < 2:
            return []
        words = WordOverlap(self.step.batch(state, []), [total.profile for _, total in having])
        near = np.asarray(alike([total for _, total in having], words, settings) >= state.cut + MERGE_MARGIN - _ROUGH)
        np.fill_diagonal(near, False)
        return [having[i][0] for i in np.flatnonzero(near.any(axis=1))]

    def order(self, a: str, b: str) -> tuple[str, str]:
        """Of two that are one: which goes and which stays, the larger one.

        What somebody named, confirmed, labelled or put stories into does not go.
        """
        n = {i: self.state.narratives[i]["n_members"] for i in (a, b)}
        return (b, a) if (a in self._chosen, n[a]) >= (b in self._chosen, n[b]) else (a, b)

    def _may_merge(self, a: str, b: str) -> bool:
        """No decision keeps the two apart, or speaks of both of them."""
        if {a, b} <= self._chosen:
            return False
        ruled, members = self.step.ruled, self.state.members
        barred = ruled.rulings.barred  # members are read only where a story may not be in the other narrative
        stories = {i: set(ruled.stories(members[i])) if barred.get(j) else set() for i, j in ((a, b), (b, a))}
        return ruled.rulings.may_merge(a, b, stories)

    def _members(self, narrative_id: str) -> tuple[Batch, list[date]]:
        """The latest members, oldest first, and the weeks in which they joined."""
        if narrative_id not in self._latest:
            most = min(LOOKED, self.step.settings.discover.max_members)
            self._latest[narrative_id] = self.step.latest(self.state, narrative_id, most)
        return self._latest[narrative_id]

    def _may_change(self, narrative_id: str) -> bool:
        row = self.state.narratives[narrative_id]
        return row["origin"] == "discovered" and row["status"] in ("active", "provisional")

    def _alive(self, narrative_id: str, proposal: SplitProposal, again: bool) -> bool:
        """Both parts got articles lately, or did when the review before found them."""
        since = self._since(self.step.settings.discover.review_every if again else 0)
        members, joined = self._members(narrative_id)
        recent = {i for i, week in zip(members.ids, joined, strict=True) if week >= since}
        return bool(recent & set(proposal.leaving)) and bool(recent - set(proposal.leaving))

    def _keep(self, kind: str, a: str, b: str, n_held: int, detail: dict[str, Any], old: dict[str, Any] | None) -> None:
        first = old["first_week"] if old and n_held > 1 else self.state.week
        self.kept.append(
            {
                "kind": kind,
                "narrative_id": a,
                "other_id": b,
                "first_week": first,
                "last_week": self.state.week,
                "n_held": n_held,
                "detail": detail,
            }
        )

    def _split(self, narrative_id: str, leaving: tuple[str, ...]) -> None:
        """A part becomes a narrative; earlier members than those looked at go with it where they lie nearer to it."""
        state = self.state
        taken = {m.article_id for m in [*state.moved, *state.placed]}
        if len(set(leaving) - taken) < self.step.settings.discover.min_stories:
            return
        number = max(int(i[1:]) for i in [*state.narratives, *(c.id for c in state.born)]) + 1
        seen = set(self._members(narrative_id)[0].ids)
        members = self.step.ruled.movable(state.members[narrative_id])
        going = set(leaving)
        goes = np.array([i in going for i in members.ids])
        stays = np.array([i in seen for i in members.ids]) & ~goes
        centres = unit(np.stack([members.vectors[rows].sum(axis=0) for rows in (stays, goes)]))
        nearer = members.vectors @ (centres[1] - centres[0]) > 0
        open_ = np.array([i not in taken for i in members.ids])
        part = members.take(np.flatnonzero((goes | (nearer & ~stays)) & open_))
        if len(part) < self.step.settings.discover.min_stories:
            return
        pairs = part.vectors @ part.vectors.T
        n = len(part)
        cluster = Cluster(f"N{number:04d}", part.ids, narrative_id, 0.0, parent=narrative_id, reviewed=True)
        cluster.cohesion = float((pairs.sum() - pairs.trace()) / (n * (n - 1)))
        state.born.append(cluster)
        centre = unit(part.vectors.sum(axis=0))
        state.moved += [
            Member(i, cluster.id, float(v @ centre), "split") for i, v in zip(part.ids, part.vectors, strict=True)
        ]

    def _join_sums(self, connection: Connection, goes: str, stays: str) -> None:
        """The weeks of both are those of the one that stays; without sums of both it is added up anew."""
        archive, both = self.step.archive, [goes, stays]
        cells, words = cells_of(archive, both, connection), stored_cells(archive, both, connection)
        forget_sums(connection, both)
        if len(cells) == len(words) == 2:
            most = self.step.settings.discover.max_members
            kept = merged([*cells[stays], *cells[goes]], self.state.week, most)
            archive.insert(connection, schema.narrative_week, [cell.row(stays) for cell in kept])
            archive.insert(connection, schema.narrative_terms, rows_of(stays, in_one(words[stays], words[goes])))

    def write(self, connection: Connection) -> None:
        """Record proposals and carry out merges; the redirect from a merged id stays for ever."""
        if not self.looked:
            return
        archive, table = self.step.archive, schema.narrative
        connection.execute(delete(schema.proposal))
        archive.insert(connection, schema.proposal, self.kept)
        move_members(connection, dict(self.merges))
        for goes, stays in self.merges:
            self._join_sums(connection, goes, stays)
            both = archive.rows(table, table.c.id.in_((goes, stays)), connection=connection)
            born, last = ({row[name] for row in both} - {None} for name in ("born_week", "last_week"))
            set_narrative(connection, goes, {"status": "merged", "merged_into": stays, "n_members": 0})
            one = {
                "n_members": sum(row["n_members"] for row in both),
                "born_week": min(born, default=None),
                "last_week": max(last, default=None),
            }
            set_narrative(connection, stays, {**one, "score_mean": None, "score_sd": None})
            archive.add_event(connection, self.state.week, "merged", goes, stays, label=weeks.label(self.state.week))
        if self.merges:  # another step scores toward its claim what a narrative gained
            gained = measured(connection, {stays for _, stays in self.merges})
            archive.set_meta(UNSCORED, sorted(gained), connection)
