"""What narratives and weeks speak of, kept as sums: a step counts its new articles and reads no old one.

A narrative that lost members (a split, a decision, a correction) has no sums any more; they are made of its latest
members again when it next changes. Of two that merge the sums are added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select

from narratives import weeks
from narratives.archive import schema
from narratives.keywords import Keywords, Ranked, keywords_of, ranked_both
from narratives.naming import name_from
from narratives.term_sums import Profile, Tally, Texts, add_up, count, texts_of
from narratives.terms import article_terms

if TYPE_CHECKING:
    from narratives.archive import Archive
    from narratives.state import StepState
    from narratives.step import Step

NAMING_MEMBERS = 100  # latest members, in whole weeks, that say what a narrative speaks of
MATERIAL_WEEKS = 8  # latest weeks that say what all material speaks of
MATERIAL_TERMS = 20_000  # terms kept of one of them and a language
_FILLED = 20_000  # stories at most that an archive without sums of its weeks is read for

Cells = dict[date, Profile]


def stored_cells(archive: Archive, narratives: Sequence[str], connection: Connection | None = None) -> dict[str, Cells]:
    """Narrative -> week -> profile, in order of time; those without sums are left out."""
    table, found = schema.narrative_terms, dict[str, Cells]()
    for start in range(0, len(narratives), 500):
        some = table.c.narrative_id.in_(narratives[start : start + 500])
        for row in archive.rows(table, some, connection=connection):
            found.setdefault(row["narrative_id"], {})[row["week"]] = row["profile"]
    return found


def latest(cells: Mapping[date, Profile], limit: int = NAMING_MEMBERS) -> Cells:
    """The latest whole weeks that hold `limit` members or more, or all there are."""
    kept: Cells = {}
    for week in sorted(cells, reverse=True):
        if size_of(kept.values()) >= limit:
            break
        kept[week] = cells[week]
    return dict(sorted(kept.items()))


def in_one(cells: Cells, others: Cells) -> Cells:
    """The weeks of two narratives as those of one."""
    return latest({at: add_up([part[at] for part in (cells, others) if at in part]) for at in {**cells, **others}})


def rows_of(narrative_id: str, cells: Cells) -> list[dict[str, Any]]:
    """As rows of `narrative_terms`."""
    return [
        {"narrative_id": narrative_id, "week": at, "n": size_of([profile]), "profile": profile}
        for at, profile in cells.items()
    ]


def size_of(profiles: Iterable[Profile]) -> int:
    return sum(part["n"] for profile in profiles for part in profile.values())


def material_of(archive: Archive, until: date) -> dict[date, Profile]:
    """Week -> what all its stories speak of, of the latest weeks; from the articles where no sums are kept yet."""
    since, table, article = until - (MATERIAL_WEEKS - 1) * weeks.WEEK, schema.week_terms, schema.article
    found: dict[date, Profile] = {
        row["week"]: row["profile"] for row in archive.rows(table, table.c.week >= since, table.c.week <= until)
    }
    if found:
        return found
    query = select(article).where(article.c.step_week >= since, article.c.step_week <= until, article.c.is_voice)
    by_week: dict[date, list[Any]] = {}
    with archive.reading() as connection:
        for row in connection.execute(query.order_by(article.c.published_at.desc(), article.c.id).limit(_FILLED)):
            by_week.setdefault(row.step_week, []).append(row._mapping)
    return {week: material_in(by_week[week]) for week in sorted(by_week)}


def material_in(rows: Iterable[Mapping[Any, Any]]) -> Profile:
    """What articles (`title`, `text`, `lang`) speak of, as other articles are compared with it."""
    texts = Texts()
    for row in rows:
        texts.add(row, article_terms(row["title"], row["text"]))
    return texts.profile(MATERIAL_TERMS)


class Vocabulary:
    """The sums of one step: `add` what joined each narrative that changed, ask for `keywords` and `name`, `write`."""

    def __init__(self, step: Step, state: StepState) -> None:
        self.step, self.state, self.archive = step, state, step.archive
        self._cells: dict[str, Cells] = {}
        self._before: dict[str, Cells] = {}
        self._own: dict[str, Profile] = {}
        self._ranked: dict[str, Ranked] = {}
        self._week = Texts()  # of this week's voices: those that join a narrative are cut into terms once for both
        self._counted_in: set[str] = set()
        self._voices = {row["id"] for row in state.voices}
        self._names: dict[str, tuple[str, str]] = {
            i: (row["name_zh"], row["name_en"]) for i, row in state.narratives.items() if row["status"] != "merged"
        }

    @cached_property
    def material(self) -> dict[date, Profile]:
        """Week -> what all stories speak of, with those of this step."""
        found, week = dict(self.step.spoken(self.state.week)), self.state.week
        for row in self.state.voices:
            if row["id"] not in self._counted_in:  # it joined no narrative
                self._week.add(row, article_terms(row["title"], row["text"]))
        new = self._week.profile(MATERIAL_TERMS)
        found[week] = texts_of([found[week], new]) if week in found else new
        return found

    @cached_property
    def every(self) -> Profile:
        """What all stories of the latest weeks speak of."""
        return texts_of(self.material.values())

    def read(self, narratives: Sequence[str]) -> None:
        """Read the sums of narratives that changed."""
        if not self.state.bootstrapping:
            self._before |= stored_cells(self.archive, narratives)

    def add(self, narrative_id: str, joining: Sequence[str], gone: Collection[str], anew: bool) -> None:
        """Stories joined a narrative.

        Parameters
        ----------
        gone
            Stories that are in another narrative now, if they were in this one.
        anew
            It lost some, or their text was replaced: its members are counted again.
        """
        before = self._before.get(narrative_id, {})
        if self.state.bootstrapping:  # which places everything anew
            before = {}
        elif anew or not before:
            before = self._counted(narrative_id, {*gone, *joining})
        cells, week = dict(before), self.state.week
        if joining:
            new = self._joined(joining)
            cells[week] = add_up([cells[week], new]) if week in cells else new
        self._cells[narrative_id] = latest(cells)
        self._own[narrative_id] = add_up(list(self._cells[narrative_id].values()))

    def _joined(self, joining: Sequence[str]) -> Profile:
        """What the stories that join a narrative speak of; this week's are counted for the week as well."""
        own = Tally()
        for row in self.step.rows_of(joining):
            found = article_terms(row["title"], row["text"])
            own.add(row, found)
            if row["id"] in self._voices and row["id"] not in self._counted_in:
                self._counted_in.add(row["id"])
                self._week.add(row, found)
        return own.profile()

    def _counted(self, narrative_id: str, without: Collection[str]) -> Cells:
        """Weeks of a narrative from its latest members, the oldest of these weeks whole."""
        latest_ones = self.step.joined(narrative_id, NAMING_MEMBERS + len(without))
        found = [pair for pair in latest_ones if pair[0] not in without]
        if len(found) >= NAMING_MEMBERS:
            first = found[NAMING_MEMBERS - 1][1]
            whole = self.step.joined(narrative_id, None, first)
            found = [*(pair for pair in found if pair[1] > first), *(pair for pair in whole if pair[0] not in without)]
        by_week: dict[date, list[str]] = {}
        for article_id, week in found:
            by_week.setdefault(week, []).append(article_id)
        return {week: count(self.step.rows_of(sorted(by_week[week]))) for week in sorted(by_week)}

    def keywords(self, narrative_id: str) -> Keywords:
        self._ranked[narrative_id] = ranked = ranked_both(self._own[narrative_id], self.every)
        return keywords_of(self._own[narrative_id], self.every, ranked=ranked)

    def name(self, narrative_id: str) -> tuple[str, str]:
        """Working names in Chinese and in English; those of the others are avoided."""
        others = [both for i, both in sorted(self._names.items()) if i != narrative_id]
        zh, en = (
            name_from(
                self._own[narrative_id], self.every, lang, [both[k] for both in others], self._ranked.get(narrative_id)
            )
            for k, lang in enumerate(("zh", "en"))
        )
        self._names[narrative_id] = zh, en
        return zh, en

    def write(self, connection: Connection, forgotten: Iterable[str]) -> None:
        """Keep the sums of this step; those of narratives that lost members without gaining any are forgotten."""
        table, week = schema.narrative_terms, self.state.week
        rows = []
        for narrative_id, cells in sorted(self._cells.items()):
            own, kept = table.c.narrative_id == narrative_id, self._before.get(narrative_id, {})
            same = {at for at in cells if cells[at] is kept.get(at)}
            connection.execute(delete(table).where(own, table.c.week.not_in(same)))
            rows += rows_of(narrative_id, {at: profile for at, profile in cells.items() if at not in same})
        self.archive.insert(connection, table, rows)
        for narrative_id in sorted(set(forgotten) - set(self._cells)):
            connection.execute(delete(table).where(table.c.narrative_id == narrative_id))
        since, table = week - (MATERIAL_WEEKS - 1) * weeks.WEEK, schema.week_terms
        there = set(connection.scalars(select(table.c.week)))
        connection.execute(delete(table).where(table.c.week < since))
        kept_weeks = [at for at in self.material if at >= since and (at == week or at not in there)]
        self.archive.put(connection, table, [{"week": at, "profile": self.material[at]} for at in kept_weeks])
