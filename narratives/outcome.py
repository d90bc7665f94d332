"""What a step leaves behind: final members, names, scores, lineage and alerts, and the one transaction.

Everything is computed before the transaction opens; a reader sees the week before or the week after, never half.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, and_, select, update

from narratives import weeks
from narratives.actor_tone import actor_names, actor_tone_rows
from narratives.affinity import Batch, WordOverlap, joined, unit
from narratives.archive import schema
from narratives.archive.history import vector_bytes
from narratives.assign import floors
from narratives.describe import Keywords, class_tfidf, count_terms, name_from, representatives
from narratives.discover import similarities
from narratives.drafts import UNCONFIRMED, draft, usable_statements
from narratives.judged import UNJUDGED, judged_articles, outdated
from narratives.known import make_known
from narratives.ledger import Ledger
from narratives.plugins.protocols import StanceReader, Toner
from narratives.review import Review
from narratives.rulings import SEEN
from narratives.scoring import sentences_of, stance_rows, tone_rows, undecided_rows
from narratives.state import Cluster, Member, StepState
from narratives.step import Step

if TYPE_CHECKING:
    from narratives.archive import Archive

_NAMING_MEMBERS = 100


class Outcome:
    """Finishes one step: `settle`, `score`, `describe`, then `write`."""

    def __init__(self, step: Step, state: StepState, review: Review) -> None:
        self.step, self.state, self.review = step, state, review
        self.archive: Archive = step.archive
        self.settings = step.settings
        self.members: dict[str, Batch] = {}
        self.fresh: dict[str, list[str]] = {}  # narrative -> articles (with copies) that joined in this step
        self.rows: dict[str, list[dict[str, Any]]] = {"score": [], "tone": [], "actor_tone": [], "membership": []}
        self.keywords: dict[str, Keywords] = {}
        self.claims: dict[str, dict[str, str]] = {}
        self.drafts: dict[str, dict[str, list[str]]] = {}  # statements for the newborn

    # -- members and copies ------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Final members of every narrative after this step; copies follow their story's voice."""
        state, step = self.state, self.step
        moved = {m.article_id for m in state.moved}
        for narrative_id, batch in state.members.items():
            keep = [i for i, article_id in enumerate(batch.ids) if article_id not in moved]
            self.members[narrative_id] = batch.take(keep) if len(keep) < len(batch) else batch
        assert state.space is not None
        newly: dict[str, list[str]] = {}
        for member in [*state.placed, *state.moved]:
            if member.primary:
                newly.setdefault(member.narrative_id, []).append(member.article_id)
        for narrative_id, ids in newly.items():
            batch = step.batch(state, sorted(ids))
            known = self.members.get(narrative_id)
            self.members[narrative_id] = batch if known is None or not len(known) else joined([known, batch])
        followers = self._followers({m.article_id: m for m in [*state.placed, *state.moved] if m.primary})
        for member in [*state.placed, *state.moved, *followers]:
            if member.primary:
                self.fresh.setdefault(member.narrative_id, []).append(member.article_id)
            self.rows["membership"].append(
                {
                    "article_id": member.article_id,
                    "narrative_id": member.narrative_id,
                    "weight": round(min(max(member.weight, 0.0), 1.0), 4),
                    "primary": member.primary,
                    "weak": False,
                    "how": member.how,
                    "week": state.week,
                }
            )

    def _followers(self, primary: dict[str, Member]) -> list[Member]:
        """Memberships of copies: of stories placed in this step, and of new copies of stories placed before."""
        state, found = self.state, {}
        for copy, voice in sorted(state.copies.items()):
            if voice in primary:
                found[copy] = Member(copy, primary[voice].narrative_id, primary[voice].weight, "copy")
        copies_of: dict[str, list[str]] = {}
        for copy, voice in sorted(state.copies.items()):
            copies_of.setdefault(voice, []).append(copy)
        placed_before = sorted(set(copies_of) - set(primary))
        table = schema.membership
        for start in range(0, len(placed_before), 500):
            some = placed_before[start : start + 500]
            for row in self.archive.rows(table, table.c.article_id.in_(some), table.c.primary):
                for copy in copies_of[row["article_id"]]:
                    found[copy] = Member(copy, row["narrative_id"], row["weight"], "copy")
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
            found[row["id"]] = Member(row["id"], member.narrative_id, member.weight, "copy")
        return [found[i] for i in sorted(found)]

    # -- scores --------------------------------------------------------------------------------------------------

    def score(self, scorer: Toner, reader: StanceReader | None = None) -> None:
        """Tone of every arrival, stance of every article that joined a narrative; also of corrected articles."""
        state, step = self.state, self.step
        assert state.space is not None
        corrected = self._unscored()
        toned = [*state.arrivals, *step.rows_of(sorted(set(corrected) - {r["id"] for r in state.arrivals}))]
        said = sentences_of(toned)
        self.rows["tone"] = tone_rows(toned, said, scorer, step.material.encode)
        self.rows["actor_tone"] = actor_tone_rows(toned, said, actor_names(step.definitions), scorer)
        by_narrative = {n: sorted(ids) for n, ids in self.fresh.items()}
        for article_id, narrative_id in {**step.ruled.unscored(), **corrected}.items():
            if narrative_id and article_id not in by_narrative.get(narrative_id, []):
                by_narrative.setdefault(narrative_id, []).append(article_id)
        judged = judged_articles(self.archive)
        for narrative_id in state.narratives:
            # What was read by a scorer from elsewhere does not change by labels, and may cost money to read again.
            mark = judged.get(narrative_id, UNJUDGED).mark
            if reader is None and narrative_id in self.members and (old := outdated(self.archive, narrative_id, mark)):
                by_narrative[narrative_id] = sorted({*by_narrative.get(narrative_id, []), *old})
        for cluster in state.born:
            self.drafts[cluster.id] = draft(cluster.id, self.members[cluster.id], step, state.space, scorer)
        for narrative_id, ids in sorted(by_narrative.items()):
            rows = step.rows_of(sorted(ids))
            row = state.narratives.get(narrative_id)
            seed = state.seeds.get((row or {}).get("slug") or "")
            statements = usable_statements(narrative_id, row, seed.definition if seed else None)
            if statements is None:
                self.rows["score"] += undecided_rows(rows, narrative_id, "no-claim" if seed else UNCONFIRMED)
                continue
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

    def _unscored(self) -> dict[str, str]:
        """Articles of earlier steps whose tone is missing because a correction replaced their text."""
        article, tone, member = schema.article, schema.tone, schema.membership
        query = (
            select(article.c.id, member.c.narrative_id)
            .outerjoin(tone, tone.c.article_id == article.c.id)
            .outerjoin(member, and_(member.c.article_id == article.c.id, member.c.primary))
            .where(article.c.step_week.is_not(None), tone.c.article_id.is_(None))
        )
        with self.archive.reading() as connection:
            return {article_id: narrative or "" for article_id, narrative in connection.execute(query)}

    # -- names ---------------------------------------------------------------------------------------------------

    def describe(self) -> None:
        """Keywords of narratives that changed; a working name and a drafted claim for those found this week."""
        state, step = self.state, self.step
        classes: dict[str, Counter[str]] = {}
        sizes: dict[str, int] = {}
        assert state.pool is not None
        left = set(state.pool.ids) - {m.article_id for m in state.placed}
        for name, ids in [*((n, b.ids[-_NAMING_MEMBERS:]) for n, b in self.members.items()), ("", sorted(left))]:
            counts: Counter[str] = Counter()
            for row in step.rows_of(list(ids)):
                counts.update(count_terms(f"{row['title']}\n{row['text']}"))
            if ids:
                classes[name], sizes[name] = counts, len(ids)
        found = class_tfidf(classes, sizes)
        self.keywords = {n: k for n, k in found.items() if n in self._changed()}
        for cluster in state.born:
            members = self.members[cluster.id]
            nearest = representatives(members.vectors, unit(members.vectors.sum(axis=0)), members.langs, 2)
            claim: dict[str, str] = {}
            for row in step.rows_of([members.ids[i] for i in nearest]):
                claim.setdefault("zh" if str(row["lang"]).startswith("zh") else "en", row["title"].strip())
            self.claims[cluster.id] = claim

    # -- writing -------------------------------------------------------------------------------------------------

    def write(self) -> dict[str, int]:
        """All of the step in one transaction. Returns its counts."""
        state = self.state
        ledger = Ledger(self.step, state, self.members).judge()
        with self.archive.begin() as connection:
            self._write_narratives(connection)
            self._write_members(connection)
            self.archive.put(connection, schema.score, self.rows["score"])
            self.archive.put(connection, schema.tone, self.rows["tone"])
            self.archive.put(connection, schema.actor_tone, self.rows["actor_tone"])
            ledger.write_alerts(connection)
            self.review.write(connection)
            ledger.write_statuses(connection)
            rulings = self.step.ruled.rulings
            voices = {row["id"] for row in state.voices}
            for row in state.arrivals:
                connection.execute(
                    update(schema.article)
                    .where(schema.article.c.id == row["id"])
                    .values(step_week=state.week, is_voice=row["id"] in voices)
                )
            n_voices = int(self.archive.get_meta("n_voices", 0)) + len(state.voices)
            rulings.keep(self.archive, connection)
            self.archive.set_meta(SEEN, rulings.latest, connection)
            self.archive.set_meta("n_voices", n_voices, connection)
            self.archive.set_meta("space", self.step.learned, connection)
            self.archive.set_meta("encoder", self.step.material.encoder.fingerprint, connection)
            if state.bootstrapping:
                self.archive.set_meta("bootstrapped", True, connection)
            counts = {
                "articles": len(state.arrivals),
                "stories": len(state.voices),
                "assigned": sum(m.primary for m in state.placed),
                "born": len(state.born),
            }
            before = {row["week"]: row for row in self.archive.rows(schema.step, connection=connection)}
            n = len(state.arrivals) + (before[state.week]["n_articles"] if state.week in before else 0)
            floor, group_floor = floors(state.pool_level, state.cut, False, self.settings.discover)
            measured = {"cut": state.cut, "floor": floor, "group_floor": group_floor}
            if state.bootstrapped:  # before, too few articles say too little to be remembered
                measured["measured_cut"] = state.measured_cut
            kept = {name: round(value, 4) for name, value in measured.items()}
            self.archive.put(connection, schema.step, [{"week": state.week, "n_articles": n, "counts": kept}])
        return counts

    def _write_narratives(self, connection: Connection) -> None:
        state = self.state
        for cluster in state.born:
            members = self.members[cluster.id]
            centre = unit(members.vectors.sum(axis=0))
            born = min(self._published_weeks(cluster)) if cluster.bootstrap else state.week
            connection.execute(
                schema.narrative.insert().values(
                    id=cluster.id,
                    origin="discovered",
                    status="active" if cluster.bootstrap or cluster.reviewed else "provisional",
                    drafted=True,
                    definition={"claim": self.claims.get(cluster.id, {}), **self.drafts.get(cluster.id, {})},
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
        for narrative_id in self._changed():
            connection.execute(
                update(schema.narrative)
                .where(schema.narrative.c.id == narrative_id)
                .values(**self._figures(narrative_id))
            )

    def _changed(self) -> list[str]:
        """Narratives whose members are others than before: by this step, or by a decision since the last."""
        decided = [i for i, row in self.state.narratives.items() if row["score_mean"] is None and self.members.get(i)]
        return sorted({*self.fresh, *decided})

    def _published_weeks(self, cluster: Cluster) -> list[date]:
        rows = self.step.rows_of(list(cluster.article_ids))
        return [weeks.monday_of(row["published_at"], self.step.zone) for row in rows]

    def _figures(self, narrative_id: str) -> dict[str, Any]:
        """Columns of a narrative that gained members: centre, calibration, keywords, and its name while young."""
        state = self.state
        row = state.narratives[narrative_id]
        members = self.members[narrative_id].take(
            range(len(self.members[narrative_id]))[-self.settings.discover.max_members :]
        )
        seed = state.seeds.get(row["slug"] or "")
        known = make_known(narrative_id, members, seed, self.settings.discover, pool=state.pool_level)
        known.floor, known.group_floor = floors(state.pool_level, state.cut, known.named, self.settings.discover)
        pairs = similarities(members, WordOverlap(members, []), self.settings.discover)
        n = len(members)
        # When they were published, not when they joined: what came out of the buffer is no sign of life today.
        published = [
            min(weeks.monday_of(one["published_at"], self.step.zone), state.week)
            for one in self.step.rows_of(self.fresh.get(narrative_id, []))
        ]
        values: dict[str, Any] = {
            "centre": vector_bytes(known.centre),
            "profile": known.profile,
            "score_mean": round(known.mean, 6),
            "score_sd": round(known.sd, 6),
            "level": round(known.level(self.settings.discover), 6),
            "cohesion": round(float((pairs.sum() - np.trace(pairs)) / (n * (n - 1))), 6) if n > 1 else None,
            "last_week": max(filter(None, [row["last_week"], *published])),
            # The bootstrap places everything anew.
            "n_members": len(self.fresh.get(narrative_id, ())) + (0 if state.bootstrapping else row["n_members"]),
        }
        if row["anchor"] is None:
            values["anchor"] = values["centre"]
        if row["born_week"] is None:
            values["born_week"] = min(published)
        words = self.keywords.get(narrative_id)
        if words is not None:
            values["keywords_zh"], values["keywords_en"] = words.terms("zh", 8), words.terms("en", 8)
            if (row["origin"] == "discovered" and row["status"] == "provisional") or not (
                row["name_zh"] or row["name_en"]
            ):
                values["name_zh"], values["name_en"] = name_from(words, "zh"), name_from(words, "en")
        return values

    def _write_members(self, connection: Connection) -> None:
        state = self.state
        if state.bootstrapping:
            assert state.pool is not None
            self.archive.forget_memberships(connection, list(state.pool.ids))
        for member in state.moved:
            self.archive.forget_memberships(connection, [member.article_id])
        followers = [r["article_id"] for r in self.rows["membership"] if r["how"] == "copy"]
        self.archive.forget_memberships(connection, followers)
        self.archive.put(connection, schema.membership, self.rows["membership"])
