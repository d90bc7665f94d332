"""What a step writes, in the one transaction in which it becomes history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, delete, select, update

from narratives import weeks
from narratives.affinity import Known, WordOverlap, unit
from narratives.archive import schema
from narratives.archive.history import vector_bytes
from narratives.assign import floors
from narratives.claims import UNSCORED
from narratives.discover import similarities
from narratives.known import make_known
from narratives.ledger import Ledger
from narratives.members import set_narrative
from narratives.rulings import SEEN
from narratives.state import Cluster
from narratives.sums import alike, known_from, merged
from narratives.themes import Themes

if TYPE_CHECKING:
    from narratives.outcome import Outcome

# A definition whose first articles the bootstrap placed elsewhere is as it was before them.
_NO_MEMBERS: dict[str, Any] = {
    **dict.fromkeys(("centre", "anchor", "score_mean", "score_sd", "level", "cohesion", "born_week", "last_week")),
    "profile": {},
    "keywords_zh": [],
    "keywords_en": [],
}


class Record:
    """Writes what a step decided; `outcome` holds all of it."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome, self.step, self.state = outcome, outcome.step, outcome.state
        self.archive, self.settings = outcome.archive, outcome.settings

    def write(self) -> dict[str, int]:
        """All of the step in one transaction. Returns its counts."""
        state = self.state
        ledger = Ledger(self.step, state, self.outcome.members).judge()
        with self.archive.begin() as connection:
            self._write_narratives(connection)
            self._write_members(connection)
            self._write_sums(connection)
            self.outcome.vocabulary.write(connection, self.outcome.short())
            self.archive.put(connection, schema.score, self.outcome.rows["score"])
            self.archive.put(connection, schema.tone, self.outcome.rows["tone"])
            self.archive.put(connection, schema.actor_tone, self.outcome.rows["actor_tone"])
            ledger.write_alerts(connection)
            self.archive.set_meta(UNSCORED, [], connection)  # this step has scored them
            self.outcome.review.write(connection)
            ledger.write_statuses(connection)
            themes = Themes(self.archive, state.week)
            if state.arrivals and themes.due(connection):
                themes.make(connection, self.outcome.vocabulary.every)
            rulings = self.step.ruled.rulings
            voices = {row["id"] for row in state.voices}
            self.archive.set_week(connection, [row["id"] for row in state.arrivals], state.week, voices)
            n_voices = int(self.archive.get_meta("n_voices", 0)) + len(state.voices)
            rulings.keep(self.archive, connection, self.step.zone)
            self.archive.set_meta(SEEN, rulings.latest, connection)
            self.archive.set_meta("n_voices", n_voices, connection)
            self.archive.set_meta("space", self.step.learned, connection)
            self.archive.insert(connection, schema.space_version, self.step.kept)
            self.archive.set_meta("encoder", self.step.material.encoder.fingerprint, connection)
            if state.bootstrapping:
                self.archive.set_meta("bootstrapped", True, connection)
            counts = {
                "articles": len(state.arrivals),
                "stories": len(state.voices),
                "assigned": sum(m.primary for m in state.placed),
                "born": len(state.born),
                "scored_anew": self.outcome.n_scored_anew,
            }
            before = self.archive.rows(schema.step, schema.step.c.week == state.week, connection=connection)
            n = len(state.arrivals) + sum(row["n_articles"] for row in before)
            floor, group_floor = floors(state.pool_level, state.cut, False, self.settings.discover)
            measured = {"cut": state.cut, "floor": floor, "group_floor": group_floor}
            if state.bootstrapped:  # before, too few articles say too little to be remembered
                measured["measured_cut"] = state.measured_cut
            if state.kept_back:
                measured["kept_back"] = state.kept_back
            kept = {name: round(value, 4) for name, value in measured.items()}
            self.archive.put(connection, schema.step, [{"week": state.week, "n_articles": n, "counts": kept}])
        return counts

    def _write_narratives(self, connection: Connection) -> None:
        state = self.state
        for cluster in state.born:
            members = self.outcome.members[cluster.id]
            centre = unit(members.vectors.sum(axis=0))
            born = min(self._published_weeks(cluster)) if cluster.bootstrap else state.week
            connection.execute(
                schema.narrative.insert().values(
                    id=cluster.id,
                    origin="discovered",
                    status="active" if cluster.bootstrap or cluster.reviewed else "provisional",
                    drafted=True,
                    definition={
                        "claim": self.outcome.claims.get(cluster.id, {}),
                        **self.outcome.drafts.get(cluster.id, {}),
                    },
                    gathered_by=cluster.term or None,
                    born_week=born,
                    anchor=vector_bytes(centre),
                    centre=vector_bytes(centre),
                    cohesion=round(cluster.cohesion, 4),
                )
            )
            state.narratives[cluster.id] = self.archive.rows(
                schema.narrative, schema.narrative.c.id == cluster.id, connection=connection
            )[0]
            detail = {
                "n_stories": len(cluster.article_ids),
                "nearest": cluster.nearest,
                "score": cluster.nearest_score,
                "kinship": cluster.kinship,
            }
            if cluster.parent:
                self.archive.add_event(connection, state.week, "split", cluster.parent, cluster.id, **detail)
            self.archive.add_event(
                connection, born, "born", cluster.id, cluster.parent, bootstrap=cluster.bootstrap, **detail
            )
        for narrative_id in self.outcome.changed():
            connection.execute(
                update(schema.narrative)
                .where(schema.narrative.c.id == narrative_id)
                .values(**self._figures(narrative_id))
            )

    def _published_weeks(self, cluster: Cluster) -> list[date]:
        rows = self.step.rows_of(list(cluster.article_ids))
        return [weeks.monday_of(row["published_at"], self.step.zone) for row in rows]

    def _figures(self, narrative_id: str) -> dict[str, Any]:
        """Columns of a narrative that gained members: centre, calibration, keywords, and its name while young."""
        state = self.state
        row = state.narratives[narrative_id]
        known, cohesion = self._known(narrative_id)
        known.floor, known.group_floor = floors(state.pool_level, state.cut, known.named, self.settings.discover)
        # When they were published, not when they joined: what came out of the buffer is no sign of life today.
        published = [
            min(weeks.monday_of(one["published_at"], self.step.zone), state.week)
            for one in self.step.rows_of(self.outcome.fresh.get(narrative_id, []))
        ]
        values: dict[str, Any] = {
            "centre": vector_bytes(known.centre),
            "profile": known.profile,
            "score_mean": round(known.mean, 6),
            "score_sd": round(known.sd, 6),
            "level": round(known.level(self.settings.discover), 6),
            "cohesion": round(cohesion, 6) if cohesion is not None else None,
            "last_week": max(filter(None, [row["last_week"], *published])),
            "n_members": row["n_members"] + len(self.outcome.fresh.get(narrative_id, ())),
        }
        if row["anchor"] is None:
            values["anchor"] = values["centre"]
        if row["born_week"] is None:
            values["born_week"] = min(published)
        words = self.outcome.keywords.get(narrative_id)
        if words is not None:
            values["keywords_zh"], values["keywords_en"] = words.terms("zh", 8), words.terms("en", 8)
            if (row["origin"] == "discovered" and row["status"] == "provisional") or not (
                row["name_zh"] or row["name_en"]
            ):
                values["name_zh"], values["name_en"] = self.outcome.vocabulary.name(narrative_id)
        return values

    def _known(self, narrative_id: str) -> tuple[Known, float | None]:
        """A narrative with what joined it, from its sums if it has any, and how alike its members are."""
        settings, state, nobody = self.settings.discover, self.state, self.step.batch(self.state, [])
        seed = state.seeds.get(state.narratives[narrative_id]["slug"] or "")
        total = self.outcome.totals.get(narrative_id)
        if total is not None:
            likeness = alike([total], WordOverlap(nobody, [total.profile]), settings)[0, 0] if total.n > 1 else None
            return known_from(narrative_id, total, seed, settings, pool=state.pool_level), likeness
        members = self.outcome.members[narrative_id]
        members = members.take(range(len(members))[-settings.max_members :])
        pairs, n = similarities(members, WordOverlap(members, []), settings), len(members)
        likeness = float((pairs.sum() - np.trace(pairs)) / (n * (n - 1))) if n > 1 else None
        return make_known(narrative_id, members, seed, settings, pool=state.pool_level), likeness

    def _write_sums(self, connection: Connection) -> None:
        """Of a narrative that was added up anew every week, else this one; weeks that no total reaches go."""
        outcome, state, table = self.outcome, self.state, schema.narrative_week
        # A member whose text was replaced is in the sums as it was before.
        forgotten = (set(outcome.fresh) | outcome.lost()) - set(outcome.cells) | set(outcome.corrected.values())
        for narrative_id in sorted({*forgotten, *state.added_up}):
            connection.execute(delete(table).where(table.c.narrative_id == narrative_id))
        rows = []
        for narrative_id, cells in sorted(outcome.cells.items()):
            if narrative_id in forgotten:
                continue
            kept = merged(cells, state.week, self.settings.discover.max_members)
            connection.execute(
                delete(table).where(
                    table.c.narrative_id == narrative_id, table.c.week.not_in([cell.week for cell in kept])
                )
            )
            as_before = set() if narrative_id in state.added_up else {id(c) for c in cells if c.week != state.week}
            rows += [cell.row(narrative_id) for cell in kept if id(cell) not in as_before]
        self.archive.put(connection, table, rows)

    def _write_members(self, connection: Connection) -> None:
        state = self.state
        if state.bootstrapping:
            assert state.pool is not None
            left = self._leave(connection, self.archive.with_copies(connection, state.pool.ids))
            for narrative_id in sorted(left - set(self.outcome.fresh)):
                set_narrative(connection, narrative_id, _NO_MEMBERS)
        # A vote holds for a week: who is asked again, or placed, is no weak member any more, nor are its copies.
        asked = [
            *(state.pool.ids if state.pool is not None and state.arrivals else ()),
            *(m.article_id for m in state.placed),
        ]
        self.archive.forget_weak(connection, sorted(set(asked)))
        moved = {m.article_id for m in state.moved}
        anew = {m.article_id for m in state.placed if m.primary} & set(self.outcome.corrected)
        followers = {r["article_id"] for r in self.outcome.rows["membership"] if r["how"] == "copy"}
        self._leave(connection, sorted(moved | anew | followers))
        self.archive.put(connection, schema.membership, self.outcome.rows["membership"])

    def _leave(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """Take articles out of where they were; what they join counts them anew. Returns what they left."""
        member, narrative, left = schema.membership, schema.narrative, Counter[str]()
        for start in range(0, len(ids), 500):
            counted = member.c.article_id.in_(ids[start : start + 500]), member.c.primary, ~member.c.weak
            left.update(connection.scalars(select(member.c.narrative_id).where(*counted)))
        for narrative_id, n in sorted(left.items()):
            one = update(narrative).where(narrative.c.id == narrative_id)
            connection.execute(one.values(n_members=narrative.c.n_members - n))
        self.archive.forget_memberships(connection, ids)
        return set(left)
