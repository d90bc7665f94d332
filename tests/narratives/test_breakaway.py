"""A group that fits a broad narrative: is it a story of its own, or what the narrative has told all along?"""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from narratives.affinity import Batch, Known, joined, unit
from narratives.assign import Group, Placement
from narratives.breakaway import breakaways
from narratives.latest import Latest
from narratives.overlap import profile_of
from narratives.settings import DiscoverSettings, Settings
from narratives.state import StepState
from narratives.sums import cell_of

WEEK = date(2025, 9, 29)
LONG_AGO, LAST_WEEK = WEEK - timedelta(weeks=6), WEEK - timedelta(weeks=1)
N = 6  # texts of the group


def told(n: int, matter: int, seed: int = 0, own: float = 1.5, lang: str = "en") -> Batch:
    """Texts on what all share and, by a weight of its own, on one matter."""
    rng = np.random.default_rng([seed, matter])
    vectors = unit(np.eye(24)[0] + own * np.eye(24)[1 + matter] + 0.1 * rng.standard_normal((n, 24)))
    return Batch(tuple(f"{matter}-{seed}-{i}" for i in range(n)), vectors, (lang,) * n, ((),) * n, ("",) * n)


def broad(lang: str = "en") -> Batch:
    """Thirty texts on ten matters."""
    return joined([told(3, matter, lang=lang) for matter in range(10)])


def asked(
    group: Batch,
    parts: list[tuple[date, Batch]],
    beside: Batch | None = None,
    origin: str = "discovered",
    **changed: Any,
) -> list[Group]:
    """Of the groups that go to N0001 those that are to be born; `beside` goes there as well, one by one."""
    members = joined([part for _, part in parts])
    joined_in = [week for week, part in parts for _ in part.ids]
    state = StepState(WEEK, [])
    state.pool = joined([group, beside]) if beside is not None else group
    state.narratives = {"N0001": {"origin": origin}}
    state.members = Latest(lambda _: (members, joined_in), ["N0001"])
    state.known = [Known("N0001", unit(members.vectors.sum(axis=0)), profile=profile_of(members))]
    total = cell_of(WEEK, members)
    settings = DiscoverSettings(**{"grain": "events", "across_languages": 1.6} | changed)
    step: Any = SimpleNamespace(settings=Settings(discover=settings), total=lambda _, __: total)
    n = len(state.pool)
    taken = (Group(np.arange(len(group)), "N0001", 0.6),)
    return breakaways(step, state, Placement(("N0001",) * n, np.full(n, 0.6), ((),) * n, (), taken=taken))


def test_what_is_most_like_itself_and_never_came_before_is_a_story_of_its_own():
    (found,) = asked(told(N, 15), [(LONG_AGO, broad())])
    assert found.rows.tolist() == list(range(N)) and found.nearest == "N0001"


def test_what_has_come_all_along_is_not():
    before = [(LONG_AGO, broad()), (LONG_AGO, told(N, 15, seed=1))]
    assert asked(told(N, 15), before) == []


def test_its_first_texts_of_the_last_weeks_are_no_past():
    before = [(LONG_AGO, broad()), (LAST_WEEK, told(3, 15, seed=1))]
    assert len(asked(told(N, 15), before)) == 1


def test_what_came_before_is_measured_by_how_much_comes_now():
    before = [(LONG_AGO, broad()), (LONG_AGO, told(1, 15, seed=1))]
    few, many = told(2, 15, seed=2), told(60, 3, seed=2)  # beside the group: as many, and a flood of something else
    assert len(asked(told(N, 15), before, few)) == 1
    assert asked(told(N, 15), before, many) == []


def test_what_is_as_like_the_members_as_they_are_to_each_other_is_not():
    assert asked(joined([told(1, matter, seed=3) for matter in range(N)]), [(LONG_AGO, broad())]) == []


@pytest.mark.parametrize("changed", [{"origin": "defined"}, {"grain": "subject"}])
def test_a_named_narrative_and_one_as_broad_as_a_subject_keep_what_fits(changed):
    assert asked(told(N, 15), [(LONG_AGO, broad())], **changed) == []


def test_a_small_narrative_keeps_what_fits():
    assert asked(told(N, 15), [(LONG_AGO, broad().take(list(range(12))))]) == []


def test_reports_in_another_language_are_not_told_from_those_that_came_before():
    assert asked(told(N, 15, lang="zh"), [(LONG_AGO, broad())]) == []
