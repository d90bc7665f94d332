"""Alerts and statuses: what a step says about the narratives as a whole, within its transaction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection, select, update

from narratives import alerts, weeks
from narratives.affinity import Batch, WordOverlap
from narratives.archive import schema
from narratives.assign import group_levels
from narratives.discover import similarities
from narratives.lineage import status_after
from narratives.state import StepState
from narratives.step import Step


class Ledger:
    """Writes alerts and statuses; `members` are those of every narrative after the step."""

    def __init__(self, step: Step, state: StepState, members: Mapping[str, Batch]) -> None:
        self.step, self.state, self.members = step, state, members

    def write_alerts(self, connection: Connection) -> None:
        """Judge this week's newborn, and settle alerts of the weeks before."""
        state, table = self.state, schema.alert
        for cluster in state.born:
            if cluster.bootstrap or cluster.reviewed:
                continue
            rows = self.step.rows_of(list(cluster.article_ids))
            batch = self.members[cluster.id]
            pairs = similarities(batch, WordOverlap(batch, []), self.step.settings.discover)
            n = len(batch)
            newborn = alerts.Newborn(
                [weeks.monday_of(row["published_at"], self.step.zone) for row in rows],
                [row["source"] for row in rows],
                float((pairs.sum() - np.trace(pairs)) / (n * (n - 1))),
                state.cut,
            )
            said = alerts.judge(newborn, state.week, self.step.settings.alerts)
            connection.execute(
                table.insert().values(
                    id=self.step.archive.next_id(connection, table, "A"),
                    narrative_id=cluster.id,
                    week=state.week,
                    tier=said.tier,
                    state="emerging",
                    acknowledged=False,
                    statistic=round(said.statistic, 4),
                    threshold=round(said.threshold, 4),
                    evidence={
                        **said.why,
                        "article_ids": list(cluster.article_ids),
                        "nearest": cluster.nearest,
                        "nearest_score": cluster.nearest_score,
                        "split_from": cluster.parent,
                        "level_of_nearest": self._group_level(cluster.nearest, n),
                    },
                )
            )
        member = schema.membership
        for row in self.step.archive.rows(table, table.c.state == "emerging", connection=connection):
            joined = list(
                connection.scalars(
                    select(member.c.week)
                    .where(member.c.narrative_id == row["narrative_id"], member.c.primary, member.c.how != "copy")
                    .where(member.c.how != "split")
                )
            )
            outcome = alerts.settle(row["week"], joined, state.week)
            if outcome != "emerging":
                connection.execute(
                    update(table).where(table.c.id == row["id"]).values(state=outcome, settled_week=state.week)
                )

    def _group_level(self, narrative_id: str, n: int) -> float | None:
        """What n articles together would have had to reach to join that narrative."""
        for known in self.state.known:
            if known.id == narrative_id:
                levels = group_levels(np.array([known.mean]), np.array([known.sd]), n, self.step.settings.discover)
                return round(float(levels[0]), 4)
        return None

    def write_statuses(self, connection: Connection) -> None:
        """Provisional narratives that grew become active; silent ones dormant, then ended; returns revive."""
        state, table = self.state, schema.narrative
        for row in self.step.archive.rows(table, connection=connection):
            status = row["status"]
            if row["origin"] == "defined" and row["last_week"] is None:
                continue
            if status == "provisional" and row["last_week"] and row["last_week"] > row["born_week"]:
                status = "active"
            status = status_after(status, row["last_week"], state.week, self.step.settings.discover)
            if status == row["status"]:
                continue
            connection.execute(update(table).where(table.c.id == row["id"]).values(status=status))
            kind = {"dormant": "dormant", "ended": "ended"}.get(status)
            if status == "active" and row["status"] in ("dormant", "ended"):
                kind = "revived"
            if kind:
                last = row["last_week"].isoformat() if row["last_week"] else None
                self.step.archive.add_event(connection, state.week, kind, row["id"], last_member_week=last)
