"""What a person has said of articles' stance: the labels on record, in the form that the scorer learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from narratives.archive import schema
from narratives.lookup import redirects
from narratives.statements import CLASSES

if TYPE_CHECKING:
    from narratives.archive import Archive

Row = Mapping[str, Any]
#: Scorer's name of a score that a person gave.
ANALYST = "analyst"
_CHUNK = 500


@dataclass(frozen=True)
class Judged:
    """Articles of one narrative with the stance that a person read in them, one a story, in order of their ids.

    `labels` are columns of `CLASSES`.
    """

    rows: tuple[Row, ...] = ()
    labels: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def mark(self) -> str:
        """Changes with every label: part of the scorer's name, so that older scores are known to be older.

        >>> Judged().mark
        ''
        """
        if not self.labels:
            return ""
        said = "|".join(f"{row['id']}={label}" for row, label in zip(self.rows, self.labels, strict=True))
        return f"{len(self)}.{hashlib.sha256(said.encode()).hexdigest()[:6]}"


#: Nobody has labelled anything.
UNJUDGED = Judged()


def judged_articles(archive: Archive, connection: Connection | None = None) -> dict[str, Judged]:
    """Narrative -> its labels that stand; of two labels of one story the later counts, and merged ids are followed."""
    table, article = schema.decision, schema.article
    rows = archive.rows(table, table.c.kind == "stance", ~table.c.undone, connection=connection)
    if not rows:
        return {}
    end = redirects(archive, connection)
    ids = sorted({row["article_id"] for row in rows})
    found: dict[str, Row] = {}
    for start in range(0, len(ids), _CHUNK):
        some = archive.rows(article, article.c.id.in_(ids[start : start + _CHUNK]), connection=connection)
        found |= {row["id"]: row for row in some}
    said: dict[str, dict[str, tuple[Row, int]]] = {}
    for row in rows:
        judged = found.get(row["article_id"])
        label = row["payload"].get("label")
        if judged is not None and label in CLASSES:
            narrative = end.get(row["narrative_id"], row["narrative_id"])
            said.setdefault(narrative, {})[judged["story_id"]] = (judged, CLASSES.index(label))
    return {
        narrative: Judged(*zip(*sorted(by_story.values(), key=lambda pair: str(pair[0]["id"])), strict=True))
        for narrative, by_story in said.items()
    }


def outdated(archive: Archive, marks: Mapping[str, str]) -> dict[str, list[str]]:
    """Narrative -> articles whose score was made with other labels than those that stand now.

    Which scorers a narrative has, mostly one, an index tells; only what another one scored is read.

    Parameters
    ----------
    marks
        `Judged.mark` of every narrative that is asked for.
    """
    table, member, narrative, found = schema.score, schema.membership, schema.narrative, dict[str, list[str]]()
    same = (table.c.article_id == member.c.article_id) & (table.c.narrative_id == member.c.narrative_id)
    own = table.c.narrative_id == narrative.c.id
    first, last = (select(f(table.c.scorer)).where(own).scalar_subquery() for f in (func.min, func.max))
    with archive.reading() as connection:
        for name, least, most in connection.execute(select(narrative.c.id, first, last).order_by(narrative.c.id)).all():
            if name not in marks or least is None:
                continue
            here = table.c.narrative_id == name
            scorers = [least] if least == most else list(_steps(connection, table.c.scorer, here))
            mark = marks[name]
            other = [s for s in scorers if s != ANALYST and (not s.endswith(f"+{mark}") if mark else "+" in s)]
            for scorer in other:
                query = select(table.c.article_id).join(member, same).where(here, table.c.scorer == scorer)
                found.setdefault(name, []).extend(connection.scalars(query))
    return {name: sorted(ids) for name, ids in found.items() if ids}


def _steps(connection: Connection, column: Column[str], *where: ColumnElement[bool]) -> Iterator[str]:
    """Distinct values of an indexed column, each by one look into the index."""
    value = connection.scalar(select(func.min(column)).where(*where))
    while value is not None:
        yield value
        value = connection.scalar(select(func.min(column)).where(*where, column > value))
