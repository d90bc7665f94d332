"""What several seeds say together: means with intervals, and differences to the best baseline, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_FALSE_ALARMS = ("FA", "FA old", "FA again", "FA conf.", "FA read", "FA read conf.")
LOWER_IS_BETTER = ("late", "alert late", *_FALSE_ALARMS, "switch", "VI", "loose", "noise in")
NOT_COMPARED = ("coverage", "CPU s/week", "weak", "weak right", "weak single")
KEYS = ("stream", "seed", "tracker", "digest")


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of n values with its 95 % interval by Student's t; no interval (nan) for a single one, nan left out.

    >>> [round(x, 2) for x in interval([0.7, 0.8, 0.9])]
    [0.8, 0.55, 1.05]
    """
    from scipy.stats import t

    own = np.array([v for v in values if v is not None and not math.isnan(v)], dtype=float)
    if not len(own):
        return math.nan, math.nan, math.nan
    mean = float(own.mean())
    if len(own) == 1:
        return mean, math.nan, math.nan
    half = float(t.ppf(0.975, len(own) - 1) * own.std(ddof=1) / math.sqrt(len(own)))
    return mean, mean - half, mean + half


def latest(rows: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """One row for each stream, seed and tracker: the last.

    Raises
    ------
    ValueError
        Two trackers were run on different streams of one name and seed (the material or the builder has changed).
    """
    kept: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        kept[row["stream"], row["seed"], row["tracker"]] = dict(row)
    digests: dict[tuple[object, ...], object] = {}
    for (stream, seed, tracker), row in kept.items():
        if digests.setdefault((stream, seed), row["digest"]) != row["digest"]:
            raise ValueError(f"{stream}, seed {seed}: {tracker} was run on another stream than the trackers before it")
    return list(kept.values())


def table_of(rows: Sequence[Mapping[str, object]], baselines: Sequence[str]) -> pd.DataFrame:
    """One row a measure, one column a tracker: mean over seeds with its interval.

    For each tracker that is no baseline a further column holds the difference to the baseline with the best mean,
    paired by seed, with its interval and that baseline's name.
    """
    import pandas as pd

    trackers = list(dict.fromkeys(str(row["tracker"]) for row in rows))
    names = list(dict.fromkeys(name for row in rows for name in row if name not in KEYS))
    value = {(str(row["tracker"]), row["seed"]): row for row in rows}
    seeds = list(dict.fromkeys(row["seed"] for row in rows))

    def values(tracker: str, name: str) -> list[float]:
        return [float(value.get((tracker, seed), {}).get(name, math.nan)) for seed in seeds]  # type: ignore[arg-type]

    columns: dict[str, list[str]] = {
        tracker: [_cell(interval(values(tracker, name))) for name in names] for tracker in trackers
    }
    there = [tracker for tracker in trackers if tracker in baselines]
    compared = [
        name
        for name in names
        if name not in NOT_COMPARED and any(name in row for row in rows if row["tracker"] in there)
    ]
    for tracker in trackers:
        mine = {name for row in rows if row["tracker"] == tracker for name in row}
        if tracker in baselines or not mine.intersection(compared):
            continue
        cells = []
        for name in names:
            sign = -1.0 if name in LOWER_IS_BETTER else 1.0
            means = {other: sign * interval(values(other, name))[0] for other in there}
            means = {other: mean for other, mean in means.items() if not math.isnan(mean)}
            if not means or name not in compared:
                cells.append("")
                continue
            best = max(means, key=lambda other: means[other])
            own, others = values(tracker, name), values(best, name)
            cell = _cell(interval([a - b for a, b in zip(own, others, strict=True)]), signed=True)
            cells.append(f"{cell} {best}" if cell != "-" else cell)
        columns[f"{tracker} - best"] = cells
    return pd.DataFrame(columns, index=names)


def _cell(found: tuple[float, float, float], signed: bool = False) -> str:
    mean, low, high = found
    if math.isnan(mean):
        return "-"
    said = f"{mean:+.2f}" if signed else f"{mean:.2f}"
    return said if math.isnan(low) else f"{said} [{low:.2f}, {high:.2f}]"
