"""Weekly figures of narratives: series, movements, turns. Pure functions from frames to records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from math import exp, lgamma, log, log1p
from typing import Any

import numpy as np
import pandas as pd

from reports.content import Estimate, Movement, Turn, WeekPoint
from reports.frames import each, week_label

FALSE_DISCOVERY_RATE = 0.10
NOTICE_P = 0.20
MATERIAL_TURN = 0.20
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


def binomial_p(k: int, n: int, p: float) -> float:
    """Two-sided exact binomial test: probability of an outcome no more likely than `k` of `n`, 0 < p < 1.

    >>> round(binomial_p(9, 17, 0.2), 4)
    0.0026
    """
    i = np.arange(n + 1)
    log_choose = lgamma(n + 1) - np.array([lgamma(x + 1) + lgamma(n - x + 1) for x in range(n + 1)])
    mass = np.exp(log_choose + i * log(p) + (n - i) * log1p(-p))
    return float(min(1.0, mass[mass <= mass[k] * (1 + 1e-7)].sum()))


def poisson_cdf(k: int, mean: float) -> float:
    """Probability of `k` or fewer when `mean` are expected.

    >>> round(poisson_cdf(0, 3.0), 4)
    0.0498
    """
    return float(sum(exp(i * log(mean) - mean - lgamma(i + 1)) for i in range(k + 1))) if mean > 0 else 1.0


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


def turn(now: pd.DataFrame, before: pd.DataFrame, what: str, min_stories: int, seed: int) -> Turn | None:
    """A move of the mean of `what` (`stance` or `tone`) between two sets of stories, or None if it is not
    material.

    Parameters
    ----------
    now, before
        One row a story, columns `narrative`, `source` and `what`.
    min_stories
        Both sets need so many scored stories.
    """
    late, early = now[now[what].notna()], before[before[what].notna()]
    if len(late) < min_stories or len(early) < min_stories:
        return None
    a, b = late[what].to_numpy(float), early[what].to_numpy(float)
    change = float(a.mean() - b.mean())
    if abs(change) < MATERIAL_TURN:
        return None
    pooled = np.concatenate([a, b])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(pooled, (_N_DRAWS, len(pooled))), axis=1)
    null = shuffled[:, : len(a)].mean(axis=1) - shuffled[:, len(a) :].mean(axis=1)
    p_value = (1 + int((np.abs(null) >= abs(change) - 1e-12).sum())) / (_N_DRAWS + 1)
    within = _within_source(late, early, what)
    return Turn(
        narrative=str(late["narrative"].iloc[0]),
        what=what,
        before=float(b.mean()),
        after=float(a.mean()),
        n_before=len(b),
        n_after=len(a),
        p_value=float(p_value),
        within=within,
        mix=change - within,
    )


def _within_source(late: pd.DataFrame, early: pd.DataFrame, what: str) -> float:
    """Change of the mean that the sources of both periods explain, at their average weight (shift-share)."""
    a = late.groupby("source")[what].agg(["mean", "size"])
    b = early.groupby("source")[what].agg(["mean", "size"])
    both = a.index.intersection(b.index)
    if both.empty:
        return 0.0
    weight = (a.loc[both, "size"] / len(late) + b.loc[both, "size"] / len(early)) / 2
    return float((weight * (a.loc[both, "mean"] - b.loc[both, "mean"])).sum())
