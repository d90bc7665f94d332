import numpy as np
import pytest
from sklearn.metrics import f1_score

from narratives.metrics import (
    accuracy_at_coverage,
    bootstrap_interval,
    expected_calibration_error,
    f1_by_class,
    fit_platt,
    macro_f1,
)

DICE = np.random.default_rng(5)
TRUTH = DICE.integers(0, 3, 300)
PREDICTED = np.where(DICE.random(300) < 0.6, TRUTH, DICE.integers(0, 3, 300))


def test_f1_agrees_with_scikit_learn():
    np.testing.assert_allclose(f1_by_class(TRUTH, PREDICTED), f1_score(TRUTH, PREDICTED, average=None))
    assert macro_f1(TRUTH, PREDICTED) == pytest.approx(f1_score(TRUTH, PREDICTED, average="macro"))


def test_a_class_that_never_occurs_is_left_out_of_the_mean():
    assert macro_f1([0, 0, 2], [0, 0, 2]) == 1
    with pytest.raises(ValueError, match="no row of the classes"):
        macro_f1([1, 1], [1, 1], classes=(0, 2))


def test_perfect_confidence_in_wrong_answers_is_an_error_of_one():
    assert expected_calibration_error([[1, 0, 0]] * 4, [1, 1, 2, 2]) == 1
    assert expected_calibration_error([[1, 0, 0]] * 4, [0] * 4) == 0


def test_the_confident_half_is_looked_at():
    assert accuracy_at_coverage([0.1, 0.9, 0.8, 0.2], [0, 1, 1, 0]) == 1
    assert accuracy_at_coverage([0.9, 0.1], [0, 1]) == 0


def test_the_interval_holds_the_measure_and_is_the_same_every_time():
    def accuracy(rows: np.ndarray) -> float:
        return float((TRUTH[rows] == PREDICTED[rows]).mean())

    low, high = bootstrap_interval(accuracy, len(TRUTH))
    assert low < accuracy(np.arange(len(TRUTH))) < high
    assert (low, high) == bootstrap_interval(accuracy, len(TRUTH))


def test_platt_lowers_the_error_of_overconfident_and_lopsided_logits():
    y = DICE.integers(0, 3, 400)
    z = np.eye(3)[y] + DICE.normal(0, 1, (400, 3))
    distorted = 5 * z + np.array([0.0, 4.0, 0.0])

    def probabilities(values: np.ndarray) -> np.ndarray:
        e = np.exp(values - values.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    temperature, *bias = fit_platt(distorted, y)
    before = expected_calibration_error(probabilities(distorted), y)
    after = expected_calibration_error(probabilities(distorted / temperature + np.array(bias)), y)
    assert after < 0.08 < before
