"""What has always come is not born; what begins is, also where it is told in parts that are too small alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from narratives.affinity import unit
from narratives.novelty import came_before, chance_of_growth, crowding, nearest_before
from tests.narratives.test_pipeline import run, write
from tests.narratives.test_young_story import article, desk_of, homes, stranger, told

ADVERT = [f"flat{i}" for i in range(12)]


def around(axis: int, n: int, seed: int, spread: float = 0.7) -> np.ndarray:
    noise = spread * np.random.default_rng(seed).standard_normal((n, 60)) / 60**0.5
    return unit(np.eye(60)[axis] + noise)


def strangers(n: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, 60)))


def test_the_rate_before_is_a_share_of_todays_and_thinning_does_not_change_it() -> None:
    left = np.vstack([around(0, 12, 1), strangers(88, 3)])  # 12 of 100, of which six are the group
    half = np.vstack([around(0, 24, 4), strangers(376, 5)])  # 24 of 400
    group = [np.arange(6)]
    assert came_before(group, left, half)[0] == pytest.approx(0.5)
    assert came_before(group, left, half[::2])[0] == pytest.approx(0.5)
    assert came_before(group, left, strangers(400, 6))[0] == 0.0


def test_each_of_several_groups_is_asked_as_if_it_were_alone() -> None:
    left = np.vstack([around(0, 8, 1), around(1, 8, 2), strangers(60, 3)])
    older = np.vstack([around(1, 9, 4), strangers(90, 5)])
    groups = [np.arange(8), np.arange(9, 15)]
    alone = [float(came_before([rows], left, older)[0]) for rows in groups]
    assert came_before(groups, left, older).tolist() == pytest.approx(alone)
    assert alone[0] == 0.0 < alone[1]
    assert len(came_before([], left, older)) == 0


def test_growth_is_told_from_chance_by_how_many_texts_there_are() -> None:
    def chance(now: int, before: int, least: int = 5) -> float:
        left = np.vstack([around(0, now, 1), strangers(100 - now, 2)])
        older = np.vstack([around(0, before, 3), strangers(200 - before, 4)])
        return float(chance_of_growth([np.arange(now)], left, older, least)[0])

    assert chance(40, 40) < 0.01 < chance(10, 10), "twice the rate of many is no chance, of few it may be"
    assert chance(20, 40) > 0.5, "the rate of before"
    assert chance(5, 0) > 0.3, "a group is looked for where texts are many"
    assert chance(20, 10, least=2) < chance(20, 10)
    assert chance_of_growth([np.arange(5)], around(0, 9, 1), around(0, 0, 2), 5).tolist() == [1.0], "no past"
    assert len(chance_of_growth([], around(0, 9, 1), around(0, 9, 2), 5)) == 0


def test_a_crowd_is_what_is_half_like_a_group_and_not_in_it() -> None:
    group = around(0, 5, 1, spread=0.3)
    half_like = unit(around(0, 10, 2) + np.eye(60)[1:11])
    assert crowding(np.arange(5), np.vstack([group, half_like])) == 2.0
    assert crowding(np.arange(5), np.vstack([group, strangers(50, 3)])) == 0.0


def test_the_nearest_before_are_a_share_of_what_a_group_has_within() -> None:
    group, near, strange = around(0, 6, 1), around(0, 9, 2), strangers(300, 3)
    assert nearest_before(group, strange, 5) < 0.5
    assert nearest_before(group, np.vstack([strange, near]), 5) == pytest.approx(1.0, abs=0.1)
    assert nearest_before(group, np.vstack([strange, near[:1]]), 1) > nearest_before(group, strange, 1)
    assert nearest_before(group, near[:2], 5) == nearest_before(group, near[:2], 2), "fewer than are asked for"


def advert(week: int, i: int) -> dict[str, str]:
    rng = np.random.default_rng((week, i))
    words = [str(word) for word in rng.choice(ADVERT, 10, replace=False)]
    return article("advert", week, i, [*words, f"house{week}x{i}a", f"house{week}x{i}b"])


def weeks_of_news(n_weeks: int) -> list[dict[str, str]]:
    """Thirty strangers a week and an advert: never five adverts in three weeks."""
    return [row for week in range(n_weeks) for row in [*(stranger(week, i) for i in range(30)), advert(week, 0)]]


@pytest.mark.parametrize("came", [0.4, 2.0])
def test_what_has_always_come_is_not_born_and_what_begins_is(tmp_path, word_encoder, word_tone, came):
    desk = desk_of(tmp_path / "desk", came_before=came)
    rows = weeks_of_news(9) + [advert(8, i) for i in range(1, 4)] + [told("harbour", 8, i) for i in range(6)]
    run(desk, word_encoder, word_tone, [write(tmp_path / "news.jsonl", rows)])
    (harbour,) = set(homes(desk, "harbour"))
    assert harbour
    assert (set(homes(desk, "advert")) == {""}) == (came < 1)
    assert len(desk.narratives()) == (1 if came < 1 else 2)
    assert desk.kept_back(desk.weeks()[-1]) == (5 if came < 1 else 0)  # of the six adverts of three weeks one is apart
    times = {row.narrative: row.evidence["growth_times"] for row in desk.alerts().itertuples()}
    assert times.pop(harbour) == 1 and list(times.values()) == ([] if came < 1 else [10])
    desk.close()


@pytest.mark.parametrize(("week", "born"), [(8, True), (1, False)])
def test_small_parts_of_one_story_are_born_together_once_the_past_is_known(
    tmp_path: Path, word_encoder, word_tone, week, born
):
    """Three texts of each wing: neither is a narrative alone."""
    desk = desk_of(tmp_path / "desk")
    rows = weeks_of_news(week + 1) + [told(wing, week, i) for wing in ("harbour", "strike") for i in range(3)]
    run(desk, word_encoder, word_tone, [write(tmp_path / "news.jsonl", rows)])
    found = {*homes(desk, "harbour"), *homes(desk, "strike")}
    assert len(found) == 1 and (found != {""}) == born
    assert [alert.tier for alert in desk.alerts().itertuples()] == (["alert"] if born else [])
    desk.close()
