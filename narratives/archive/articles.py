"""The article side of the archive: taking in, superseding, quarantine, and reading back as frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from narratives.archive import schema
from narratives.archive.bulk import insert_many
from narratives.archive.quarantine import Quarantine
from narratives.articles import Article, Reject
from narratives.duplicates import Entry, Placement, ReprintIndex
from narratives.sketches import Sketch

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["accepted", "superseded", "repeated", "quarantined"]
_IDS_A_QUERY = 5_000
# What a later version leaves as it is, or sets by itself. It waits for a step again, so `step_week` is set.
_KEPT = ("id", "story_id", "version", "ingested_at", "is_voice")


@dataclass(frozen=True)
class Prepared:
    """What ingest finds out about an article: its language tag and its sketch for reprints."""

    lang: str
    sketch: Sketch


@dataclass(frozen=True)
class Outcome:
    """What became of one record. `is_reprint` only of accepted ones: it joined an earlier article's story."""

    kind: Kind
    is_reprint: bool = False


class Articles(Quarantine):
    """Taking articles in and reading them back."""

    def reprint_index(self, window_days: int, min_similarity: float) -> ReprintIndex:
        """The index that finds an incoming article's story; it reads sketches as it needs them."""
        return ReprintIndex(window_days, min_similarity, self._entries_between)

    def take_in(
        self,
        records: Sequence[Article | Reject],
        index: ReprintIndex,
        prepare: Callable[[Sequence[Article]], Sequence[Prepared]],
        now: datetime | None = None,
    ) -> list[Outcome]:
        """Write one chunk of records in one transaction: all of it or nothing.

        An article that is new is accepted. One whose id is known is repeated when the archive has or had that
        very version, otherwise it supersedes: the version before is kept in `article_version`, the story
        stays, and scores whose evidence pointed into the old text are dropped.

        Parameters
        ----------
        records
            In order of arrival.
        index
            Of `reprint_index`; after an error it must not be used again.
        prepare
            Finds out what must be known of articles; called once, with those alone that are not repeated.

        Returns
        -------
        One outcome a record, in the same order.
        """
        moment = _naive(now or datetime.now(UTC))
        ids = [record.id if isinstance(record, Article) else "" for record in records]
        with self.begin() as connection:
            known = self._known(connection, [key for key in ids if key])
            outcomes: list[Outcome] = []
            fresh: list[_Fresh] = []
            for key, record in zip(ids, records, strict=True):
                if isinstance(record, Reject):
                    outcomes.append(Outcome("quarantined"))
                    continue
                version = (record.content_hash, _naive(record.published_at))
                state = known.get(key)
                if state is not None and version in state.versions:
                    outcomes.append(Outcome("repeated"))
                    continue
                outcomes.append(Outcome("superseded" if state else "accepted"))
                fresh.append(_Fresh(key, record, version, state.story if state else None))
                if state is None:
                    state = known[key] = _Known(None, set())
                state.versions.add(version)
            found = prepare([one.article for one in fresh])
            entries = [
                Entry(one.id, one.article.published_at, of_it.sketch, one.story)
                for one, of_it in zip(fresh, found, strict=True)
            ]
            rows = [_article_row(one, of_it.lang, moment) for one, of_it in zip(fresh, found, strict=True)]
            placements = index.place(entries)
            self._write(connection, rows, entries, placements)
            self.put_aside(connection, [record for record in records if isinstance(record, Reject)], moment)
        placed = iter(placements)
        return [
            outcome
            if outcome.kind in ("repeated", "quarantined")
            else Outcome(outcome.kind, next(placed).is_reprint and outcome.kind == "accepted")
            for outcome in outcomes
        ]

    def _write(
        self,
        connection: Connection,
        rows: Sequence[dict[str, Any]],
        entries: Sequence[Entry],
        placements: Sequence[Placement],
    ) -> None:
        """Insert what is new and supersede what is known, in order; keep the sketches that are wanted."""
        new: dict[str, dict[str, Any]] = {}
        later: list[dict[str, Any]] = []
        sketches: dict[str, bytes] = {}
        for row, entry, placement in zip(rows, entries, placements, strict=True):
            row["story_id"] = placement.story
            if entry.story is None and row["id"] not in new:
                new[row["id"]] = row
            else:
                later.append(row)
            sketches.pop(row["id"], None)
            if placement.keep_sketch:
                sketches[row["id"]] = entry.sketch.to_bytes()
        insert_many(connection, schema.article, list(new.values()))
        for row in later:
            self._supersede(connection, row)
        signatures = [{"article_id": key, "signature": raw} for key, raw in sketches.items()]
        insert_many(connection, schema.reprint_signature, signatures)

    def _known(self, connection: Connection, ids: Sequence[str]) -> dict[str, _Known]:
        table, old = schema.article, schema.article_version
        known: dict[str, _Known] = {}
        for chunk in _chunks(ids):
            current = select(table.c.id, table.c.story_id, table.c.content_hash, table.c.published_at)
            for row in connection.execute(current.where(table.c.id.in_(chunk))):
                known[row.id] = _Known(row.story_id, {(row.content_hash, row.published_at)})
        for chunk in _chunks(list(known)):
            before = select(old.c.article_id, old.c.content_hash, old.c.published_at)
            for past in connection.execute(before.where(old.c.article_id.in_(chunk))):
                known[past.article_id].versions.add((past.content_hash, past.published_at))
        return known

    def _supersede(self, connection: Connection, row: Mapping[str, Any]) -> None:
        table, old = schema.article, schema.article_version
        names = ["version", "title", "text", "content_hash", "published_at", "ingested_at", "origin"]
        is_it = table.c.id == row["id"]
        copied = select(table.c.id, *(table.c[name] for name in names)).where(is_it)
        connection.execute(insert(old).from_select(["article_id", *names], copied))
        values = {name: row[name] for name in row if name not in _KEPT}
        connection.execute(
            update(table).where(is_it).values(**values, version=table.c.version + 1, ingested_at=row["ingested_at"])
        )
        for scored in (schema.score, schema.tone, schema.actor_tone, schema.reprint_signature):
            connection.execute(delete(scored).where(scored.c.article_id == row["id"]))

    def _entries_between(self, since: datetime, until: datetime) -> Iterator[Entry]:
        table, sketches = schema.article, schema.reprint_signature
        query = (
            select(table.c.id, table.c.published_at, table.c.story_id, sketches.c.signature)
            .join(sketches, sketches.c.article_id == table.c.id)
            .where(table.c.published_at >= _naive(since), table.c.published_at < _naive(until))
            .order_by(table.c.published_at, table.c.id)
        )
        with self.reading() as connection:
            for row in connection.execute(query):
                published = row.published_at.replace(tzinfo=UTC)
                yield Entry(row.id, published, Sketch.from_bytes(row.signature), row.story_id)

    def n_articles(self) -> int:
        """How many articles there are."""
        with self.reading() as connection:
            return int(connection.scalar(select(func.count()).select_from(schema.article)) or 0)

    def text_of(self, article_id: str) -> str | None:
        """The stored text of an article; None when it is not there."""
        table = schema.article
        with self.reading() as connection:
            return connection.scalar(select(table.c.text).where(table.c.id == article_id))

    def articles_frame(
        self,
        ids: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        step_week: date | None = None,
        waiting: bool = False,
    ) -> pd.DataFrame:
        """Articles, in order of publication (ties by id).

        Parameters
        ----------
        ids
            Only these.
        since, until
            Aware instants; from the first to before the second.
        step_week
            Only what the pipeline took in in the step of that Monday.
        waiting
            Only what no step has taken in yet.

        Returns
        -------
        Columns id, url, source, title, text, lang, published_at and ingested_at (datetime64[us, UTC]),
        published_offset_minutes, content_hash, story, origin, version, step_week, is_first (it is its story's
        first), n_copies (articles of the story in the archive).
        """
        import pandas as pd

        table = schema.article
        where: list[ColumnElement[bool]] = []
        if since is not None:
            where.append(table.c.published_at >= _naive(since))
        if until is not None:
            where.append(table.c.published_at < _naive(until))
        if step_week is not None:
            where.append(table.c.step_week == step_week)
        if waiting:
            where.append(table.c.step_week.is_(None))
        query = select(table).where(*where).order_by(table.c.published_at, table.c.id)
        with self.reading() as connection:
            if ids is None:
                rows = connection.execute(query).fetchall()
            else:
                rows = [r for c in _chunks(ids) for r in connection.execute(query.where(table.c.id.in_(c)))]
            copies = self._n_copies(connection, list({row.story_id for row in rows}))
        names = [column.name for column in table.columns]
        frame = pd.DataFrame(rows, columns=names).rename(columns={"story_id": "story"})
        for name in ("published_at", "ingested_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
        frame["n_copies"] = frame["story"].map(copies).astype("int64")
        frame["is_first"] = frame["id"] == frame["story"]
        if ids is not None:
            frame = frame.sort_values(["published_at", "id"], ignore_index=True)
        return frame

    def _n_copies(self, connection: Connection, stories: Sequence[str]) -> dict[str, int]:
        """How many articles each story has in the whole archive."""
        table = schema.article
        query = select(table.c.story_id, func.count()).group_by(table.c.story_id)
        if len(stories) > 20 * _IDS_A_QUERY:  # asking for all is quicker than asking for many
            return {row[0]: row[1] for row in connection.execute(query)}
        parts = (connection.execute(query.where(table.c.story_id.in_(chunk))) for chunk in _chunks(stories))
        return {row[0]: row[1] for part in parts for row in part}

    def feed_state(self, url: str) -> dict[str, Any]:
        """What is remembered of a feed (the columns of its row); empty if it is unknown."""
        with self.reading() as connection:
            row = connection.execute(select(schema.feed).where(schema.feed.c.url == url)).mappings().one_or_none()
        return dict(row) if row is not None else {}

    def set_feed_state(self, url: str, **values: Any) -> None:
        """Remember of a feed what is given."""
        table = schema.feed
        with self.begin() as connection:
            if not connection.execute(update(table).where(table.c.url == url).values(**values)).rowcount:
                connection.execute(insert(table).values(url=url, **values))


@dataclass
class _Known:
    """A known article: its story (None while it is on its way in) and the versions it ever had."""

    story: str | None
    versions: set[tuple[str, datetime]]


@dataclass(frozen=True)
class _Fresh:
    """An article that is to be written: its id and version, and its story where that is known already."""

    id: str
    article: Article
    version: tuple[str, datetime]
    story: str | None


def _article_row(fresh: _Fresh, lang: str, moment: datetime) -> dict[str, Any]:
    article = fresh.article
    content_hash, published_at = fresh.version
    offset = article.published_at.utcoffset()
    return {
        "id": fresh.id,
        "url": article.url,
        "source": article.source,
        "title": article.title,
        "text": article.text,
        "lang": lang,
        "published_at": published_at,
        "published_offset_minutes": int(offset.total_seconds() // 60) if offset is not None else 0,
        "ingested_at": moment,
        "content_hash": content_hash,
        "story_id": "",
        "origin": article.origin,
        "version": 1,
        "step_week": None,
        "is_voice": False,
    }


def _naive(moment: datetime) -> datetime:
    """UTC without an offset, as the archive keeps instants."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield ids[start : start + _IDS_A_QUERY]
