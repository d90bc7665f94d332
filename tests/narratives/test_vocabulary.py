"""Counts of terms stay those of the members, whatever happens to them, and no old member is read for it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import narratives
from narratives import term_sums
from narratives.archive import schema
from narratives.decisions import Decisions
from narratives.vocabulary import latest, size_of, stored_cells

WEEK = date(2025, 9, 1)


def cell(n: int) -> dict[str, Any]:
    return {"en": {"n": n, "outlets": 1, "terms": {"a": [n, 0, 0, 1]}, "forms": {}}}


def test_the_latest_whole_weeks_are_kept() -> None:
    cells = {WEEK + timedelta(weeks=i): cell(n) for i, n in enumerate((40, 30, 20))}
    assert [part["en"]["n"] for part in latest(cells, 45).values()] == [30, 20]
    assert [part["en"]["n"] for part in latest(cells, 51).values()] == [40, 30, 20]
    assert size_of(cells.values()) == 90


@pytest.fixture
def desk(tmp_path: Path, small_desk_folder: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    with closing(narratives.open(tmp_path / "desk")) as opened:
        yield opened


def from_members(desk: narratives.Desk) -> dict[str, dict[date, Any]]:
    """Narrative -> week -> counts of its members as the archive has them now."""
    m, a = schema.membership, schema.article
    query = select(m.c.narrative_id, m.c.week, a).join(a, a.c.id == m.c.article_id)
    rows: dict[str, dict[date, list[Any]]] = {}
    with desk.archive.reading() as connection:
        for row in connection.execute(query.where(m.c.primary, ~m.c.weak, m.c.how != "copy").order_by(a.c.id)):
            rows.setdefault(row.narrative_id, {}).setdefault(row.week, []).append(row._mapping)
    return {
        name: {week: term_sums.count(some) for week, some in sorted(by_week.items())} for name, by_week in rows.items()
    }


def test_counts_are_those_of_the_members_and_a_step_counts_new_articles_only(
    desk: narratives.Desk, add_stories: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    real = term_sums.article_terms

    def told(title: str, text: str) -> Any:
        counted.append(title)
        return real(title, text)

    monkeypatch.setattr(term_sums, "article_terms", told)
    add_stories(desk, [("mine", 5, 4), ("plant", 5, 4)])
    n_new = len(desk.articles().query("week == week.max() and is_first"))
    assert len(counted) <= 2 * n_new  # once for the week, once for the narrative
    monkeypatch.undo()
    assert stored_cells(desk.archive, sorted(desk.narratives()["id"])) == from_members(desk)


@pytest.mark.parametrize("seed", range(2))
def test_after_decisions_the_next_update_counts_anew(
    desk: narratives.Desk, add_stories: Callable[..., None], seed: int
) -> None:
    rng, decisions = random.Random(seed), Decisions(desk.archive, desk.zone)
    placed = desk.articles().query("narrative != '' and is_first")
    living = desk.narratives().query("status == 'active'")["id"].tolist()
    article = rng.choice(placed["id"].tolist())
    home = placed.set_index("id")["narrative"][article]
    if seed:
        decisions.pin(article, rng.choice([i for i in living if i != home]))
    else:
        decisions.split(home, placed[placed["narrative"] == home]["id"].tolist()[:3], en="Part")
    assert home not in stored_cells(desk.archive, [home])
    assert len(desk.terms(home))  # from its articles, until then
    add_stories(desk, [("mine", 6, 4), ("plant", 6, 4), ("chips", 6, 3)])
    kept = stored_cells(desk.archive, sorted(desk.narratives()["id"]))
    assert home in kept and kept == {name: cells for name, cells in from_members(desk).items() if name in kept}


def test_a_week_is_counted_with_its_unassigned(desk: narratives.Desk) -> None:
    rows = desk.archive.rows(schema.week_terms)
    firsts = desk.articles().query("is_first")
    assert sum(size_of([row["profile"]]) for row in rows) == len(firsts)


def test_terms_of_a_narrative_and_of_a_week(desk: narratives.Desk) -> None:
    mine = next(i for i in desk.narratives()["id"] if "kachin" in " ".join(desk.terms(i)["term"]).lower())
    assert desk.terms(mine)["score"].is_monotonic_decreasing
    assert len(desk.terms(mine, desk.weeks()[-1]))
    assert desk.terms("N9999").empty
