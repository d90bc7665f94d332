import numpy as np

from narratives.level import WEEKS_A_QUARTER, alert_level


def test_too_few_weeks_use_the_default_and_say_so():
    level = alert_level([0.001], 5, 0.02, 1.0)
    assert (level.value, level.calibrated, level.needed) == (0.02, False, 12)
    assert "too few weeks: using the default level (5 of the 12" in level.said("en")
    assert "默认值" in level.said("zh") and "5 周" in level.said("zh")


def test_a_calibrated_level_says_what_it_rests_on():
    said = alert_level([0.001, 0.0002], 40, 0.02, 1.0).said("en")
    assert "calibrated on 40 weeks" in said and "2 births" in said and "at most 1 false" in said


def test_more_false_births_tighten_and_none_loosens():
    tight = alert_level([0.0001, 0.0003, 0.001, 0.004], 26, 0.02, 1.0).value
    loose = alert_level([0.004], 26, 0.02, 1.0).value
    assert tight < loose <= alert_level([], 26, 0.02, 1.0).value == 0.05


def test_the_rate_that_was_asked_is_kept_on_weeks_to_come():
    """Weeks of one kind: over many archives the calibrated level lets through at most the asked rate."""
    dice, per_quarter, n_weeks = np.random.default_rng(1), 2.0, 40
    let_through = []
    for _ in range(600):
        false = dice.beta(0.3, 1.0, dice.poisson(0.8 * n_weeks)) * 0.05
        level = alert_level(list(false), n_weeks, 0.02, per_quarter).value
        next_week = dice.beta(0.3, 1.0, dice.poisson(0.8)) * 0.05
        let_through.append(int((next_week <= level).sum()))
    assert 0.4 * per_quarter / WEEKS_A_QUARTER < np.mean(let_through) <= 1.15 * per_quarter / WEEKS_A_QUARTER


def test_a_rate_of_zero_keeps_the_level_fixed():
    level = alert_level([0.0001] * 9, 99, 0.02, 0.0)
    assert (level.value, level.calibrated) == (0.02, False) and "fixed" in level.said("en")
