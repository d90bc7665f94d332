"""Sums of a narrative's weeks say what its members say."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

import narratives
import narratives.step
from narratives.affinity import Batch, WordOverlap, unit
from narratives.archive import schema
from narratives.decisions import Decisions
from narratives.discover import similarities
from narratives.known import make_known, seed_texts
from narratives.settings import DiscoverSettings
from narratives.state import StepState
from narratives.step import Step
from narratives.sums import Cell, added, alike, cell_of, cells_of, folded, known_from, merged, total_of, within, without

MONDAY = date(2025, 9, 1)


def batch(n: int, seed: int, topic: int = 0) -> Batch:
    """Articles about one topic: vectors near one direction, words from one list."""
    rng = np.random.default_rng(seed)
    vectors = unit(np.eye(12)[topic] + 0.3 * rng.standard_normal((n, 12)))
    words = [f"t{topic}w{i}" for i in range(12)]
    terms = tuple(tuple(rng.permutation(words)[:6].tolist()) for _ in range(n))
    ids = tuple(f"{topic}-{seed}-{i}" for i in range(n))
    return Batch(ids, vectors, ("en",) * n, terms, tuple(" ".join(t) for t in terms))


def parts(*sizes: int, topic: int = 0) -> list[tuple[date, Batch]]:
    return [(MONDAY + timedelta(weeks=i), batch(n, i, topic)) for i, n in enumerate(sizes)]


def whole(weeks: list[tuple[date, Batch]]) -> Batch:
    from narratives.affinity import joined

    return joined([part for _, part in weeks])


def test_weeks_that_lie_back_are_added_up_in_fours_and_the_total_stays():
    cells, _ = added([], parts(*[5] * 14), None, DiscoverSettings())
    now = cells[-1].week
    kept = folded(cells, now)
    assert len(kept) <= 4 + 3 + 4 and [cell.week for cell in kept[-4:]] == [cell.week for cell in cells[-4:]]
    assert all(cell in cells for cell in kept[-4:])
    before, after = total_of(cells), total_of(kept)
    assert (after.n, after.own_n, after.week) == (before.n, before.own_n, before.week)
    assert after.profile == before.profile and after.vector == pytest.approx(before.vector)
    assert after.squares == pytest.approx(before.squares)
    again = folded(kept, now)
    assert [cell.week for cell in again] == [cell.week for cell in kept]
    later = now + timedelta(weeks=8)
    assert total_of(folded([*kept, Cell(later, 5, cells[0].vector, cells[0].profile)], later)).n == 75


def test_a_narrative_from_its_sums_is_the_one_from_its_members():
    weeks = parts(12, 9, 14)
    members, settings = whole(weeks), DiscoverSettings()
    said = make_known("N1", members, None, settings)
    told = known_from("N1", total_of(within(added([], weeks, None, settings)[0], 300)), None, settings)
    assert told.centre == pytest.approx(said.centre, abs=1e-6)
    assert told.profile == said.profile
    assert told.own[0] == said.own[0] == 35
    assert told.own[1] == pytest.approx(said.own[1], abs=0.02)
    assert told.own[2] == pytest.approx(said.own[2], abs=0.01)


def test_members_that_join_week_by_week_add_up_as_all_at_once():
    weeks, settings = parts(12, 9, 14), DiscoverSettings()
    cells: list[Cell] = []
    for part in weeks:
        cells, _ = added(cells, [part], None, settings)
    at_once, _ = added([], weeks, None, settings)
    assert [(c.week, c.n, c.own_n, c.profile) for c in cells] == [(c.week, c.n, c.own_n, c.profile) for c in at_once]
    assert all((a.vector == b.vector).all() for a, b in zip(cells, at_once, strict=True))
    one, other = (known_from("N1", total_of(c), None, settings).own for c in (cells, at_once))
    assert one[1] == pytest.approx(other[1], abs=0.05)


def test_late_members_of_a_week_join_the_same_cell():
    settings = DiscoverSettings()
    (week, first), second = parts(6)[0], batch(5, 7)
    (cell,), _ = added(added([], [(week, first)], None, settings)[0], [(week, second)], None, settings)
    assert (cell.n, cell.own_n) == (11, 11)
    assert cell.vector == pytest.approx(np.vstack([first.vectors, second.vectors]).sum(axis=0), abs=1e-5)


def test_only_the_latest_weeks_count_and_of_the_oldest_a_share():
    cells, total = added([], parts(40, 30, 20), None, DiscoverSettings(max_members=60))
    kept = within(cells, 60)
    assert [round(cell.n, 6) for cell in kept] == [10, 30, 20]
    assert kept[0].vector == pytest.approx(cells[0].vector / 4)
    assert [cell.n for cell in within(cells, 50)] == [30, 20]
    again = total_of(kept)
    assert total.vector == pytest.approx(again.vector) and total.profile == again.profile
    numbers = [(one.n, one.own_n, one.beside, one.squares) for one in (total, again)]
    assert numbers[0] == pytest.approx(numbers[1]) and total.squares > 0


def test_what_leaves_is_taken_from_the_sums_of_its_weeks():
    settings, weeks = DiscoverSettings(), parts(12, 9, 5)
    cells, _ = added([], weeks, None, settings)
    (first, members), (second, others), (last, all_of_it) = weeks
    leaving = {first: members.take(range(4)), last: all_of_it}
    left = without(cells, leaving)
    rest = added([], [(first, members.take(range(4, 12))), (second, others)], None, settings)[0]
    assert left is not None
    assert [(c.week, c.n, c.own_n, c.profile) for c in left] == [(c.week, c.n, c.own_n, c.profile) for c in rest]
    for one, other in zip(left, rest, strict=True):
        assert one.vector == pytest.approx(other.vector)
        assert one.beside / one.own_n == pytest.approx(other.beside / other.own_n, abs=0.05)
    assert without(cells, {last + timedelta(weeks=1): all_of_it}) is None


def test_what_leaves_is_taken_from_weeks_that_were_added_up():
    weeks = parts(*[5] * 14)
    cells, _ = added([], weeks, None, DiscoverSettings())
    kept = folded(cells, weeks[-1][0])
    assert len(kept) < len(cells)
    at, members = weeks[2]
    left = without(kept, {at: members.take(range(3))})
    assert left is not None and sum(cell.n for cell in left) == 67
    total = total_of([replace(cells[2], n=2, vector=members.take([3, 4]).vectors.sum(axis=0)), *cells[:2], *cells[3:]])
    assert total_of(left).vector == pytest.approx(total.vector, abs=1e-5)
    gone = members.take(range(2))
    assert without(kept[2:], {at: gone}) == kept[2:]  # of weeks that no total reaches


def test_weeks_of_two_narratives_are_merged_however_they_were_folded():
    settings, weeks = DiscoverSettings(), parts(*[5] * 14)
    now = weeks[-1][0]
    one, other = (folded(added([], side, None, settings)[0], now) for side in (weeks, [*weeks[1:5], *weeks[6:]]))
    assert {cell.week for cell in other} - {cell.week for cell in one}  # the same four weeks under another last one
    both = merged([*one, *other], now, 300)
    assert len({cell.week for cell in both}) == len(both) == len(folded(both, now)) <= 4 + 3 + 4
    total, apart = total_of(both), [total_of(one), total_of(other)]
    assert (total.n, total.own_n) == (14 * 5 + 12 * 5, 14 * 5 + 12 * 5)
    assert total.vector == pytest.approx(apart[0].vector + apart[1].vector)
    latest = merged([*one, *other], now, 22)
    assert [(cell.week, cell.n) for cell in latest] == [(week, 10) for week, _ in weeks[-3:]]


def test_likeness_from_sums_is_near_that_of_all_pairs():
    settings = DiscoverSettings()
    sides = [parts(20, topic=0), parts(15, topic=1)]
    every = [whole(side) for side in sides]
    words = WordOverlap(whole([*sides[0], *sides[1]]), [])
    pairs = similarities(whole([*sides[0], *sides[1]]), words, settings)
    found = alike([added([], side, None, settings)[1] for side in sides], words, settings)
    n = len(every[0])
    assert found[0, 1] == pytest.approx(pairs[:n, n:].mean(), abs=0.01)
    assert found[0, 0] == pytest.approx((pairs[:n, :n].sum() - np.trace(pairs[:n, :n])) / (n * (n - 1)), abs=0.01)


def test_a_narrative_of_one_member_is_like_others_and_not_like_itself():
    settings, sides = DiscoverSettings(), [parts(1), parts(20)]
    words = WordOverlap(whole([*sides[0], *sides[1]]), [])
    found = alike([total_of([cell_of(*part) for part in side]) for side in sides], words, settings)
    assert np.isfinite(found).all() and abs(found[0, 0]) < 0.01 < found[0, 1]


# -- in a desk


@pytest.fixture
def desk(tmp_path: Path, small_desk_folder: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    with closing(narratives.open(tmp_path / "desk")) as opened:
        yield opened


def known_of(desk: narratives.Desk, encoder: Any) -> tuple[dict[str, Any], StepState]:
    """What a step would know of the narratives, and its state; nothing is written."""
    material = desk.material(encoder)
    step = Step(desk.archive, desk.settings, desk.definitions, seed_texts(desk.definitions, material), material)
    last = desk.archive.last_step()
    assert last is not None
    state = StepState(last, [])
    step.take_in(state)
    step.know(state)
    return {k.id: k for k in state.known}, state


def test_a_step_reads_no_members_of_narratives_that_have_sums(
    desk: narratives.Desk, add_stories: Callable[..., None], word_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_stories(desk, [("mine", 5, 4), ("plant", 5, 4)])
    assert desk.archive.rows(schema.narrative_week) != []

    def refuse(self: Step, state: StepState, narrative_id: str) -> Any:
        raise AssertionError(f"members of {narrative_id} were read")

    monkeypatch.setattr(Step, "latest", refuse)
    known, _ = known_of(desk, word_encoder)
    assert len(known) >= 3


@pytest.mark.parametrize("seed", range(3))
def test_sums_stay_those_of_the_members_whatever_is_decided(
    desk: narratives.Desk, add_stories: Callable[..., None], word_encoder: Any, seed: int
) -> None:
    rng = random.Random(seed)
    for week in (5, 6, 7):
        add_stories(desk, [("mine", week, 4), ("plant", week, 4), ("chips", week, 3)])
        decisions = Decisions(desk.archive, desk.zone)
        placed = desk.articles().query("narrative != '' and is_first")
        living = desk.narratives().query("status == 'active'")["id"].tolist()
        article = rng.choice(placed["id"].tolist())
        home = placed.set_index("id")["narrative"][article]
        kind = rng.choice(["pin", "reject", "split"])
        if kind == "pin":
            decisions.pin(article, rng.choice([i for i in living if i != home]))
        elif kind == "reject":
            decisions.reject(article, home)
        else:
            decisions.split(home, placed[placed["narrative"] == home]["id"].tolist()[:3], en="Part")
    add_stories(desk, [("mine", 8, 4), ("plant", 8, 4)])
    kept = cells_of(desk.archive, sorted(desk.narratives()["id"]))
    before, state = known_of(desk, word_encoder)
    assert set(kept) == {i for i in state.members if len(state.members[i])}
    with desk.archive.begin() as connection:
        connection.execute(delete(schema.narrative_week))
    after, rebuilt = known_of(desk, word_encoder)
    assert rebuilt.added_up == set(kept)
    for narrative_id, cells in kept.items():
        anew = rebuilt.cells[narrative_id]
        assert [(c.week, c.n, c.own_n) for c in cells] == [(c.week, c.n, c.own_n) for c in anew]
        assert before[narrative_id].profile == after[narrative_id].profile
        assert before[narrative_id].centre == pytest.approx(after[narrative_id].centre, abs=1e-6)
        assert before[narrative_id].mean == pytest.approx(after[narrative_id].mean, abs=0.1)
