"""Weekly figures a narrative: volume, share, stance and tone with intervals over stories."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 1_000
_KEPT_UP_TO = 200  # most groups are smaller, and larger draws would fill the memory
COLUMNS = [
    "week", "narrative", "n_stories", "n_articles", "share",
    "stance", "stance_low", "stance_high", "stance_n",
    "tone", "tone_low", "tone_high", "tone_n",
]  # fmt: skip


def mean_with_interval(values: np.ndarray, min_n: int, seed: int = 0) -> tuple[float, float, float]:
    """Mean and its 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : (n,) finite floats, one a story
    min_n
        Fewer values than this: three NaN, so that a reader is told "too few".
    seed
        Random state of the resampling; the interval depends on the values and the seed alone.

    Example
    -------
    >>> mean, low, high = mean_with_interval(np.array([0.0, 0.5, 1.0, 0.5]), min_n=3)
    >>> low <= mean <= high
    True

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    n = len(values)
    if n < max(min_n, 1):
        return (float("nan"),) * 3
    ordered = np.sort(values)  # the order of rows must not move the interval
    drawn = _resamples(n, seed) if n <= _KEPT_UP_TO else _resamples.__wrapped__(n, seed)
    means = ordered[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(ordered.mean()), float(low), float(high)


@lru_cache(maxsize=128)
def _resamples(n: int, seed: int) -> np.ndarray:
    """(1000, n) positions drawn with replacement: the same for every group of n, so drawn once."""
    return np.random.default_rng(seed).integers(0, n, size=(N_RESAMPLES, n))


def weekly_timeline(articles: pd.DataFrame, min_n: int, freq: str = "W") -> pd.DataFrame:
    """Figures a week and narrative; the unassigned are the narrative `""`.

    Parameters
    ----------
    articles
        Columns id, week (date), story, is_first, narrative, weak, stance, verdict, tone. A story counts once, in the
        week and with the scores of its first copy; `n_articles` is the reach with reprints, late ones too.
    min_n
        Averages over fewer stories are NaN.
    freq
        `W` weeks, `MS` calendar months (labelled by their first day), `D` is not offered: stances of a single
        day are rarely enough to average.

    Returns
    -------
    DataFrame with `COLUMNS`; `share` is of the period's stories (0 to 1), stance leaves out articles whose
    verdict is unclear, weak members count toward volume only.

    Raises
    ------
    ValueError
        `freq` is neither `W` nor `MS`.
    """
    import pandas as pd

    if freq not in {"W", "MS"}:
        raise ValueError(f"freq must be 'W' or 'MS', got {freq!r}")
    if articles.empty:
        return pd.DataFrame(columns=COLUMNS)
    frame = articles.copy()
    if freq == "MS":
        frame["week"] = [week.replace(day=1) for week in frame["week"]]
    rows = []
    reach = frame.groupby(["week", "narrative"]).size().reset_index(name="n_articles")
    voices = frame[frame["is_first"].astype(bool)].sort_values("id")
    stories_a_week = voices.groupby("week").size().to_dict()
    decided = voices["verdict"].isin(["supports", "opposes", "reports"])
    weak = voices["weak"].astype(bool)
    voices = voices.assign(stance=voices["stance"].where(decided & ~weak), tone=voices["tone"].where(~weak))
    columns = voices[["week", "narrative", "stance", "tone"]]
    groups = dict(list(columns.groupby(["week", "narrative"])))
    for week, narrative, n_articles in reach.itertuples(index=False):
        group = groups.get((week, narrative), columns.iloc[:0])  # there may be reprints only
        stances, tones = (group[what].to_numpy(float) for what in ("stance", "tone"))
        stances, tones = stances[~np.isnan(stances)], tones[~np.isnan(tones)]
        stance = mean_with_interval(stances, min_n) if narrative else (np.nan,) * 3
        tone = mean_with_interval(tones, min_n)
        n_stories = len(group)
        share = n_stories / stories_a_week[week] if n_stories else 0.0
        rows.append(
            (
                week,
                narrative,
                n_stories,
                n_articles,
                share,
                *stance,
                len(stances) if narrative else 0,
                *tone,
                len(tones),
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)
