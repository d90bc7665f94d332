"""Weekly figures a narrative: volume, share, stance and tone with intervals over stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 1_000
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
    rng = np.random.default_rng(seed)
    means = ordered[rng.integers(0, n, size=(N_RESAMPLES, n))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(ordered.mean()), float(low), float(high)


def weekly_timeline(articles: pd.DataFrame, min_n: int, freq: str = "W") -> pd.DataFrame:
    """Figures a week and narrative; the unassigned are the narrative `""`.

    Parameters
    ----------
    articles
        Columns id, week (date), story, is_first, narrative, weak, stance, verdict, tone. A story counts once a
        week, with its first copy's scores; `n_articles` is the reach with reprints.
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
    stories_a_week = frame.groupby("week")["story"].nunique().to_dict()
    for (week, narrative), group in frame.groupby(["week", "narrative"], sort=True):
        # One voice a story: its first copy, or the earliest copy of the period where the first came earlier.
        voices = group.sort_values(["is_first", "id"], ascending=[False, True]).drop_duplicates("story")
        scored = voices[~voices["weak"].astype(bool)]
        stances = scored.loc[scored["verdict"].isin(["supports", "opposes", "reports"]), "stance"].dropna()
        tones = scored["tone"].dropna()
        stance = mean_with_interval(stances.to_numpy(float), min_n) if narrative else (np.nan,) * 3
        tone = mean_with_interval(tones.to_numpy(float), min_n)
        n_stories = int(voices.shape[0])
        share = n_stories / stories_a_week[week]
        rows.append(
            (
                week,
                narrative,
                n_stories,
                len(group),
                share,
                *stance,
                len(stances) if narrative else 0,
                *tone,
                len(tones),
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)
