"""What surrounds a birth: its past, its headlines' habits, the alerts beside it, the health of its feeds.

All of it is read before the step's transaction opens, from weeks that are bounded: the cost does not grow with the
archive. What the newborn of a step share (headlines, words of the known narratives) is counted once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import case, func, select

from narratives import weeks
from narratives.affinity import Batch, scores
from narratives.alerts import RECENT, Newborn
from narratives.archive import schema
from narratives.assign import group_levels
from narratives.discover import similarities
from narratives.growth import Growth, growth, lookalikes
from narratives.headline_weeks import PAST_WEEKS, HeadlineWeeks
from narratives.level import Level, alert_level
from narratives.overlap import Profile, Profiles, WordOverlap, profile_of_each
from narratives.routine import Habits, Headline, routine_share
from narratives.space import form_tag
from narratives.state import Cluster, StepState
from narratives.step import Step
from narratives.volume import feed_notices

_SAMPLE = 6_000  # voices that look-alikes are counted among
_KIN_MEMBERS = 60
_NEAR = 3
_UNUSUAL = ("doubled", "started")


class Circumstances:
    """The facts about one step's newborn, each read once.

    Parameters
    ----------
    members
        Of every living narrative after the step.
    headlines
        Of the weeks before.
    """

    def __init__(self, step: Step, state: StepState, members: Mapping[str, Batch], headlines: HeadlineWeeks) -> None:
        self.step, self.state, self.members, self.headlines = step, state, members, headlines
        self._since = state.week - PAST_WEEKS * weeks.WEEK
        self._voices: tuple[np.ndarray, list[date], float] | None = None
        self._suspects: frozenset[str] | None = None
        self._latest: dict[str, tuple[np.ndarray, list[Profile], Profiles]] = {}  # stories of young alerts

    def of(self, cluster: Cluster, young: Sequence[str]) -> Newborn:
        """A newborn with all that the rule looks at; `young` are the narratives of young alerts."""
        rows = self.step.rows_of(list(cluster.article_ids))
        batch = self.members[cluster.id]
        pairs = similarities(batch, WordOverlap(batch, []), self.step.settings.discover)
        n = len(batch)
        since = self.state.week + weeks.WEEK - RECENT
        nearest, likeness = self._nearest(cluster.id, young)
        return Newborn(
            weeks=[weeks.monday_of(row["published_at"], self.step.zone) for row in rows],
            sources=[row["source"] for row in rows],
            cohesion=float((pairs.sum() - np.trace(pairs)) / (n * (n - 1))),
            cut=self.state.cut,
            loose=self.step.settings.discover.sibling if cluster.n_parts > 1 else 1.0,
            growth=self._growth(batch),
            series=routine_share(self._headlines_of(rows), self._habits, since),
            nearest_young=nearest,
            likeness=likeness,
            suspects=self._unusual_feeds() & {row["source"] for row in rows},
            told_before=cluster.told_before,
        )

    def near(self, cluster: Cluster) -> list[dict[str, Any]]:
        """The three known narratives that a newborn came nearest to: id, mean score, and the level it would have
        had to reach to join."""
        settings, known = self.step.settings.discover, self.state.known
        batch = self.members[cluster.id].take(range(min(len(cluster.article_ids), len(self.members[cluster.id]))))
        together = scores(batch, known, WordOverlap(batch, self._said), settings).mean(axis=0)
        means, sds = np.array([k.mean for k in known]), np.array([k.sd for k in known])
        levels = group_levels(means, sds, len(batch), settings)
        return [
            {"id": known[i].id, "score": round(float(together[i]), 4), "level": round(float(levels[i]), 4)}
            for i in np.argsort(-together, kind="stable")[:_NEAR]
        ]

    @cached_property
    def _said(self) -> Profiles:
        """What all known narratives say."""
        return Profiles([k.profile for k in self.state.known])

    def level(self, past: Sequence[Mapping[str, Any]], first: date | None) -> Level:
        """The level of this week, from the alert rows of the weeks before and the first week that could bear any."""
        settings = self.step.settings.alerts
        n_weeks = max(0, (self.state.week - first).days // 7) if first is not None else 0
        return alert_level(false_p_values(past), n_weeks, settings.max_p_value, settings.max_false_per_quarter)

    def _growth(self, batch: Batch) -> Growth:
        vectors, published, share = self._past_voices()
        alike = lookalikes(batch.vectors, vectors) if len(vectors) else np.zeros(0, dtype=bool)
        before: dict[date, int] = {}
        first = min(published, default=self.state.week)
        recent = self.state.week + weeks.WEEK - RECENT
        for week in weeks.weeks_between(max(first, self._since), recent - weeks.WEEK):
            before[week] = 0
        for week, is_alike in zip(published, alike, strict=True):
            if is_alike and week in before:
                before[week] += 1
        rows = self.step.rows_of(batch.ids)
        now = sum(weeks.monday_of(row["published_at"], self.step.zone) >= recent for row in rows)
        return growth(now, [before[week] for week in sorted(before)], share)

    def _past_voices(self) -> tuple[np.ndarray, list[date], float]:
        """Vectors and weeks of the voices of the last weeks, evenly thinned, and the share that was kept."""
        if self._voices is None:
            assert self.state.space is not None
            article = schema.article
            order = article.c.published_at, article.c.id
            voices = article.c.is_voice & article.c.step_week.is_not(None)
            voices &= article.c.published_at >= _instant(self._since)
            number = (func.row_number().over(order_by=order) - 1).label("number")
            counted = select(article.c.id, number).where(voices).subquery()
            with self.step.archive.reading() as connection:
                n = connection.scalar(select(func.count()).select_from(article).where(voices)) or 0
                every = max(1, -(-n // _SAMPLE))
                thinned = select(counted.c.id).where(counted.c.number % every == 0).order_by(counted.c.number)
                rows = self.step.rows_of(list(connection.scalars(thinned)))
            if rows:
                raw = self.step.material.article_vectors(rows)
                vectors = self.state.space.project(raw, [form_tag(row) for row in rows])
            else:
                vectors = np.zeros((0, 1))
            published = weeks.mondays_of([row["published_at"] for row in rows], self.step.zone)
            self._voices = (vectors, published, 1.0 / every)
        return self._voices

    @cached_property
    def _habits(self) -> Habits:
        """When the series of this step's newborn were seen before."""
        newborn = [i for cluster in self.state.born for i in cluster.article_ids]
        return self.headlines.habits(Habits(self._headlines_of(self.step.rows_of(newborn))), self.step.zone)

    def _headlines_of(self, rows: Sequence[Mapping[Any, Any]]) -> list[Headline]:
        days = weeks.dates_of([row["published_at"] for row in rows], self.step.zone)
        return [Headline(row["title"], row["source"], day) for row, day in zip(rows, days, strict=True)]

    def _nearest(self, newborn: str, young: Sequence[str]) -> tuple[str, float]:
        """The narrative of a young alert that a newborn is most like, and the mean similarity of their stories."""
        own = self.members[newborn]
        found = []
        for narrative in young:
            other = self.members.get(narrative)
            if narrative == newborn or other is None or not len(other):
                continue
            found.append((float(self._across(own, narrative).mean()), narrative))
        likeness, narrative = max(found, default=(-1.0, ""))
        return narrative, likeness

    def _across(self, own: Batch, narrative: str) -> np.ndarray:
        """(n_own, n_latest) similarities between a newborn's stories and the latest of a narrative."""
        weight = self.step.settings.discover.group_word_weight
        if narrative not in self._latest:
            other = self.members[narrative]
            other = other.take(range(len(other))[-_KIN_MEMBERS:])
            each = profile_of_each(other) if weight else []
            self._latest[narrative] = (other.vectors, each, Profiles(each))
        vectors, each, counted = self._latest[narrative]
        both = np.vstack([own.vectors, vectors])
        across = (both @ both.T)[: len(own), len(own) :]
        return across + weight * WordOverlap(own, counted).with_profiles(own, each) if weight else across

    def _unusual_feeds(self) -> frozenset[str]:
        """Sources that doubled or began in this week or the last."""
        if self._suspects is None:
            since = self._since - weeks.WEEK
            done = [*(week for week in self.step.archive.steps() if week >= since), self.state.week]
            counts = source_counts(self.step, self.state, since)
            found = [
                notice.source
                for week in (self.state.week - weeks.WEEK, self.state.week)
                for notice in feed_notices(counts, sorted(set(done)), week)
                if notice.kind in _UNUSUAL
            ]
            self._suspects = frozenset(found)
        return self._suspects


def source_counts(step: Step, state: StepState, since: date) -> dict[str, dict[date, int]]:
    """Source -> week -> articles published in it, with this week's arrivals."""
    article = schema.article
    mondays = weeks.weeks_between(since - weeks.WEEK, state.week + 2 * weeks.WEEK)  # some are dated ahead
    ends = enumerate(weeks.begins(mondays[1:], step.zone))
    at = case(*((article.c.published_at < end, i) for i, end in ends), else_=len(mondays) - 1).label("at")
    query = (
        select(article.c.source, at, func.count())
        .where(article.c.step_week.is_not(None), article.c.published_at >= _instant(since))
        .group_by(article.c.source, "at")  # by its name: PostgreSQL takes the expression written twice for two
    )
    with step.archive.reading() as connection:
        found = [(source, mondays[i], n) for source, i, n in connection.execute(query)]
    new = [row for row in state.arrivals if row["step_week"] is None]
    new_weeks = weeks.mondays_of([row["published_at"] for row in new], step.zone)
    found += [(row["source"], week, 1) for row, week in zip(new, new_weeks, strict=True)]
    counts: dict[str, dict[date, int]] = {}
    for source, week, n in found:
        by_week = counts.setdefault(source, {})
        by_week[week] = by_week.get(week, 0) + n
    return counts


def false_p_values(past: Sequence[Mapping[str, Any]]) -> list[float]:
    """p-values of past births that nobody followed, where only their growth may have kept them from being alerts; so
    many times as large as it had to be more surprising than that of others."""
    found = []
    for row in past:
        evidence = row["evidence"] or {}
        others = [ok for name, ok in (evidence.get("passed") or {}).items() if name != "growth"]
        p_value = (evidence.get("growth") or {}).get("p_value")
        suppressed = row["tier"] == "routine" or bool(evidence.get("same_as"))
        if row["state"] == "retracted" and p_value is not None and all(others) and not suppressed:
            found.append(float(p_value) * float(evidence.get("growth_times") or 1.0))
    return found


def _instant(week: date) -> datetime:
    """A day's beginning, loosely: one day early, since weeks begin in the desk's zone."""
    return datetime(week.year, week.month, week.day) - timedelta(days=1)
