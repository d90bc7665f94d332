"""Parts of one young story become one narrative; two stories, however close, stay two."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from narratives.affinity import Batch
from narratives.overlap import WordOverlap
from narratives.settings import DiscoverSettings
from narratives.siblings import closeness, families
from narratives.sums import Cell, cell_of

WEEK = date(2025, 9, 1)
PLAIN = DiscoverSettings()


def group(axis: int, n: int, spread: float, seed: int, toward: int = -1, share: float = 0.0) -> Cell:
    """Articles without words around an axis, told as loosely as `spread`, some way toward another one."""
    rng = np.random.default_rng(seed)
    rows = np.eye(40)[axis] + spread * rng.standard_normal((n, 40)) / 40**0.5
    if toward >= 0:
        rows += share * np.eye(40)[toward]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    langs = ("en",) * n
    return cell_of(WEEK, Batch(tuple(f"{axis}{seed}{i}" for i in range(n)), rows, langs, ((),) * n, ("",) * n))


def found(young: list[Cell], newborn: list[Cell], settings: DiscoverSettings = PLAIN) -> list[int]:
    nobody = Batch((), np.zeros((0, 40)), (), (), ())
    words = WordOverlap(nobody, [cell.profile for cell in [*young, *newborn]])
    return families(young, newborn, words, settings)


def test_parts_of_a_story_that_is_told_loosely_are_one_and_go_where_it_is():
    parts = [group(0, 6, 1.5, seed) for seed in (1, 2)]
    other = group(1, 6, 1.5, 3)
    assert found([], [parts[0], other, parts[1]]) == [0, 1, 0]
    assert found([group(1, 9, 1.5, 4), group(0, 9, 1.5, 5)], [parts[0], other, parts[1]]) == [1, 0, 1]


def test_two_stories_told_tightly_stay_two_though_more_alike_than_the_parts_of_a_loose_one():
    loose = [group(0, 6, 1.6, 1), group(0, 6, 1.6, 2)]
    tight = [group(1, 6, 0.3, 1, toward=3, share=0.9), group(2, 6, 0.3, 2, toward=3, share=0.9)]
    across = [float(a.vector @ b.vector) / (a.n * b.n) for a, b in (loose, tight)]
    assert across[1] > across[0]
    assert found([], [*loose, *tight]) == [0, 0, 2, 3]


def test_a_family_grows_and_young_narratives_are_never_joined_by_it():
    young = [group(0, 9, 1.5, 1), group(0, 9, 1.5, 2)]
    assert set(found(young, [group(0, 6, 1.5, 3), group(0, 6, 1.5, 4)])) <= {0, 1}
    assert found([], [group(0, 6, 1.5, seed) for seed in range(5)]) == [0] * 5


def test_nothing_is_joined_where_the_settings_say_so_or_nothing_is_born():
    never = DiscoverSettings(sibling=2.0)
    assert found([], [group(0, 6, 1.5, 1), group(0, 6, 1.5, 2)], never) == [0, 1]
    assert found([group(0, 6, 1.5, 1)], []) == []


def test_closeness_of_a_group_that_hangs_together_no_more_than_strangers_is_finite():
    assert np.isfinite(closeness(np.array([[0.0, 0.2], [0.2, 0.5]]))).all()
    assert closeness(np.array([[0.5, 0.25], [0.25, 0.5]]))[0, 1] == pytest.approx(0.5)
