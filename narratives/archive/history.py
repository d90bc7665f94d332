"""The history side of the archive: steps, narratives, memberships, scores, events, alerts, decisions, runs.

Everything a weekly step writes goes through one transaction that the pipeline opens, so that a killed run leaves
the archive as it was before that step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, bindparam, delete, exists, func, select, update

from narratives.archive import schema
from narratives.archive.bulk import insert_many
from narratives.archive.store import Store

# What a history is made of, for telling two archives apart; run records and instants of writing are not.
_HISTORY = (
    "article",
    "article_version",
    "quarantine",
    "narrative",
    "membership",
    "score",
    "tone",
    "actor_tone",
    "event",
    "alert",
    "decision",
    "proposal",
    "theme",
    "step",
)
_CLOCK = {"ingested_at", "quarantined_at", "decided_at"}


def vector_bytes(vector: np.ndarray) -> bytes:
    """(d,) floats as little-endian float32."""
    return np.asarray(vector, dtype="<f4").tobytes()


def bytes_vector(raw: bytes) -> np.ndarray:
    """The (d,) float32 vector that `vector_bytes` wrote."""
    return np.frombuffer(raw, dtype="<f4").astype(np.float32)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class History(Store):
    """Reading and writing of narratives and what happened to them."""

    def last_step(self) -> date | None:
        """Monday of the latest week that was processed."""
        with self.reading() as connection:
            return connection.scalar(select(func.max(schema.step.c.week)))

    def steps(self) -> list[date]:
        """Mondays of all processed weeks, in order."""
        with self.reading() as connection:
            return list(connection.scalars(select(schema.step.c.week).order_by(schema.step.c.week)))

    def step_weeks(self, articles: Sequence[str]) -> dict[str, date]:
        """Article -> Monday of the week that took it in; those that wait are left out."""
        table, found = schema.article, dict[str, date]()
        with self.reading() as connection:
            for start in range(0, len(articles), 5_000):
                some = table.c.id.in_(articles[start : start + 5_000])
                query = select(table.c.id, table.c.step_week).where(some, table.c.step_week.is_not(None))
                found |= {row.id: row.step_week for row in connection.execute(query)}
        return found

    def step_counts(self, n: int | None = None) -> list[dict[str, Any]]:
        """What the latest n steps measured, the latest first; a week without articles has measured nothing."""
        table = schema.step
        with self.reading() as connection:
            return list(connection.scalars(select(table.c.counts).order_by(table.c.week.desc()).limit(n)))

    def state(self) -> tuple[Any, ...]:
        """Changes whenever a run or a step has written: what is built from the archive may be kept until then."""
        tables = (schema.article, schema.step, schema.membership, schema.score, schema.decision)
        with self.reading() as connection:
            counts = [connection.scalar(select(func.count()).select_from(table)) for table in tables]
            latest = connection.execute(select(func.max(schema.run.c.id), func.max(schema.run.c.finished_at))).one()
        return (*counts, *latest)

    def rows(
        self, table: Table, *where: Any, connection: Connection | None = None, without: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows of a table as dicts, in the order of its primary key; `without` names columns that are not read."""
        columns = [column for column in table.columns if column.name not in without]
        query = select(*columns).where(*where).order_by(*table.primary_key.columns)
        names = [column.name for column in columns]
        if connection is not None:
            return [dict(zip(names, row, strict=True)) for row in connection.execute(query).all()]
        with self.reading() as own:
            return [dict(zip(names, row, strict=True)) for row in own.execute(query).all()]

    def next_id(self, connection: Connection, table: Table, letter: str) -> str:
        """The next free id such as `N0042`; ids are never used twice."""
        own = select(table.c.id).where(table.c.id.startswith(letter))
        largest = connection.scalar(own.order_by(func.length(table.c.id).desc(), table.c.id.desc()).limit(1))
        return f"{letter}{int(largest[1:]) + 1 if largest else 1:04d}"

    def put(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, replacing those with the same primary key."""
        if not rows:
            return
        keys = list(table.primary_key.columns)
        if all(all(key.name in row for key in keys) for row in rows):
            by_key = {tuple(row[key.name] for key in keys): row for row in rows}  # the last one counts
            rows = [by_key[key] for key in sorted(by_key)]  # in this order each page of a large index is met once
            gone = delete(table).where(*(key == bindparam(f"old_{key.name}") for key in keys))
            connection.execute(gone, [{f"old_{key.name}": row[key.name] for key in keys} for row in rows])
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            by_columns.setdefault(tuple(sorted(row)), []).append(dict(row))
        for names, some in by_columns.items():
            if len(names) == len(table.columns):
                insert_many(connection, table, some)
            else:
                connection.execute(table.insert(), some)

    def insert(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows at once; none of them may be there yet."""
        if rows:
            connection.execute(table.insert(), [dict(row) for row in rows])

    def add_event(
        self, connection: Connection, week: date, kind: str, narrative_id: str, other_id: str = "", **detail: Any
    ) -> None:
        """Write an event into the ledger once; the same event of the same week is not repeated."""
        table = schema.event
        key = {"week": week, "kind": kind, "narrative_id": narrative_id, "other_id": other_id}
        known = select(func.count()).select_from(table).where(*(table.c[name] == value for name, value in key.items()))
        if not connection.scalar(known):
            connection.execute(table.insert().values(**key, detail=detail))

    def forget_memberships(self, connection: Connection, article_ids: Sequence[str]) -> None:
        """Take articles out of all narratives, with their scores (they are about to be placed anew)."""
        for table in (schema.membership, schema.score):
            for start in range(0, len(article_ids), 500):
                chunk = article_ids[start : start + 500]
                connection.execute(delete(table).where(table.c.article_id.in_(chunk)))

    def with_copies(self, connection: Connection, voices: Sequence[str]) -> list[str]:
        """All articles of the stories that these tell, in the order of their ids."""
        article, found = schema.article, set[str]()
        for start in range(0, len(voices), 500):
            stories = select(article.c.story_id).where(article.c.id.in_(voices[start : start + 500]))
            found.update(connection.scalars(select(article.c.id).where(article.c.story_id.in_(stories))))
        return sorted(found)

    def forget_weak(self, connection: Connection, voices: Sequence[str]) -> None:
        """Take stories, told by these articles, out of the narratives whose weak members they are; labels come again
        with the article."""
        article, member, score = schema.article, schema.membership, schema.score
        home = member.c.article_id == score.c.article_id, member.c.narrative_id == score.c.narrative_id
        weak = exists().where(*home, member.c.weak)
        for start in range(0, len(voices), 500):
            stories = select(article.c.story_id).where(article.c.id.in_(voices[start : start + 500]))
            copies = select(article.c.id).where(article.c.story_id.in_(stories))
            connection.execute(delete(score).where(score.c.article_id.in_(copies), weak))
            connection.execute(delete(member).where(member.c.weak, member.c.article_id.in_(copies)))

    def set_week(self, connection: Connection, article_ids: Sequence[str], week: date, voices: Collection[str]) -> None:
        """Articles belong to a week from now on, and say whether they are their story's voice."""
        table = schema.article
        change = (
            update(table)
            .where(table.c.id == bindparam("article"))
            .values(step_week=bindparam("week"), is_voice=bindparam("voice"))
        )
        if article_ids:
            connection.execute(change, [{"article": i, "week": week, "voice": i in voices} for i in article_ids])

    def start_run(self, command: str, settings: Mapping[str, Any], versions: Mapping[str, str]) -> int:
        """Open a run record; a run that was killed keeps the state `running` until the next one marks it."""
        with self.begin() as connection:
            connection.execute(
                update(schema.run).where(schema.run.c.state == "running").values(state="killed", finished_at=_now())
            )
            result = connection.execute(
                schema.run.insert().values(
                    command=command,
                    state="running",
                    started_at=_now(),
                    settings=dict(settings),
                    versions=dict(versions),
                )
            )
            assert result.inserted_primary_key is not None
            return int(result.inserted_primary_key[0])

    def finish_run(
        self, run_id: int, state: str, counts: Mapping[str, Any], seconds: Mapping[str, float] | None = None
    ) -> None:
        with self.begin() as connection:
            connection.execute(
                update(schema.run)
                .where(schema.run.c.id == run_id)
                .values(state=state, finished_at=_now(), counts=dict(counts), seconds=dict(seconds or {}))
            )

    def digest(self) -> str:
        """Hash of all that the archive says, leaving out run records and the instants of writing.

        Two archives with the same digest hold the same articles, narratives, memberships, scores and events.
        """
        digest = hashlib.sha256()
        with self.reading() as connection:
            for name in _HISTORY:
                table = schema.metadata.tables[name]
                columns = [column for column in table.columns if column.name not in _CLOCK]
                for row in connection.execute(select(*columns).order_by(*table.primary_key.columns)):
                    values = [value.hex() if isinstance(value, bytes) else value for value in row]
                    digest.update(json.dumps([name, *values], default=str, sort_keys=True).encode())
        return digest.hexdigest()
