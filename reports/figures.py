"""Weekly figures of narratives: series, movements, momentum. Pure functions from frames to records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from math import lgamma, log, log1p, sqrt
from typing import Any

import numpy as np
import pandas as pd

from reports.frames import each, week_label
from reports.records import Estimate, Momentum, Movement, WeekPoint

FALSE_DISCOVERY_RATE = 0.10
NOTICE_P = 0.20
_N_DRAWS = 999
_N_BEFORE = 4


def number(value: Any) -> float | None:
    """A finite float, or None.

    >>> number(float("nan")), number("x"), number(0.5)
    (None, None, 0.5)
    """
    try:
        out = float(value)
    except (TypeError, ValueError):
        return None
    return out if np.isfinite(out) else None


def empty_estimate(n: int = 0) -> Estimate:
    """No mean: too few stories."""
    return Estimate(None, None, None, n)


def blank_points(weeks: Sequence[date]) -> tuple[WeekPoint, ...]:
    """Weeks without a story."""
    return tuple(WeekPoint(w, week_label(w), 0, 0, 0.0, empty_estimate(), empty_estimate()) for w in weeks)


def week_points(timeline: pd.DataFrame, weeks: Sequence[date], min_stories: int) -> dict[str, tuple[WeekPoint, ...]]:
    """Figures of every narrative in each of `weeks` (zeros where it has no row); `""` is the unassigned.

    A mean that rests on fewer than `min_stories` stories is left out, whatever the frame says.
    """
    place = {w: i for i, w in enumerate(weeks)}
    blank = blank_points(weeks)
    out: dict[str, list[WeekPoint]] = {}
    for row in each(timeline):
        i = place.get(row.week)
        if i is None:
            continue
        points = out.setdefault(str(row.narrative), list(blank))
        points[i] = replace(
            blank[i],
            n_stories=int(row.n_stories),
            reach=int(row.n_articles),
            share=number(row.share) or 0.0,
            stance=_estimate(row.stance, row.stance_low, row.stance_high, row.stance_n, min_stories),
            tone=_estimate(row.tone, row.tone_low, row.tone_high, row.tone_n, min_stories),
        )
    return {k: tuple(v) for k, v in out.items()}


def _estimate(mean: Any, low: Any, high: Any, n: Any, min_stories: int) -> Estimate:
    count = int(number(n) or 0)
    value = number(mean)
    if value is None or count < min_stories:
        return empty_estimate(count)
    return Estimate(value, number(low), number(high), count)


def estimate_mean(values: Iterable[float], min_stories: int, seed: int) -> Estimate:
    """Mean of one figure a story with a 95 % bootstrap interval over stories.

    >>> estimate_mean([0.1, 0.2], 3, 0)
    Estimate(mean=None, low=None, high=None, n=2)
    """
    array = np.asarray([v for v in values if v == v], dtype=float)
    if len(array) < max(min_stories, 1):
        return empty_estimate(len(array))
    draws = np.random.default_rng(seed).choice(array, (_N_DRAWS, len(array))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def movement(counts: Sequence[int], totals: Sequence[int], *, born_now: bool) -> Movement:
    """This week's volume (the last of `counts`) against up to four weeks before.

    The test is of shares, not of counts, so that a week in which twice as much was collected is not growth in
    every narrative: given all its stories of the five weeks, this week's number is binomial with this week's
    part of all stories collected.

    Parameters
    ----------
    counts, totals
        Stories of the narrative and of the whole desk, oldest week first, the report's week last.
    born_now
        It was born in this week: it is new, not grown.

    >>> movement([2, 2, 2, 2, 9], [20, 20, 20, 20, 20], born_now=False).direction
    'grew'
    >>> movement([2, 2, 2, 2, 2], [20, 20, 20, 20, 20], born_now=False).direction
    'steady'
    """
    now, before = counts[-1], list(counts[:-1])[-_N_BEFORE:]
    n_all_now, all_before = totals[-1], list(totals[:-1])[-_N_BEFORE:]
    last = before[-1] if before else None
    mean4 = sum(before) / len(before) if before else None
    if born_now:
        return Movement(now, last, mean4, None, "new")
    if not before or now + sum(before) == 0 or n_all_now + sum(all_before) == 0:
        return Movement(now, last, mean4, None, "steady")
    expected = n_all_now / (n_all_now + sum(all_before))
    if not 0 < expected < 1:
        return Movement(now, last, mean4, None, "steady")
    p_value = binomial_p(now, now + sum(before), expected)
    share_before = sum(before) / max(sum(all_before), 1)
    grew = now / max(n_all_now, 1) > share_before
    direction = ("grew" if grew else "faded") if p_value < NOTICE_P else "steady"
    return Movement(now, last, mean4, p_value, direction)


def momentum(counts: Sequence[int], totals: Sequence[int]) -> Momentum:
    """Where a narrative's share is heading: the last two weeks against the four before them.

    Shares of the pooled stories, so that a thin week does not count as much as a full one; the interval is
    Newcombe's hybrid score (1998, method 10), which holds for small counts and shares of 0.

    Parameters
    ----------
    counts, totals
        Stories of the narrative and of the whole desk, oldest week first, the report's week last.

    >>> up = momentum([2, 2, 2, 2, 6, 8], [20] * 6)
    >>> round(up.value, 2), up.low > 0, up.n_now, up.n_before
    (0.25, True, 14, 8)
    >>> momentum([3], [20]).value is None
    True
    """
    (k1, n1), (k0, n0) = ((sum(counts[i:j]), sum(totals[i:j])) for i, j in ((-2, None), (-6, -2)))
    if not n1 or not n0 or len(counts) < 3:
        return Momentum(None, None, None, k1, k0)
    (low1, high1), (low0, high0) = _wilson(k1, n1), _wilson(k0, n0)
    p1, p0 = k1 / n1, k0 / n0
    low = p1 - p0 - sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    high = p1 - p0 + sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return Momentum(p1 - p0, low, high, k1, k0)


def _wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927)."""
    p, square = k / n, z * z
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def binomial_p(k: int, n: int, p: float) -> float:
    """Two-sided exact binomial test: probability of an outcome no more likely than `k` of `n`, 0 < p < 1.

    >>> round(binomial_p(9, 17, 0.2), 4)
    0.0026
    """
    i = np.arange(n + 1)
    log_choose = lgamma(n + 1) - np.array([lgamma(x + 1) + lgamma(n - x + 1) for x in range(n + 1)])
    mass = np.exp(log_choose + i * log(p) + (n - i) * log1p(-p))
    return float(min(1.0, mass[mass <= mass[k] * (1 + 1e-7)].sum()))


def mark_clear(p_values: Sequence[float | None], rate: float = FALSE_DISCOVERY_RATE) -> list[bool]:
    """Which tests survive the false discovery rate (Benjamini and Hochberg 1995, the step-up procedure).

    >>> mark_clear([0.001, 0.04, None, 0.9])
    [True, True, False, False]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    cut = 0
    for rank, (p, _) in enumerate(known, start=1):
        if p <= rate * rank / len(known):
            cut = rank
    out = [False] * len(p_values)
    for _, i in known[:cut]:
        out[i] = True
    return out
