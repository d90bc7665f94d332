"""Whether a group that just missed a narrative is of it, or is left to be born."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from narratives.affinity import WordOverlap
from narratives.assign import Group
from narratives.births import Births
from narratives.settings import DiscoverSettings, Settings
from narratives.state import StepState
from narratives.sums import cell_of
from tests.narratives.test_novelty import around, strangers
from tests.narratives.test_sums import batch

WEEK = date(2025, 9, 1)


def asked_of(n_known: int, topic: int, origin: str = "discovered", closed: Any = None) -> tuple[list[int], list[str]]:
    """Of eight texts of a topic, nearest to a narrative of `n_known` members of topic 0: rows left, ids that joined."""
    state = StepState(WEEK, [])
    state.pool, total = batch(8, 100, topic=topic), cell_of(WEEK, batch(n_known, 0, topic=0))
    state.narratives = {"N0001": {"origin": origin}}
    state.known = [SimpleNamespace(id="N0001")]  # type: ignore[list-item]
    step: Any = SimpleNamespace(
        settings=Settings(discover=DiscoverSettings()),
        total=lambda _, __: total,
        ruled=SimpleNamespace(closed=lambda *_: closed),
    )
    rest = Births(step, state, WordOverlap(state.pool, []))._beyond_nearest(Group(np.arange(8), "N0001", 0.3))
    return rest.rows.tolist(), [member.article_id for member in state.placed]


def test_what_is_no_more_like_itself_than_like_the_narrative_is_of_it():
    rest, joined = asked_of(60, topic=0)
    assert rest == [] and len(joined) == 8


@pytest.mark.parametrize(
    "asked",
    [{"n_known": 60, "topic": 1}, {"n_known": 10, "topic": 0}, {"n_known": 60, "topic": 0, "origin": "defined"}],
)
def test_another_story_or_a_small_or_a_named_narrative_leaves_it_to_be_born(asked):
    assert asked_of(**asked) == (list(range(8)), [])


def test_what_the_analyst_keeps_out_is_not_taken_in():
    closed = np.zeros((8, 1), dtype=bool)
    closed[:3] = True
    rest, joined = asked_of(60, topic=0, closed=closed)
    assert rest == [0, 1, 2] and len(joined) == 5


@pytest.mark.parametrize(("grown_p_value", "new"), [(0.01, True), (0.0, False)])
def test_what_grew_beyond_chance_is_new_though_its_subject_has_always_been_told(grown_p_value, new):
    """Forty texts in a hundred now, one in five before: half of today's rate, and no chance."""
    left = np.vstack([around(0, 40, 1), strangers(60, 2)])
    older = np.vstack([around(0, 40, 3), strangers(160, 4)])
    step: Any = SimpleNamespace(
        settings=Settings(discover=DiscoverSettings(grown_p_value=grown_p_value)), left_before=lambda _: (older, 200)
    )
    births = Births(step, StepState(WEEK, []), WordOverlap(batch(0, 0, topic=0), []))
    assert births._new_to([np.arange(40)], left, 1.0).tolist() == [new]
    assert births._new_to([np.arange(40)], np.vstack([left, strangers(100, 5)]), 1.0).tolist() == [False]  # as before
