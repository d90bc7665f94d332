"""What a step leaves behind: final members, names, scores, lineage and alerts, and the one transaction.

Everything is computed before the transaction opens; a reader sees the week before or the week after, never half.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from narratives.actor_tone import actor_names, actor_tone_rows
from narratives.affinity import Batch, unit
from narratives.archive import schema
from narratives.describe import representatives
from narratives.drafts import draft, usable_statements
from narratives.judged import UNJUDGED, judged_articles, outdated
from narratives.keywords import Keywords
from narratives.latest import Members
from narratives.plugins.protocols import StanceReader, Toner
from narratives.record import Record
from narratives.review import Review
from narratives.scoring import sentences_of, stance_rows, tone_rows
from narratives.state import Member, StepState
from narratives.step import Step
from narratives.sums import Cell, added, total_of, within, without
from narratives.vocabulary import Vocabulary

if TYPE_CHECKING:
    from narratives.archive import Archive


class Outcome:
    """Finishes one step: `settle`, `score`, `describe`, then `write`."""

    def __init__(self, step: Step, state: StepState, review: Review) -> None:
        self.step, self.state, self.review = step, state, review
        self.archive: Archive = step.archive
        self.settings = step.settings
        self.members = Members(state.members, set(), {})
        self.corrected: dict[str, str] = {}  # member whose text was replaced -> its narrative before this step
        self.joining: dict[str, Batch] = {}  # narrative -> stories that joined in this step
        self.cells: dict[str, list[Cell]] = {}  # sums of the narratives that changed, where they have any
        self.totals: dict[str, Cell | None] = {}  # of those sums
        self.fresh: dict[str, list[str]] = {}  # narrative -> articles (with copies) that joined in this step
        self.rows: dict[str, list[dict[str, Any]]] = {"score": [], "tone": [], "actor_tone": [], "membership": []}
        self.n_scored_anew = 0  # members of before whose stance is measured by other words or labels now
        self.vocabulary = Vocabulary(step, state)
        self.keywords: dict[str, Keywords] = {}
        self.claims: dict[str, dict[str, str]] = {}
        self.drafts: dict[str, dict[str, list[str]]] = {}  # statements for the newborn

    # -- members and copies ------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Final members of every narrative after this step; copies follow their story's voice."""
        state, step = self.state, self.step
        self.corrected = self._corrected()
        # Whose new text fits nothing stays where it was, and is nobody's weak member besides.
        state.voted = [m for m in state.voted if m.article_id not in self.corrected]
        placed = [*state.placed, *state.moved]
        newly: dict[str, list[str]] = {}
        for member in placed:
            if member.primary:
                newly.setdefault(member.narrative_id, []).append(member.article_id)
        followers = self._followers({m.article_id: m for m in [*placed, *state.voted] if m.primary})
        # A reprint, or a decision, may bring a member to a narrative that has ended.
        for narrative_id in sorted({m.narrative_id for m in [*placed, *followers]} & state.narratives.keys()):
            state.members.add(narrative_id)
        self.joining = {narrative_id: step.batch(state, sorted(ids)) for narrative_id, ids in newly.items()}
        self.members = Members(state.members, {m.article_id for m in state.moved}, self.joining)
        self._add_up()
        for member in [*placed, *state.voted, *followers]:
            if member.primary and not member.weak:
                self.fresh.setdefault(member.narrative_id, []).append(member.article_id)
            self.rows["membership"].append(
                {
                    "article_id": member.article_id,
                    "narrative_id": member.narrative_id,
                    "weight": round(min(max(member.weight, 0.0), 1.0), 4),
                    "primary": member.primary,
                    "weak": member.weak,
                    "how": member.how,
                    "week": state.week,
                }
            )

    def _add_up(self) -> None:
        """Sums of the narratives that others joined or left; where that cannot be said, the next step adds up anew."""
        state = self.state
        if state.bootstrapping or not state.bootstrapped:  # members of earlier weeks may be placed anew
            return
        lost, settings = self.lost(), self.settings.discover
        for narrative_id in sorted({*self.joining, *state.added_up, *lost}):
            joining, before = self.joining.get(narrative_id), state.cells.get(narrative_id, [])
            if narrative_id in lost:
                left = without(before, self._leaving(narrative_id))
                if not left:
                    continue
                before = left
                state.added_up.add(narrative_id)
            if joining is None:
                self.cells[narrative_id] = before
                self.totals[narrative_id] = total_of(within(before, settings.max_members)) if before else None
            elif before or not self._had_members(narrative_id):
                seed = state.seeds.get((state.narratives.get(narrative_id) or {}).get("slug") or "")
                found = added(before, [(state.week, joining)], seed, settings)
                self.cells[narrative_id], self.totals[narrative_id] = found

    def _leaving(self, narrative_id: str) -> dict[date, Batch]:
        """What this step takes from a narrative, by the week in which it joined."""
        members, gone = self.state.members[narrative_id], {m.article_id for m in self.state.moved}
        rows: dict[date, list[int]] = {}
        for i, (article, week) in enumerate(zip(members.ids, self.state.members.weeks(narrative_id), strict=True)):
            if article in gone:
                rows.setdefault(week, []).append(i)
        return {week: members.take(some) for week, some in rows.items()}

    def _had_members(self, narrative_id: str) -> bool:
        return narrative_id in self.state.members and len(self.state.members[narrative_id]) > 0

    def lost(self) -> set[str]:
        """Narratives that lost members in this step."""
        parents = {cluster.id: cluster.parent for cluster in self.state.born}
        return {parents[member.narrative_id] for member in self.state.moved}

    def short(self) -> set[str]:
        """Narratives whose earlier members are others than before, or say something else."""
        return self.lost() | set(self.corrected.values())

    def _followers(self, primary: dict[str, Member]) -> list[Member]:
        """Memberships of copies: of stories placed in this step, and of new copies of stories placed before."""
        state, found = self.state, {}
        for copy, voice in sorted(state.copies.items()):
            if voice in primary:
                own = primary[voice]
                found[copy] = Member(copy, own.narrative_id, own.weight, "copy", weak=own.weak)
        copies_of: dict[str, list[str]] = {}
        for copy, voice in sorted(state.copies.items()):
            copies_of.setdefault(voice, []).append(copy)
        placed_before = sorted(set(copies_of) - set(primary))
        # Of these last votes hold no longer, at the first clustering nothing does.
        asked = set(state.pool.ids) if state.pool is not None else set[str]()
        table = schema.membership
        for start in range(0, len(placed_before), 500):
            some = placed_before[start : start + 500]
            for row in self.archive.rows(table, table.c.article_id.in_(some), table.c.primary):
                if (row["weak"] or state.bootstrapping) and row["article_id"] in asked:
                    continue
                for copy in copies_of[row["article_id"]]:
                    found[copy] = Member(copy, row["narrative_id"], row["weight"], "copy", weak=row["weak"])
        stories = {self.step.rows_of([v])[0]["story_id"]: m for v, m in primary.items()}
        article = schema.article
        known = []
        wanted = sorted(stories)
        for start in range(0, len(wanted), 500):
            known += self.archive.rows(
                article,
                article.c.story_id.in_(wanted[start : start + 500]),
                article.c.step_week.is_not(None),
                ~article.c.is_voice,
            )
        for row in known:
            member = stories[row["story_id"]]
            found[row["id"]] = Member(row["id"], member.narrative_id, member.weight, "copy", weak=member.weak)
        return [found[i] for i in sorted(found)]

    # -- scores --------------------------------------------------------------------------------------------------

    def score(self, scorer: Toner, reader: StanceReader | None = None) -> None:
        """Tone of every arrival, stance of every article that joined a narrative; also of corrected articles."""
        state, step = self.state, self.step
        assert state.space is not None
        toned = state.arrivals
        said = sentences_of(toned)
        self.rows["tone"] = tone_rows(toned, said, scorer, step.material.encode)
        self.rows["actor_tone"] = actor_tone_rows(toned, said, actor_names(step.definitions), scorer)
        by_narrative = {n: set(ids) for n, ids in self.fresh.items()}
        anew, arrived = {i for ids in self.fresh.values() for i in ids}, {row["id"] for row in state.arrivals}
        # Who joined a narrative in this step is no member of another one; at the first clustering all may leave.
        again = {} if state.bootstrapping else {**step.ruled.unscored(), **self.corrected}
        for article_id, narrative_id in again.items():
            by_narrative.setdefault(narrative_id, set()).update({article_id} - anew)
        judged = judged_articles(self.archive)
        # What was read by a scorer from elsewhere does not change by labels, and may cost money to read again.
        marks = {n: judged.get(n, UNJUDGED).mark for n in state.narratives if n in self.members}
        by_labels = outdated(self.archive, marks) if reader is None and not state.bootstrapping else {}
        for narrative_id, old in by_labels.items():
            by_narrative.setdefault(narrative_id, set()).update(set(old) - anew)
        for cluster in state.born:
            self.drafts[cluster.id] = draft(cluster.id, self.members[cluster.id], step, state.space, scorer)
        for narrative_id, ids in sorted(by_narrative.items()):
            row = state.narratives.get(narrative_id)
            seed = state.seeds.get((row or {}).get("slug") or "")
            statements = usable_statements(narrative_id, row, seed.definition if seed else None)
            if statements is None or not ids:
                continue
            rows = step.rows_of(sorted(ids))
            self.n_scored_anew += len(ids - arrived - anew)
            batch = self.members.get(narrative_id) or step.batch(state, sorted(ids))
            self.rows["score"] += stance_rows(
                rows,
                statements,
                (batch.vectors, batch.langs),
                state.space,
                step.material,
                scorer,
                reader,
                judged.get(narrative_id, UNJUDGED),
            )

    def _corrected(self) -> dict[str, str]:
        """Arrivals that are members already, because a correction replaced their text -> their narrative."""
        member, ids, found = schema.membership, [row["id"] for row in self.state.arrivals], dict[str, str]()
        for start in range(0, len(ids), 500):
            some = member.c.article_id.in_(ids[start : start + 500])
            rows = self.archive.rows(member, some, member.c.primary, ~member.c.weak)
            found |= {row["article_id"]: row["narrative_id"] for row in rows}
        return found

    # -- names ---------------------------------------------------------------------------------------------------

    def describe(self) -> None:
        """Keywords of narratives that changed, and a drafted claim for those found this week."""
        state, step, changed = self.state, self.step, self.changed()
        placed = {m.article_id for m in state.placed if m.primary}
        gone = {m.article_id for m in state.moved} | (placed & set(self.corrected))
        anew = self.short()
        self.vocabulary.read(changed)
        for narrative_id in changed:
            joining = self.joining[narrative_id].ids if narrative_id in self.joining else ()
            self.vocabulary.add(narrative_id, joining, gone, narrative_id in anew)
        for narrative_id in changed:  # when everything of this week is counted
            self.keywords[narrative_id] = self.vocabulary.keywords(narrative_id)
        for cluster in state.born:
            members = self.members[cluster.id]
            nearest = representatives(members.vectors, unit(members.vectors.sum(axis=0)), members.langs, 2)
            claim: dict[str, str] = {}
            for row in step.rows_of([members.ids[i] for i in nearest]):
                claim.setdefault("zh" if str(row["lang"]).startswith("zh") else "en", row["title"].strip())
            self.claims[cluster.id] = claim

    def changed(self) -> list[str]:
        """Narratives whose members are others than before: by this step, or by a decision since the last."""
        rows = self.state.narratives.items()
        decided = [i for i, row in rows if row["score_mean"] is None and self._has_members(i)]
        return sorted({*self.fresh, *decided})

    def _has_members(self, narrative_id: str) -> bool:
        return bool(self.state.cells.get(narrative_id)) or len(self.members.get(narrative_id, ())) > 0

    def write(self) -> dict[str, int]:
        """All of the step in one transaction. Returns its counts."""
        return Record(self).write()
