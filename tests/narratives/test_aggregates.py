"""A change of a mean is taken apart exactly, and a small outlet's mean is drawn toward the common one."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.aggregates import decompose, shrink, shrunk_sources, week_change

WEEK, BEFORE = date(2025, 10, 20), date(2025, 10, 13)
VALUES = st.lists(st.tuples(st.floats(-1, 1), st.sampled_from("ABCD")), min_size=1, max_size=12)


def table(*stories: tuple[date, str, float], copies: int = 0) -> pd.DataFrame:
    """Articles of narrative N0001: week, outlet, stance (and half of it as tone); `copies` of the last story."""
    rows = [
        {"id": f"a{i:03d}", "story": f"s{i:03d}", "is_first": True, "week": w, "source": s, "stance": v}
        for i, (w, s, v) in enumerate(stories)
    ]
    rows += [rows[-1] | {"id": f"z{i}", "is_first": False, "source": "copyist"} for i in range(copies)]
    frame = pd.DataFrame(rows).assign(narrative="N0001", weak=False, verdict="supports")
    return frame.assign(tone=frame["stance"] / 2)


def stance_row(frame: pd.DataFrame, **how: object) -> pd.Series:
    found = week_change(frame, "N0001", WEEK, **{"min_n": 3, **how})  # type: ignore[arg-type]
    assert found["measure"].tolist() == ["stance", "tone"]
    return found.iloc[0]


@given(VALUES, VALUES)
def test_the_two_parts_add_up_to_the_change_whatever_the_outlets(before, after):
    change = decompose([v for v, _ in before], [s for _, s in before], [v for v, _ in after], [s for _, s in after])
    plain = np.mean([v for v, _ in after]) - np.mean([v for v, _ in before])
    assert change.within + change.mix == pytest.approx(plain, abs=1e-9)
    assert change.total == pytest.approx(plain, abs=1e-9)


def test_outlets_that_turn_are_within_and_outlets_that_come_are_mix():
    turned = decompose([0.0, 0.2], ["A", "B"], [0.6, 0.8], ["A", "B"])
    assert (turned.within, turned.mix) == pytest.approx((0.6, 0.0))
    came = decompose([0.0, 0.2], ["A", "B"], [0.0, 0.2, 0.9, 0.9], ["A", "B", "C", "C"])
    assert (came.within, came.mix) == pytest.approx((0.0, 0.4))


def test_a_week_says_its_change_with_intervals_around_it():
    steady = [(BEFORE, s, v) for s, v in (("A", 0.1), ("A", 0.3), ("B", -0.2), ("B", 0.0))]
    frame = table(*steady, *((WEEK, s, v + 0.5) for _, s, v in steady))
    row = stance_row(frame)
    assert (row["n_before"], row["n"], row["note"], row["shared"]) == (4, 4, "", 1.0)
    assert row["change"] == pytest.approx(0.5) == row["within"]
    assert row["mix"] == pytest.approx(0.0, abs=1e-12)
    assert 0 < row["within_low"] < 0.5 < row["within_high"]
    assert row["mean"] - row["mean_before"] == pytest.approx(row["change"])


def test_copies_add_no_voice_and_the_order_of_rows_no_bit():
    stories = [(w, s, v) for w in (BEFORE, WEEK) for s, v in (("A", 0.1), ("B", 0.7), ("C", -0.4))]
    plain, copied = table(*stories), table(*stories, copies=5)
    pd.testing.assert_series_equal(stance_row(plain), stance_row(copied))
    pd.testing.assert_series_equal(stance_row(plain), stance_row(plain.sample(frac=1, random_state=1)))


def test_too_few_stories_are_said_and_not_averaged():
    row = stance_row(table((BEFORE, "A", 0.1), (BEFORE, "B", 0.1), *[(WEEK, "A", 0.5)] * 4))
    assert (row["note"], row["n_before"], row["n"]) == ("too few", 2, 4)
    assert np.isnan(row["change"]) and np.isnan(row["within"])


def test_without_a_common_outlet_the_change_is_given_and_its_parts_are_not():
    row = stance_row(table(*[(BEFORE, "A", 0.1)] * 3, *[(WEEK, "B", 0.5)] * 3))
    assert row["note"] == "no common source" and row["change"] == pytest.approx(0.4)
    assert np.isnan(row["within"]) and np.isnan(row["mix"])


def test_unclear_and_weak_articles_count_in_no_mean():
    frame = table(*[(BEFORE, "A", 0.0)] * 3, *[(WEEK, "A", 0.6)] * 5)
    frame.loc[3, "verdict"], frame.loc[4, "weak"] = "unclear", True
    found = week_change(frame, "N0001", WEEK, 3)
    assert found["n"].tolist() == [3, 4]


def test_several_weeks_can_be_compared_with():
    early = date(2025, 10, 6)
    frame = table((early, "A", 0.0), (early, "A", 0.0), (BEFORE, "A", 0.0), *[(WEEK, "A", 0.6)] * 3)
    assert stance_row(frame)["note"] == "too few"
    row = stance_row(frame, n_weeks_before=2)
    assert (row["before"], row["n_before"], row["change"]) == (early, 3, pytest.approx(0.6))


def test_a_small_outlet_is_drawn_further_toward_the_mean_than_a_large_one():
    rng = np.random.default_rng(0)
    sizes = {"big": 40, "mid": 12, "small": 1, "other": 30}
    true = {"big": 0.6, "mid": -0.4, "small": 0.9, "other": 0.0}
    groups = [g for g, n in sizes.items() for _ in range(n)]
    found = shrink([true[g] + rng.normal(0, 0.3) for g in groups], groups)
    weight = dict(zip(sorted(sizes), found.weight, strict=True))
    assert weight["big"] > weight["mid"] > weight["small"] > 0
    at = sorted(sizes).index("small")
    assert abs(found.mean[at]) < abs(found.raw[at])
    width = dict(zip(sorted(sizes), found.high - found.low, strict=True))
    assert width["big"] < width["mid"] < width["small"]


def test_shrunk_means_are_nearer_to_the_truth_than_raw_ones():
    rng = np.random.default_rng(1)
    raw, drawn, inside = [], [], []
    for _ in range(100):
        truth = rng.normal(0.1, 0.2, 15)
        groups = np.repeat(np.arange(15), rng.integers(1, 6, 15))
        found = shrink(truth[groups] + rng.normal(0, 0.4, len(groups)), [f"{g:02d}" for g in groups])
        raw.append(((found.raw - truth) ** 2).mean())
        drawn.append(((found.mean - truth) ** 2).mean())
        inside.append(((found.low <= truth) & (truth <= found.high)).mean())
    assert np.mean(drawn) < 0.6 * np.mean(raw)
    assert np.mean(inside) > 0.85


def test_where_nothing_tells_outlets_apart_all_get_the_common_mean():
    found = shrink([0.2, 0.4, 0.9], ["A", "B", "C"])
    np.testing.assert_allclose(found.mean, 0.5)
    assert found.weight.tolist() == [0, 0, 0]


def test_outlets_are_listed_with_what_their_own_stories_count():
    frame = table(*[(WEEK, "A", 0.5)] * 4, *[(WEEK, "B", -0.5)] * 3, (BEFORE, "C", 0.1))
    found = shrunk_sources(frame, "N0001", 3)
    assert found["source"].tolist() == ["A", "B", "C"] and found["n_stories"].tolist() == [4, 3, 1]
    assert (found["stance_low"] <= found["stance"]).all() and (found["stance"] <= found["stance_high"]).all()
    week = shrunk_sources(frame, "N0001", 3, week=BEFORE)
    assert week["source"].tolist() == ["C"] and week["stance_n"].tolist() == [1] and week["stance"].isna().all()
    assert shrunk_sources(frame, "N0009", 3).empty
