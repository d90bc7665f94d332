"""Which series the headlines of a week are of, kept week by week: a step masks its own headlines and no old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, delete, select

from narratives import weeks
from narratives.archive import schema
from narratives.routine import Habits, template_names

if TYPE_CHECKING:
    from narratives.archive import Archive

FORM = 1  # of what `template_names` says: raise it when that changes, and weeks kept before are noted anew
PAST_WEEKS = 12  # before a step's own, in which the series of its newborn are looked for
_EPOCH = datetime(1970, 1, 1)
# Names and sources as hashes of 64 bits, of which even two among millions are hardly ever equal.
_NOTED = np.dtype([("name", "<u8"), ("source", "<u8"), ("minute", "<i4")])


def noted(rows: Iterable[Mapping[Any, Any]]) -> np.ndarray:
    """Of articles (`title`, `source`, `published_at`): (n,) names of their series, who brought them, and when."""
    found = []
    names: dict[str, list[int]] = {}
    for row in rows:
        title, source = row["title"], _key(row["source"])
        if title not in names:
            names[title] = [_key(name) for name in sorted(template_names(title))]
        minute = (row["published_at"] - _EPOCH) // timedelta(minutes=1)
        found += [(name, source, minute) for name in names[title]]
    return np.unique(np.array(found, dtype=_NOTED))


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class HeadlineWeeks:
    """What a step knows of the headlines of the weeks before it, and keeps of its own.

    Weeks of which nothing is kept, as in an archive that a program of before made, are read from their articles once.
    """

    def __init__(self, archive: Archive, week: date) -> None:
        self.archive, self.week = archive, week
        self.since = week - PAST_WEEKS * weeks.WEEK
        self._filled: dict[date, np.ndarray] = {}

    @cached_property
    def before(self) -> dict[date, np.ndarray]:
        """Week in which articles were taken in -> `noted` of them, without those of this step."""
        table = schema.headline_week
        rows = self.archive.rows(table, table.c.week >= self.since, table.c.form == FORM)
        found = {row["week"]: np.frombuffer(row["noted"], dtype=_NOTED) for row in rows}
        for week in self.archive.steps():
            if self.since <= week <= self.week and week not in found:
                found[week] = self._filled[week] = self._of(week)
        return found

    def habits(self, habits: Habits, zone: ZoneInfo) -> Habits:
        """`habits` with the days on which their series were seen since, by the desk's zone."""
        names = {_key(name): name for name in sorted(habits.names)}
        sources = {_key(source): source for source in habits.sources}
        asked = np.array(sorted(names), dtype=np.uint64)
        parts = [part[np.isin(part["name"], asked)] for part in self.before.values()]
        if not parts:
            return habits
        seen = np.concatenate(parts)
        at = [_EPOCH + timedelta(minutes=int(minute)) for minute in seen["minute"]]
        first = self.since - timedelta(days=1)  # loosely, since weeks begin in the desk's zone
        for (name, source, _), day in zip(seen.tolist(), weeks.dates_of(at, zone), strict=True):
            if day >= first:
                habits.add(names[name], sources.get(source), day)
        return habits

    def _of(self, week: date, connection: Connection | None = None) -> np.ndarray:
        """Noted of the articles that a week took in."""
        article = schema.article
        query = select(article.c.title, article.c.source, article.c.published_at).where(article.c.step_week == week)
        if connection is not None:
            return noted(row._mapping for row in connection.execute(query))
        with self.archive.reading() as own:
            return noted(row._mapping for row in own.execute(query))

    def write(self, connection: Connection, arrivals: Iterable[Mapping[Any, Any]]) -> None:
        """Keep this week with what the step took in; weeks that no later step asks for go. Before the arrivals
        belong to the week."""
        table = schema.headline_week
        connection.execute(delete(table).where(table.c.week < self.since))
        own = self.archive.rows(table, table.c.week == self.week, table.c.form == FORM, connection=connection)
        there = np.frombuffer(own[0]["noted"], dtype=_NOTED) if own else self._of(self.week, connection)
        kept = {**self._filled, self.week: np.union1d(there, noted(arrivals))}
        rows = [{"week": week, "form": FORM, "noted": part.tobytes()} for week, part in sorted(kept.items())]
        self.archive.put(connection, table, rows)
