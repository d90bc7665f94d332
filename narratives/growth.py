"""Did a subject grow, or was it always there? Its last two weeks against a negative-binomial baseline of its past.

The baseline is the archive's own: how many stories of each of the weeks before lie as near to the newborn's centre
as its members do. A story that was told all along has such look-alikes, wherever they were put; a new one has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_WEEKS = 1  # with none before, all is recent and nothing can be called new
_LEVEL_SD = 0.5  # 1.64 counts three times as many look-alikes, mostly of other subjects
_LEAST_SD = 0.03
_PRIOR = 0.5  # Jeffreys: half a story, so that nothing in few weeks is not nothing for ever
_TINY = 1e-12


@dataclass(frozen=True)
class Growth:
    """`n_now` look-alikes in the last two weeks, `usual` ones a week before them, over `n_weeks` weeks.

    `p_value` is that of so many or more if nothing had changed; None where there are too few weeks before.
    """

    n_now: int
    usual: float
    n_weeks: int
    p_value: float | None


def growth(now: int, before: Sequence[int], share: float = 1.0, n_now_weeks: int = 2) -> Growth:
    """Test a count against the weeks before it.

    The baseline is a negative binomial: mean and dispersion by moments from the weeks before, the dispersion widened
    by what so few stories leave uncertain of the mean.

    Parameters
    ----------
    now
        Stories in the last `n_now_weeks` weeks.
    before
        Stories in each week before those, of a sample that holds this `share` (0 to 1) of them.

    Example
    -------
    >>> growth(6, [0, 0, 0, 0, 0, 0, 0, 0]).p_value < .001 < .05 < growth(6, [3, 2, 4, 1, 3, 5, 2, 3]).p_value
    True
    >>> growth(6, []).p_value is None
    True

    References
    ----------
    Farrington et al., A statistical algorithm for the early detection of outbreaks, 1996; Hilbe, Negative binomial
    regression, 2011 (moments).
    """
    n = len(before)
    usual = sum(before) / n / share if n else 0.0
    if n < LEAST_WEEKS:
        return Growth(now, round(usual, 3), n, None)
    counts = np.asarray(before, dtype=float) / share
    mean = (sum(before) + _PRIOR) / (n + 1) / share
    excess = (float(counts.var(ddof=1)) - mean) / mean**2 if n > 1 else 0.0
    dispersion = max(excess, 0.0) / n_now_weeks + 1.0 / (sum(before) + _PRIOR)
    return Growth(now, round(usual, 3), n, survival(now, n_now_weeks * mean, 1.0 / dispersion))


def survival(k: int, mean: float, size: float) -> float:
    """P(X >= k) of a negative binomial with this mean and size (variance mean + mean² / size), at least 1e-12.

    >>> round(survival(1, 2.0, 1e6), 4), survival(0, 2.0, 1.0)
    (0.8647, 1.0)
    """
    if k <= 0:
        return 1.0
    below = 0.0
    for i in range(k):
        log_p = math.lgamma(i + size) - math.lgamma(size) - math.lgamma(i + 1)
        log_p += size * math.log(size / (size + mean)) + i * math.log(mean / (size + mean))
        below += math.exp(log_p)
    return min(1.0, max(1.0 - below, _TINY))


def lookalikes(members: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which texts lie as near to a group's centre as its own members do.

    Parameters
    ----------
    members : (n, d) unit rows
    others : (m, d) unit rows

    Returns
    -------
    (m,) bool
    """
    total = members.sum(axis=0, dtype=np.float64)
    rest = total[None, :] - members
    rest /= np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9)
    own = np.einsum("ij,ij->i", rest, members)
    level = float(own.mean() - _LEVEL_SD * max(float(own.std(ddof=1)) if len(own) > 1 else 0.0, _LEAST_SD))
    centre = total / max(float(np.linalg.norm(total)), 1e-9)
    return np.asarray(others @ centre >= level)
