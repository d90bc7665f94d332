"""The frame of articles that a desk shows: all of them, or those of one narrative or week, read by index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, select

from narratives import weeks
from narratives.archive import Archive, schema
from narratives.claims import measured

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "id", "title", "text", "source", "lang", "published_at", "week", "url", "story", "is_first", "n_copies",
    "narrative", "weight", "weak", "stance", "verdict", "confidence", "tone", "origin",
)  # fmt: skip
_TEXTS = ("id", "title", "text", "source", "lang", "url", "story_id", "narrative", "verdict", "origin")
_IDS_A_QUERY = 5_000


def article_frame(archive: Archive, zone: ZoneInfo, narrative: str | None = None, week: date | None = None) -> Any:
    """Articles that a step has taken in, in order of publication, with the scores of their primary narrative.

    With a narrative or a week only its articles are read, so that the answer costs what it holds and not what the
    archive holds.

    Parameters
    ----------
    zone
        In which a week begins on Monday at midnight.
    narrative
        Id of the primary narrative; None takes all, also articles without one.
    week
        Monday of the week of publication; None takes all.

    Returns
    -------
    Columns `COLUMNS`; see `narratives.frames.Frames.articles`. `is_first` and `n_copies` speak of the whole story,
    whichever of its copies are in the frame.
    """
    import pandas as pd

    m, s, t = schema.membership, schema.score, schema.tone
    with archive.reading() as connection:
        articles = _articles(connection, zone, narrative, week)
        keys = None if narrative is None and week is None else [str(key) for key in articles["id"]]
        members = _of(connection, m, ("article_id", "narrative_id", "weight", "weak"), keys, m.c.primary)
        scores = _of(connection, s, ("article_id", "narrative_id", "stance", "verdict", "confidence"), keys)
        tones = _of(connection, t, ("article_id", "tone"), keys)
        with_claim = measured(connection, set(members["narrative_id"]))
        copies = _copies(connection, articles, None if keys is None else sorted(set(articles["story_id"])))
    frame = articles.merge(members, left_on="id", right_on="article_id", how="left").drop(columns="article_id")
    frame = frame.merge(
        scores, left_on=["id", "narrative_id"], right_on=["article_id", "narrative_id"], how="left"
    ).drop(columns="article_id")
    frame = frame.merge(tones, left_on="id", right_on="article_id", how="left")
    frame["narrative"] = frame["narrative_id"].fillna("")
    frame["verdict"] = frame["verdict"].fillna("")
    frame["weak"] = frame["weak"].fillna(False).astype(bool)
    # Where no claim is measured no scores are kept.
    unclear = (frame["verdict"] == "") & ~frame["narrative"].isin({"", *with_claim}) & ~frame["weak"]
    frame.loc[unclear, ["verdict", "confidence"]] = "unclear", 0.0
    for name in _TEXTS:  # an empty frame has the same types as a full one
        frame[name] = frame[name].astype(str)
    frame["stance"] = frame["stance"].astype(float).where(frame["confidence"].astype(float) > 0)
    for name in ("confidence", "tone", "weight"):
        frame[name] = frame[name].astype(float)
    mondays = [week or weeks.monday_of(at, zone) for at in frame["published_at"]]
    frame["week"] = pd.Series(mondays, dtype=object)
    frame["published_at"] = pd.to_datetime(frame["published_at"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.sort_values(["published_at", "id"], ignore_index=True)
    frame["is_first"] = frame["id"].isin(copies["first"])
    frame["n_copies"] = frame["story_id"].map(copies["n"]).astype("int64")
    return frame.rename(columns={"story_id": "story"})[list(COLUMNS)]


def bounds_of(week: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of a week and of the next, naive UTC as the archive stores them."""
    first, last = (datetime.combine(day, time(), zone) for day in (week, week + timedelta(days=7)))
    return first.astimezone(UTC).replace(tzinfo=None), last.astimezone(UTC).replace(tzinfo=None)


def _articles(connection: Connection, zone: ZoneInfo, narrative: str | None, week: date | None) -> pd.DataFrame:
    import pandas as pd

    a, m = schema.article, schema.membership
    columns = [a.c[n] for n in ("id", "title", "text", "source", "lang", "published_at", "url", "story_id", "origin")]
    query = select(*columns).where(a.c.step_week.is_not(None)).order_by(a.c.id)
    within: tuple[ColumnElement[bool], ...] = ()
    if week is not None:
        since, until = bounds_of(week, zone)
        within = (a.c.published_at >= since, a.c.published_at < until)
    if narrative is not None:
        own = (m.c.narrative_id == narrative, m.c.primary)
        # Whichever is fewer leads: the narrative's articles, or the week's.
        n_own = connection.scalar(select(func.count()).select_from(m).where(m.c.narrative_id == narrative)) or 0
        n_week = connection.scalar(select(func.count()).select_from(a).where(*within)) if within else None
        if n_week is not None and n_week < 3 * n_own:  # a week's articles lie side by side
            query = query.where(exists().where(m.c.article_id == a.c.id, *own))
        else:
            query = query.join(m, m.c.article_id == a.c.id).where(*own)
    query = query.where(*within)
    return pd.DataFrame(_rows(connection, query), columns=[column.name for column in columns])


def _of(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    keys: Sequence[str] | None,
    *where: ColumnElement[bool],
) -> pd.DataFrame:
    """Columns of a table for the articles of some ids; None: for all."""
    import pandas as pd

    query = select(*(table.c[name] for name in names)).where(*where)
    parts = (query,) if keys is None else (query.where(table.c.article_id.in_(part)) for part in _parts(keys))
    rows = [row for part in parts for row in _rows(connection, part)]
    return pd.DataFrame(rows, columns=list(names))


def _copies(connection: Connection, articles: pd.DataFrame, stories: Sequence[str] | None) -> dict[str, Any]:
    """Size of each story, and the id of the first article of each, by publication and then id."""
    import pandas as pd

    a = schema.article
    names = ["id", "story_id", "published_at"]
    whole = articles[names]
    if stories is not None:
        query = select(a.c.id, a.c.story_id, a.c.published_at).where(a.c.step_week.is_not(None))
        rows = [row for part in _parts(stories) for row in _rows(connection, query.where(a.c.story_id.in_(part)))]
        whole = pd.DataFrame(rows, columns=names)
    ordered = whole.sort_values(["published_at", "id"])
    return {"first": set(ordered.loc[~ordered.duplicated("story_id"), "id"]), "n": ordered["story_id"].value_counts()}


def _rows(connection: Connection, query: Select[Any]) -> list[tuple[Any, ...]]:
    """Plain tuples: pandas takes them several times faster than rows of the database."""
    return [tuple(row) for row in connection.execute(query).fetchall()]


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _IDS_A_QUERY] for start in range(0, len(keys), _IDS_A_QUERY))
