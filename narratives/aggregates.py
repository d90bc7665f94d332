"""What a mean over outlets hides: is it the outlets that changed or their mix, and what a small outlet's mean is worth.

Everything counts stories, not copies: a story has one voice, its first copy, and belongs to that copy's outlet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives import weeks

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.floating]
MEASURES = ("stance", "tone")
N_RESAMPLES = 1_000
CHANGE_COLUMNS = [
    "measure", "week", "before", "n_before", "n", "mean_before", "mean",
    "change", "change_low", "change_high", "within", "within_low", "within_high", "mix", "mix_low", "mix_high",
    "shared", "note",
]  # fmt: skip
SOURCE_COLUMNS = [
    "source", "n_stories",
    "stance_n", "stance_raw", "stance", "stance_low", "stance_high", "stance_weight",
    "tone_n", "tone_raw", "tone", "tone_low", "tone_high", "tone_weight",
]  # fmt: skip
_TOO_FEW, _NOTHING_SHARED = "too few", "no common source"


@dataclass(frozen=True)
class Change:
    """A change of a mean between two periods, in two parts that add up to it."""

    total: float
    within: float
    mix: float


def decompose(before: ArrayLike, before_sources: ArrayLike, after: ArrayLike, after_sources: ArrayLike) -> Change:
    """Split a change of a mean into what outlets changed and what their mix changed; exact.

    With the share `w` of an outlet's stories and their mean `m` in the two periods, `within` is the sum over
    outlets of (m1 - m0) (w0 + w1) / 2 and `mix` that of (w1 - w0) (m0 + m1) / 2 (Kitagawa 1955). An outlet of
    one period only has no mean in the other; it is taken to have spoken there as it does here, so that its coming
    or going is mix.

    Parameters
    ----------
    before, after
        (n0,), (n1,) values, one a story; neither is empty.
    before_sources, after_sources
        Their outlets.

    Example
    -------
    >>> decompose([0.0, 1.0], ["A", "B"], [0.0, 1.0, 1.0, 1.0], ["A", "B", "B", "B"])
    Change(total=0.25, within=0.0, mix=0.25)

    References
    ----------
    Kitagawa, Components of a Difference Between Two Rates, JASA 50, 1955.
    """
    values = (np.asarray(before, dtype=float), np.asarray(after, dtype=float))
    if not len(values[0]) or not len(values[1]):
        raise ValueError(f"{len(values[0])} stories before and {len(values[1])} after; both need one at least")
    codes = _codes(before_sources, after_sources)
    counts, sums = zip(
        *((_per_source(c, codes), _per_source(c, codes, v)) for c, v in zip(codes, values, strict=True)), strict=True
    )
    total, within, mix = _parts(counts[0], sums[0], counts[1], sums[1])
    return Change(round(float(total), 12), round(float(within), 12), round(float(mix), 12))


def _codes(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Outlets as numbers that both periods share."""
    first, second = np.asarray(before, dtype=str), np.asarray(after, dtype=str)
    _, codes = np.unique(np.concatenate([first, second]), return_inverse=True)
    return codes[: len(first)], codes[len(first) :]


def _per_source(own: NDArray[np.intp], both: Sequence[NDArray[np.intp]], values: Floats | None = None) -> Floats:
    n = 1 + max(int(codes.max()) for codes in both)
    return np.bincount(own, weights=values, minlength=n).astype(float)


def _parts(n0: Floats, sum0: Floats, n1: Floats, sum1: Floats) -> tuple[Floats, Floats, Floats]:
    """Total, within and mix from counts and sums an outlet, shape (..., s)."""
    w0, w1 = n0 / n0.sum(axis=-1, keepdims=True), n1 / n1.sum(axis=-1, keepdims=True)
    m0, m1 = sum0 / np.maximum(n0, 1), sum1 / np.maximum(n1, 1)
    m0, m1 = np.where(n0 > 0, m0, m1), np.where(n1 > 0, m1, m0)
    within = ((m1 - m0) * (w0 + w1) / 2).sum(axis=-1)
    mix = ((w1 - w0) * (m0 + m1) / 2).sum(axis=-1)
    return (w1 * m1).sum(axis=-1) - (w0 * m0).sum(axis=-1), within, mix


def _resampled(before: _Period, after: _Period, seed: int) -> tuple[Floats, Floats, Floats]:
    """`_parts` of 1,000 draws of each period's stories with replacement, shape (1000,) each."""
    rng = np.random.default_rng(seed)
    codes = _codes(before.sources, after.sources)
    drawn = []
    for own, values in zip(codes, (before.values, after.values), strict=True):
        n = len(own)
        times = rng.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES).astype(float)
        member = np.zeros((n, 1 + max(int(c.max()) for c in codes)))
        member[np.arange(n), own] = 1.0
        drawn += [times @ member, times @ (member * values[:, None])]
    return _parts(*drawn)


@dataclass(frozen=True)
class _Period:
    """One value a story, and its outlet; in an order that does not depend on the rows'."""

    values: Floats
    sources: NDArray[np.str_]


def _voices(articles: pd.DataFrame) -> pd.DataFrame:
    """One row a story, as the timeline has it: its first copy."""
    return articles[articles["is_first"].astype(bool)].sort_values("id")


def _period(voices: pd.DataFrame, measure: str) -> _Period:
    scored = voices[~voices["weak"].astype(bool)]
    if measure == "stance":
        scored = scored[scored["verdict"].isin(["supports", "opposes", "reports"])]
    scored = scored[scored[measure].notna()].sort_values(["source", measure, "story"])
    return _Period(scored[measure].to_numpy(float), scored["source"].to_numpy(str))


def week_change(
    articles: pd.DataFrame, narrative: str, week: date, min_n: int, n_weeks_before: int = 1, seed: int = 0
) -> pd.DataFrame:
    """How mean stance and tone of a narrative changed against the weeks before, within outlets and by their mix.

    Parameters
    ----------
    articles
        `desk.articles()`.
    week
        Monday of the week that is looked at.
    min_n
        With fewer scored stories in either period there is no figure, and `note` says "too few".
    n_weeks_before
        It is compared with so many weeks before it, taken together.
    seed
        Random state of the bootstrap.

    Returns
    -------
    DataFrame with `CHANGE_COLUMNS`: a row for stance (without the unclear) and one for tone. `before` is the first
    week of the earlier period; `n_before`, `n` count scored stories; `change` = `within` + `mix` exactly, each
    with a 95 % percentile bootstrap interval over stories; `shared` (0 to 1) is the share of both periods' stories
    that come from outlets of both: where it is small, `within` rests on few. `note` is "", "too few", or "no common
    source": then the change is given and its parts are not.
    """
    import pandas as pd

    if n_weeks_before < 1:
        raise ValueError(f"n_weeks_before must be 1 or more, got {n_weeks_before}")
    first = week - n_weeks_before * weeks.WEEK
    own = articles[articles["narrative"] == narrative]
    now = _voices(own[own["week"] == week])
    earlier = _voices(own[(own["week"] >= first) & (own["week"] < week)])
    rows = [
        {"measure": measure, "week": week, "before": first}
        | _compared(_period(earlier, measure), _period(now, measure), min_n, seed)
        for measure in MEASURES
    ]
    return pd.DataFrame(rows, columns=CHANGE_COLUMNS)


def _compared(before: _Period, after: _Period, min_n: int, seed: int) -> dict[str, object]:
    n0, n1 = len(before.values), len(after.values)
    row: dict[str, object] = dict.fromkeys(CHANGE_COLUMNS[5:17], float("nan"))
    row |= {"n_before": n0, "n": n1, "note": _TOO_FEW}
    if min(n0, n1) < max(min_n, 1):
        return row
    common = set(before.sources) & set(after.sources)
    n_shared = int(np.isin(before.sources, list(common)).sum() + np.isin(after.sources, list(common)).sum())
    parts = decompose(before.values, before.sources, after.values, after.sources)
    draws = _resampled(before, after, seed)
    named = dict(zip(("change", "within", "mix"), ((parts.total, 0), (parts.within, 1), (parts.mix, 2)), strict=True))
    for name, (value, at) in named.items():
        if name != "change" and not common:
            continue
        low, high = np.percentile(draws[at], [2.5, 97.5])
        row |= {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}
    row |= {"mean_before": float(before.values.mean()), "mean": float(after.values.mean())}
    return row | {"shared": n_shared / (n0 + n1), "note": "" if common else _NOTHING_SHARED}


@dataclass(frozen=True)
class Shrunk:
    """Means of s groups drawn toward the common mean; `weight` (0 to 1) is what a group's own mean counts."""

    raw: Floats
    mean: Floats
    low: Floats
    high: Floats
    weight: Floats


def shrink(values: ArrayLike, groups: ArrayLike) -> Shrunk:
    """Empirical-Bayes means of groups: an outlet with two stories says little of its own.

    With the variance s2 within groups and t2 between them (analysis of variance, t2 not below 0), the share of a
    group of n values that is taken from the common mean is S = c (s2 / n) / (t2 + s2 / n), its mean becomes (1 - S) *
    own + S * common, and the common mean weighs each group with 1 / (t2 + s2 / n). With k > 3 groups c = (k - 3) /
    (k - 1), because t2 is itself a guess; else 1. The 95 % interval is normal, with variance (1 - S) s2 / n + S^2
    var(common) + 2 S^2 (own - common)^2 / (k - 3). Where no group has two values, nothing tells outlets apart: all
    get the common mean.

    Parameters
    ----------
    values
        (n,), n at least 1.
    groups
        (n,) names; the result follows their sorted order.

    Example
    -------
    >>> shrink([1.0, 1.0, 0.9, 1.1, -1.0, -0.9, -1.1, 0.2], list("aaaabbbc")).mean.round(2).tolist()
    [1.0, -1.0, 0.2]

    References
    ----------
    Morris, Parametric Empirical Bayes Inference, JASA 78, 1983; Searle, Casella, McCulloch, Variance Components,
    1992, chapter 3 (unbalanced one-way moments).
    """
    x = np.asarray(values, dtype=float)
    _, own = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    n = np.bincount(own).astype(float)
    raw = np.bincount(own, weights=x) / n
    total, k = float(n.sum()), len(n)
    inner, outer = float(((x - raw[own]) ** 2).sum()), float((n * (raw - x.mean()) ** 2).sum())
    s2, t2, known = (float(x.var(ddof=1)) if total > 1 else 0.0), 0.0, total > k > 1
    if known:
        s2 = inner / (total - k)
        t2 = max(0.0, (outer / (k - 1) - s2) / ((total - float((n**2).sum()) / total) / (k - 1)))
    spread = np.maximum(t2 + s2 / n, 1e-12)
    common = float((raw / spread).sum() / (1 / spread).sum())
    guess = known and k > 3
    taken = ((k - 3) / (k - 1) if guess else 1.0) * (1 - t2 / spread)
    mean = (1 - taken) * raw + taken * common
    doubt = 2 / (k - 3) * taken**2 * (raw - common) ** 2 if guess else 0.0
    half = 1.96 * np.sqrt((1 - taken) * s2 / n + taken**2 / (1 / spread).sum() + doubt)
    return Shrunk(raw, mean, np.maximum(mean - half, -1.0), np.minimum(mean + half, 1.0), 1 - taken)


def shrunk_sources(articles: pd.DataFrame, narrative: str, min_n: int, week: date | None = None) -> pd.DataFrame:
    """Mean stance and tone of every outlet that told a narrative, drawn toward the narrative's mean (`shrink`).

    Parameters
    ----------
    articles
        `desk.articles()`.
    min_n
        With fewer scored stories in all, means are NaN.
    week
        Only this week; None is the whole time.

    Returns
    -------
    DataFrame with `SOURCE_COLUMNS`, most stories first. For stance (without the unclear) and tone: `_n` scored
    stories, `_raw` their mean, the shrunk mean under the plain name with `_low` and `_high` (95 %), and `_weight`
    (0 to 1), what the outlet's own stories count against the common mean.
    """
    import pandas as pd

    own = articles[articles["narrative"] == narrative]
    voices = _voices(own if week is None else own[own["week"] == week])
    table = voices.groupby("source", sort=True).size().rename("n_stories").to_frame()
    for measure in MEASURES:
        period = _period(voices, measure)
        table[f"{measure}_n"] = 0
        for column in ("raw", "", "low", "high", "weight"):
            table[f"{measure}_{column}".rstrip("_")] = np.nan
        if len(period.values) < max(min_n, 1):
            counts = pd.Series(period.sources, dtype=object).value_counts()
            table[f"{measure}_n"] = counts.reindex(table.index, fill_value=0).astype(int)
            continue
        names, n = np.unique(period.sources, return_counts=True)
        found = shrink(period.values, period.sources)
        table.loc[names, f"{measure}_n"] = n
        for column, numbers in (
            ("raw", found.raw), ("", found.mean), ("low", found.low), ("high", found.high), ("weight", found.weight),
        ):  # fmt: skip
            table.loc[names, f"{measure}_{column}".rstrip("_")] = numbers
    frame = table.reset_index().sort_values(["n_stories", "source"], ascending=[False, True], ignore_index=True)
    return frame[SOURCE_COLUMNS]
