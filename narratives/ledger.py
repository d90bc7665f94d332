"""Alerts and statuses: what a step says about the narratives as a whole, within its transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection, select, update

from narratives import alerts, weeks
from narratives.affinity import Batch
from narratives.archive import schema
from narratives.assign import group_levels
from narratives.circumstances import Circumstances
from narratives.headline_weeks import HeadlineWeeks
from narratives.lineage import status_after
from narratives.state import Cluster, StepState
from narratives.step import Step

_UNUSED = ("profile", "centre", "anchor", "definition", "keywords_zh", "keywords_en")
_FIRST_WEEK = "alerts_since"  # the first week after the first clustering: from it on births can be alerts


class Ledger:
    """Writes alerts and statuses; `members` are those of every narrative after the step."""

    def __init__(self, step: Step, state: StepState, members: Mapping[str, Batch]) -> None:
        self.step, self.state, self.members = step, state, members
        self.headlines = HeadlineWeeks(step.archive, state.week)
        self.judged: list[tuple[Cluster, alerts.Judgement, list[dict[str, Any]]]] = []

    def judge(self) -> Self:
        """Judge this week's newborn. Reads only, before the step's transaction opens."""
        born = [c for c in self.state.born if not (c.bootstrap or c.reviewed)]
        if not born:
            return self
        settings, table = self.step.settings.alerts, schema.alert
        young_since = self.state.week - settings.same_weeks * weeks.WEEK
        # Of older ones those that came to nothing say what a level costs; the rest need not be read.
        past = self.step.archive.rows(table, (table.c.week >= young_since) | (table.c.state == "retracted"))
        young = [
            row["narrative_id"]
            for row in past
            if row["tier"] == "alert" and row["state"] != "retracted" and row["week"] >= young_since
        ]
        around = Circumstances(self.step, self.state, self.members, self.headlines)
        first = self.step.archive.get_meta(_FIRST_WEEK)
        level = around.level(past, date.fromisoformat(first) if first else None)
        for cluster in born:
            said = alerts.judge(around.of(cluster, young), self.state.week, settings, level)
            self.judged.append((cluster, said, around.near(cluster)))
            if said.tier == "alert":
                young.append(cluster.id)
        return self

    def write_alerts(self, connection: Connection) -> None:
        """Record what was judged and what later steps judge by, and settle alerts of the weeks before."""
        state, table = self.state, schema.alert
        self.headlines.write(connection, state.arrivals)
        if state.bootstrapped and not state.bootstrapping and not self.step.archive.get_meta(_FIRST_WEEK):
            self.step.archive.set_meta(_FIRST_WEEK, state.week.isoformat(), connection)
        for cluster, said, near in self.judged:
            connection.execute(
                table.insert().values(
                    id=self.step.archive.next_id(connection, table, "A"),
                    narrative_id=cluster.id,
                    week=state.week,
                    tier=said.tier,
                    state=said.state,
                    acknowledged=False,
                    statistic=round(said.statistic, 4),
                    p_value=said.p_value,
                    threshold=round(said.threshold, 4),
                    evidence={
                        **said.why,
                        "same_as": self._alert_of(connection, said.why["same_as"]),
                        "article_ids": list(cluster.article_ids),
                        "nearest": cluster.nearest,
                        "nearest_score": cluster.nearest_score,
                        "near": near,
                        "split_from": cluster.parent,
                        "gathered_by": cluster.word,
                        "level_of_nearest": self._group_level(cluster.nearest, len(self.members[cluster.id])),
                    },
                )
            )
        self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        table, member, article = schema.alert, schema.membership, schema.article
        unsettled = self.step.archive.rows(table, table.c.state.in_(("emerging", "held")), connection=connection)
        if not unsettled:
            return
        doubles: dict[str, list[str]] = {}
        first = min(row["week"] for row in unsettled)  # nothing is the double of an alert that is yet to come
        for row in self.step.archive.rows(table, table.c.week >= first, connection=connection):
            doubles.setdefault((row["evidence"] or {}).get("same_as") or "", []).append(row["narrative_id"])
        for row in unsettled:
            # A second birth beside a young alert is growth of that alert.
            query = (
                select(member.c.week, article.c.source)
                .join(article, article.c.id == member.c.article_id)
                .where(member.c.narrative_id.in_([row["narrative_id"], *doubles.get(row["id"], [])]))
                .where(member.c.primary, ~member.c.weak, member.c.how.not_in(("copy", "split")))
            )
            joined = [(week, source) for week, source in connection.execute(query)]
            outcome = alerts.settle(
                row["week"],
                joined,
                self.state.week,
                row["state"],
                (row["evidence"] or {}).get("suspects", ()),
                self.step.settings.alerts.confirm_stories,
            )
            if outcome != row["state"]:
                connection.execute(
                    update(table).where(table.c.id == row["id"]).values(state=outcome, settled_week=self.state.week)
                )

    def _alert_of(self, connection: Connection, narrative_id: str) -> str:
        """The alert of a narrative, "" for none."""
        table = schema.alert
        query = select(table.c.id).where(table.c.narrative_id == narrative_id, table.c.tier == "alert")
        return (connection.scalar(query.order_by(table.c.id)) or "") if narrative_id else ""

    def _group_level(self, narrative_id: str, n: int) -> float | None:
        """What n articles together would have had to reach to join that narrative."""
        for known in self.state.known:
            if known.id == narrative_id:
                levels = group_levels(
                    np.array([known.mean]), np.array([known.sd]), n, self.step.settings.discover, known.group_floor
                )
                return round(float(levels[0]), 4)
        return None

    def write_statuses(self, connection: Connection) -> None:
        """Provisional narratives that grew become active; silent ones dormant, then ended; returns revive."""
        state, table = self.state, schema.narrative
        ended = table.c.last_week <= state.week - self.step.settings.discover.ended_weeks * weeks.WEEK
        may_change = table.c.status.not_in(("merged", "ended")) | ((table.c.status == "ended") & ~ended)
        for row in self.step.archive.rows(table, may_change, connection=connection, without=_UNUSED):
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


def write_quiet_week(step: Step, state: StepState) -> None:
    """A week without arrivals: time passes for alerts and statuses, and nothing else."""
    with step.archive.begin() as connection:
        ledger = Ledger(step, state, {})
        ledger.write_alerts(connection)
        ledger.write_statuses(connection)
        step.archive.insert(connection, schema.step, [{"week": state.week, "n_articles": 0, "counts": {}}])
