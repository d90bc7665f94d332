"""Themes: narratives that lie near each other, a layer above them that is made anew every fourth week.

Average-link clustering of the narratives' centres, cut where the groups hang together best
(`granularity.measured_cut`). On six draws of 1,200 Chinese headlines of ten topics, cut into 70 small clusters each,
themes cut at the finest level within 3 % of the best silhouette agreed with the topics by AMI .74 (sd .06); the true
number of topics gives .75, the best fixed percentile of pairs (83) .76, and percentiles of 76 and 92 .70 and .64; on
draws of 8 to 40 of the clusters that level and the best silhouette, which is taken now, did alike: .57 to .69. A theme
keeps its id if it holds most of what it held before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, update

from narratives.archive import schema
from narratives.archive.history import bytes_vector
from narratives.granularity import linked, measured_cut
from narratives.keywords import LANGUAGES, keywords_of, ranked_both
from narratives.naming import name_from
from narratives.term_sums import Profile, add_up, commonest

if TYPE_CHECKING:
    from narratives.archive import Archive

EVERY = 4  # steps
LEAST = 8  # narratives, below which there is nothing to group
_SMALLEST = 2  # narratives of a theme
_TERMS = 500  # of each narrative, that a theme's words are made of


@dataclass(frozen=True)
class Grouping:
    """A theme as it is found: its id, "" for a new one, and its narratives in order of their ids."""

    id: str
    narratives: tuple[str, ...]


def group(centres: np.ndarray) -> list[list[int]]:
    """Rows of each theme; a narrative that is near to none is in no theme.

    Parameters
    ----------
    centres : (n, d) unit rows
    """
    from scipy.cluster.hierarchy import fcluster

    if len(centres) < LEAST:
        return []
    similarity = centres @ centres.T
    labels = fcluster(linked(similarity), 1.0 - measured_cut(similarity, _SMALLEST, finest=False), "distance")
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return sorted(rows for rows in groups if len(rows) >= _SMALLEST)


def inherit(found: Sequence[Sequence[str]], before: Mapping[str, Sequence[str]]) -> list[Grouping]:
    """Give themes the ids of those before that they share most narratives with, one to one (Hungarian method).

    An id passes on only with half of the smaller theme or more.

    >>> inherit([["N1", "N2", "N3"], ["N7", "N8"]], {"T0001": ["N1", "N2"], "T0002": ["N4"]})
    [Grouping(id='T0001', narratives=('N1', 'N2', 'N3')), Grouping(id='', narratives=('N7', 'N8'))]
    """
    from scipy.optimize import linear_sum_assignment

    old = sorted(before)
    heirs: dict[int, str] = {}
    if found and old:
        shared = np.array([[len(set(new) & set(before[name])) for name in old] for new in found])
        for i, j in zip(*linear_sum_assignment(-shared), strict=True):
            if 2 * shared[i, j] >= min(len(found[i]), len(before[old[j]])) > 0:
                heirs[int(i)] = old[j]
    return [Grouping(heirs.get(i, ""), tuple(sorted(new))) for i, new in enumerate(found)]


def common_words(profiles: Sequence[Profile]) -> dict[str, dict[str, Any]]:
    """Counts of the terms that two narratives of a theme or more hold; of all, where they share none."""
    some = [
        {lang: {**part, "terms": commonest(part["terms"], _TERMS)} for lang, part in profile.items()}
        for profile in profiles
    ]
    total = add_up(some) if some else {}
    for lang, part in total.items():
        holders = Counter(term for profile in some if lang in profile for term in profile[lang]["terms"])
        shared = {term: held for term, held in part["terms"].items() if holders[term] > 1}
        part["terms"] = shared or part["terms"]
    return total


class Themes:
    """Makes the themes of an archive in a step's transaction, after its narratives and their terms are written."""

    def __init__(self, archive: Archive, week: date) -> None:
        self.archive, self.week = archive, week

    def due(self, connection: Connection) -> bool:
        """Every fourth step, counted as reviews are, and as long as there are none."""
        number = len(self.archive.rows(schema.step, connection=connection))
        return number % EVERY == 0 or not self.archive.rows(schema.theme, connection=connection)

    def make(self, connection: Connection, every: Profile) -> None:
        """Find, name and write the themes of today.

        Parameters
        ----------
        every
            What all material speaks of, that a theme's words are compared with.
        """
        table, narrative = schema.theme, schema.narrative
        living = narrative.c.status.not_in(("merged", "ended"))
        rows = [row for row in self.archive.rows(narrative, living, connection=connection) if row["centre"]]
        before = {row["id"]: row for row in self.archive.rows(table, connection=connection)}
        connection.execute(update(table).values(living=False))
        if len(rows) < LEAST:
            return
        centres = np.stack([bytes_vector(row["centre"]) for row in rows]).astype(float)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
        found = [[rows[i]["id"] for i in members] for members in group(centres)]
        groups = inherit(found, {name: row["narratives"] for name, row in before.items()})
        names: list[str] = []
        for one in groups:
            own = common_words(self._profiles(connection, one.narratives))
            ranked = ranked_both(own, every)
            words = keywords_of(own, every, ranked=ranked)
            zh, en = (name_from(own, every, lang, names, ranked) for lang in LANGUAGES)
            names += [zh, en]
            values = {
                "name_zh": zh,
                "name_en": en,
                "keywords_zh": words.terms("zh", 8),
                "keywords_en": words.terms("en", 8),
                "narratives": list(one.narratives),
                "last_week": self.week,
                "living": True,
            }
            if one.id:
                connection.execute(update(table).where(table.c.id == one.id).values(**values))
            else:
                new = self.archive.next_id(connection, table, "T")
                connection.execute(table.insert().values(id=new, first_week=self.week, **values))

    def _profiles(self, connection: Connection, narratives: Sequence[str]) -> list[Profile]:
        table, found = schema.narrative_terms, dict[str, list[Profile]]()
        for row in self.archive.rows(table, table.c.narrative_id.in_(narratives), connection=connection):
            found.setdefault(row["narrative_id"], []).append(row["profile"])
        return [add_up(found[name]) for name in sorted(found)]
