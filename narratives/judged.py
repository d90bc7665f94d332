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

    Asks which scorers there are, a handful, by stepping through an index, and reads only what another one scored.

    Parameters
    ----------
    marks
        `Judged.mark` of every narrative that is asked for.
    """
    table, member, found = schema.score, schema.membership, dict[str, list[str]]()
    same = (table.c.article_id == member.c.article_id) & (table.c.narrative_id == member.c.narrative_id)
    members = select(table.c.article_id).join(member, same).order_by(table.c.article_id)
    labelled = [narrative for narrative, mark in marks.items() if mark]
    with archive.reading() as connection:
        for scorer in _steps(connection, table.c.scorer):
            if scorer == ANALYST:
                continue
            scored = labelled
            if "+" in scorer:  # by somebody's labels: few narratives have such scores
                scored = [n for n in _steps(connection, table.c.narrative_id, table.c.scorer == scorer) if n in marks]
            for narrative in scored:
                mark = marks[narrative]
                if not mark or not scorer.endswith(f"+{mark}"):
                    own = members.where(table.c.scorer == scorer, table.c.narrative_id == narrative)
                    found.setdefault(narrative, []).extend(connection.scalars(own))
    return {narrative: sorted(ids) for narrative, ids in found.items() if ids}


def _steps(connection: Connection, column: Column[str], *where: ColumnElement[bool]) -> Iterator[str]:
    """Distinct values of an indexed column, each by one look into the index."""
    value = connection.scalar(select(func.min(column)).where(*where))
    while value is not None:
        yield value
        value = connection.scalar(select(func.min(column)).where(*where, column > value))
