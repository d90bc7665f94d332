"""How stance and tone of narratives changed against the four weeks before: within outlets, and by their mix."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from narratives.aggregates import week_change
from reports.figures import NOTICE_P, mark_clear, number
from reports.frames import each
from reports.records import Shift, Span

N_BEFORE = 4
MATERIAL = 0.20  # a smaller move of the mean is not called a turn
_N_DRAWS = 999


def read_shifts(
    stories: pd.DataFrame, narratives: Iterable[str], wanted: Iterable[str], week: date, min_stories: int, seed: int
) -> dict[str, tuple[Shift, ...]]:
    """Stance and tone of each narrative in `week` against the four weeks before.

    Parameters
    ----------
    stories
        One row a story, scores blank where the time line does not count them.
    narratives
        Whose moves are tested together; the false discovery rate is over all of their material moves.
    wanted
        Who gets figures even without a material move.

    Returns
    -------
    Narrative -> its shifts, stance first.
    """
    start = week - timedelta(weeks=N_BEFORE)
    groups = dict(list(stories[stories["week"] >= start].groupby("narrative")))
    tested: dict[tuple[str, str], float] = {}
    for name in narratives:
        mine = groups.get(name)
        if mine is None:
            continue
        now, before = mine[mine["week"] == week], mine[mine["week"] < week]
        for what in ("stance", "tone"):
            p_value = move_p_value(now[what], before[what], min_stories, seed)
            if p_value is not None:
                tested[name, what] = p_value
    clear = dict(zip(tested, mark_clear(list(tested.values())), strict=True))
    out = {}
    for name in dict.fromkeys([*wanted, *(n for n, _ in tested)]):
        mine = groups.get(name)
        if mine is None:
            continue
        frame = week_change(mine, name, week, min_stories, N_BEFORE, zlib.crc32(name.encode()) + seed)
        shifts = (_shift(name, row) for row in each(frame))
        out[name] = tuple(
            replace(s, p_value=tested.get((name, s.what)), clear=clear.get((name, s.what), False)) for s in shifts
        )
    return out


def move_p_value(now: pd.Series, before: pd.Series, min_stories: int, seed: int) -> float | None:
    """P value of a permutation test that both periods have one mean; None for too few stories or a small move."""
    a, b = np.sort(now.dropna().to_numpy(float)), np.sort(before.dropna().to_numpy(float))
    if min(len(a), len(b)) < max(min_stories, 1):
        return None
    change = float(a.mean() - b.mean())
    if abs(change) < MATERIAL:
        return None
    pooled = np.concatenate([a, b])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(pooled, (_N_DRAWS, len(pooled))), axis=1)
    null = shuffled[:, : len(a)].mean(axis=1) - shuffled[:, len(a) :].mean(axis=1)
    return float((1 + int((np.abs(null) >= abs(change) - 1e-12).sum())) / (_N_DRAWS + 1))


def notable(shifts: Mapping[str, tuple[Shift, ...]]) -> list[Shift]:
    """Moves that may be more than chance, the surest first."""
    found = [s for own in shifts.values() for s in own if s.p_value is not None and s.p_value < NOTICE_P]
    return sorted(found, key=lambda s: (s.p_value, -abs(s.change.value or 0.0), s.narrative, s.what))


def _shift(narrative: str, row: Any) -> Shift:
    def span(name: str) -> Span:
        return Span(*(number(getattr(row, column)) for column in (name, f"{name}_low", f"{name}_high")))

    return Shift(
        narrative=narrative,
        what=str(row.measure),
        before=number(row.mean_before),
        after=number(row.mean),
        n_before=int(row.n_before),
        n_after=int(row.n),
        change=span("change"),
        within=span("within"),
        mix=span("mix"),
        note=str(row.note),
        p_value=None,
    )
