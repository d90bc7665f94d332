"""Measures of a classifier: F1 by class, calibration, accuracy at half coverage, bootstrap intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]


def f1_by_class(truth: ArrayLike, predicted: ArrayLike, n_classes: int = 3) -> Floats:
    """F1 of every class, shape (n_classes,); nan for a class that is neither true nor predicted.

    >>> f1_by_class([0, 0, 1], [0, 1, 1], 2).round(2).tolist()
    [0.67, 0.67]
    """
    y, z = np.asarray(truth), np.asarray(predicted)
    out = np.full(n_classes, np.nan)
    for c in range(n_classes):
        both, either = ((y == c) & (z == c)).sum(), (y == c).sum() + (z == c).sum()
        if either:
            out[c] = 2 * both / either
    return out


def macro_f1(truth: ArrayLike, predicted: ArrayLike, classes: tuple[int, ...] = (0, 1, 2)) -> float:
    """Mean F1 over `classes` that occur in the truth; a class that is only predicted counts against the
    others.

    >>> macro_f1([0, 0, 2, 2], [0, 0, 2, 1])
    0.8333333333333333
    """
    y = np.asarray(truth)
    present = [c for c in classes if (y == c).any()]
    if not present:
        raise ValueError("no row of the classes asked for")
    return float(np.mean(f1_by_class(y, predicted, max(classes) + 1)[present]))


def expected_calibration_error(p: ArrayLike, truth: ArrayLike, n_bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over equally wide bins of confidence (Guo et al. 2017).

    Parameters
    ----------
    p
        (n, k) probabilities.
    truth
        (n,) columns.

    Example
    -------
    >>> expected_calibration_error([[1.0, 0.0], [1.0, 0.0]], [0, 1])
    0.5
    """
    probabilities, y = np.asarray(p, dtype=float), np.asarray(truth)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    error = 0.0
    for b in np.unique(bins):
        inside = bins == b
        error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)


def accuracy_at_coverage(confidence: ArrayLike, right: ArrayLike, coverage: float = 0.5) -> float:
    """Accuracy on the most confident share of the rows (at least one row).

    >>> accuracy_at_coverage([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 1], 0.5)
    1.0
    """
    c, ok = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if not len(c):
        raise ValueError("no rows")
    kept = np.argsort(-c, kind="stable")[: max(1, round(len(c) * coverage))]
    return float(ok[kept].mean())


def bcubed(truth: Sequence[str], found: Sequence[str]) -> float:
    """BCubed F1 of a grouping: how pure the group of a text is, and how whole its story, for the mean text.

    >>> round(bcubed(["a", "a", "b", "b"], ["1", "1", "1", "2"]), 3)
    0.706

    References
    ----------
    Bagga and Baldwin, Entity-based cross-document coreferencing using the vector space model, 1998.
    """
    both = Counter(zip(truth, found, strict=True))
    n_true, n_found = Counter(truth), Counter(found)
    precision = sum(n * n / n_found[f] for (_, f), n in both.items()) / len(truth)
    recall = sum(n * n / n_true[t] for (t, _), n in both.items()) / len(truth)
    return 2 * precision * recall / (precision + recall)


def bootstrap_interval(
    measure: Callable[[NDArray[np.intp]], float], n: int, n_draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a measure of row numbers, by drawing n of n rows with replacement.

    >>> bootstrap_interval(lambda rows: 1.0, 10)
    (1.0, 1.0)
    """
    dice = np.random.default_rng(seed)
    values = [measure(dice.integers(0, n, n)) for _ in range(n_draws)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def fit_platt(logits: ArrayLike, truth: ArrayLike, penalty: float = 0.01) -> list[float]:
    """Temperature and three biases that minimise log-loss: `[temperature, bias_0, bias_1, bias_2]`.

    A class that does not occur keeps the mean of the other biases. Wants about 100 rows.
    """
    from scipy.optimize import minimize

    z, y = np.asarray(logits, dtype=float), np.asarray(truth)

    def loss(t: Floats) -> float:
        s = z / np.exp(t[0]) + np.array([t[1], -t[1] - t[2], t[2]])
        s = s - s.max(axis=1, keepdims=True)
        log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(y)), y].mean() + penalty * (t**2).sum())

    t = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-4}).x
    return [float(np.exp(t[0])), float(t[1]), float(-t[1] - t[2]), float(t[2])]
