"""What a narrative's members add up to, week by week: an update reads sums and no old article.

A member keeps the vector that it joined with (`narratives.space`). What a part takes with it when it leaves is taken
from the sums, those of two narratives that merge are added; after the first clustering, a decision or a correction the
next update adds the latest members up anew. Their scores against the narrative follow from the sums but for two things
that are kept as they were when the members joined: what words and actors add to the cosine, and how far the scores
scatter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.affinity import Batch, Known, across, across_share, joined, own_cosines, own_scores
from narratives.archive import schema
from narratives.assign import Pool, calibration
from narratives.known import Seed, known_of
from narratives.overlap import WordOverlap, profile_of
from narratives.settings import DiscoverSettings
from narratives.weeks import WEEK

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from narratives.archive import Archive

_WEEK_TERMS, _TERMS = 1_000, 400  # words kept of one week, and of all together
_APART, _FOLDED = 4, 4  # so many latest weeks stay apart; those before are added up so many at a time


@dataclass(frozen=True)
class Cell:
    """The members that joined a narrative in one week.

    `n` of them, their unit vectors' sum (d,), their words; of `own_n` scores what words and actors added (`beside`)
    and the squared deviations from the mean (`squares`). As part of a total all may be shares of whole numbers.
    """

    week: date
    n: float
    vector: np.ndarray
    profile: Mapping[str, Mapping[str, Any]]
    own_n: float = 0.0
    beside: float = 0.0
    squares: float = 0.0

    def row(self, narrative_id: str) -> dict[str, Any]:
        """As a row of `narrative_week`."""
        return {
            "narrative_id": narrative_id,
            "week": self.week,
            "n": int(self.n),
            "vector_sum": np.asarray(self.vector, dtype="<f8").tobytes(),
            "own_n": int(self.own_n),
            "own_sum": round(self.beside, 9),
            "own_squares": round(self.squares, 9),
            "profile": self.profile,
        }


def cell_of(week: date, members: Batch) -> Cell:
    """What members add up to; they are not scored."""
    return Cell(week, len(members), members.vectors.sum(axis=0, dtype=np.float64), profile_of(members, _WEEK_TERMS))


def cells_of(
    archive: Archive, narratives: Sequence[str], connection: Connection | None = None
) -> dict[str, list[Cell]]:
    """Narrative -> its weeks in order of time; those without sums are left out."""
    table, found = schema.narrative_week, dict[str, list[Cell]]()
    for start in range(0, len(narratives), 500):
        some = table.c.narrative_id.in_(narratives[start : start + 500])
        for row in archive.rows(table, some, connection=connection):
            vector = np.frombuffer(row["vector_sum"], dtype="<f8")
            own = row["own_n"], row["own_sum"], row["own_squares"]
            found.setdefault(row["narrative_id"], []).append(Cell(row["week"], row["n"], vector, row["profile"], *own))
    return found


def within(cells: Iterable[Cell], limit: int) -> list[Cell]:
    """The latest weeks that hold about `limit` members, in order of time; of the oldest a share that fits."""
    kept: list[Cell] = []
    room = float(limit)
    for cell in sorted(cells, key=lambda cell: cell.week, reverse=True):
        if room <= 0:
            break
        kept.append(cell if cell.n <= room else _share(cell, room / cell.n))
        room -= cell.n
    return kept[::-1]


def _share(cell: Cell, share: float) -> Cell:
    profile = {
        lang: {"n": part["n"] * share, "terms": {term: count * share for term, count in part["terms"].items()}}
        for lang, part in cell.profile.items()
    }
    numbers = {name: getattr(cell, name) * share for name in ("n", "vector", "own_n", "beside", "squares")}
    return replace(cell, **numbers, profile=profile)


def total_of(cells: Sequence[Cell], profile: Mapping[str, Mapping[str, Any]] | None = None) -> Cell:
    """Weeks added up; `week` is the latest. Where their words are added up already, `profile` is what they make."""
    return Cell(
        max(cell.week for cell in cells),
        sum(cell.n for cell in cells),
        np.sum([cell.vector for cell in cells], axis=0),
        _words_of(cells) if profile is None else profile,
        sum(cell.own_n for cell in cells),
        sum(cell.beside for cell in cells),
        sum(cell.squares for cell in cells),
    )


def _words_of(cells: Sequence[Cell]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for lang in sorted({lang for cell in cells for lang in cell.profile}):
        parts = [cell.profile[lang] for cell in cells if lang in cell.profile]
        terms: Counter[str] = Counter()
        for part in parts:
            terms.update(part["terms"])
        found[lang] = {"n": sum(part["n"] for part in parts), "terms": dict(terms)}
    return found


def without(cells: Sequence[Cell], leaving: Mapping[date, Batch]) -> list[Cell] | None:
    """Cells, in order of time, after members left (week of joining -> members).

    Of what is known of their scores an equal share goes with each. Members of weeks that no total reaches are in no
    cell. None where members of another week were not in the cells.
    """
    weeks = [cell.week for cell in cells]
    taken: dict[int, list[Batch]] = {}
    for week, members in leaving.items():
        i = bisect_left(weeks, week)
        if i < len(weeks) and _block(weeks[i]) == _block(week):
            taken.setdefault(i, []).append(members)
        elif i > 0 or not weeks:
            return None
    found = []
    for i, cell in enumerate(cells):
        gone = joined(taken[i]) if i in taken else None
        n = cell.n - len(gone) if gone is not None else cell.n
        if gone is None:
            found.append(cell)
        elif n > 0:
            words = profile_of(gone, len(gone) * _WEEK_TERMS)
            profile = {lang: _less(part, words.get(lang, {})) for lang, part in cell.profile.items()}
            own_n = min(cell.own_n, n)
            share = own_n / max(cell.own_n, 1)
            vector = cell.vector - gone.vectors.sum(axis=0, dtype=np.float64)
            found.append(Cell(cell.week, n, vector, profile, own_n, cell.beside * share, cell.squares * share))
    return found


def _block(week: date) -> int:
    """Weeks of one block are added up when they lie back."""
    return week.toordinal() // (7 * _FOLDED)


def _less(part: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    less = gone.get("terms", {})
    terms = {term: count - less.get(term, 0) for term, count in part["terms"].items()}
    return {"n": part["n"] - gone.get("n", 0), "terms": {term: count for term, count in terms.items() if count > 0}}


def folded(cells: Iterable[Cell], week: date) -> list[Cell]:
    """Weeks in order of time, those that lie back added up in fours: of them only the total is asked for.

    Parameters
    ----------
    week
        The present one.
    """
    found: dict[int, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.week):
        found.setdefault(_block(cell.week), []).append(cell)
    kept: list[Cell] = []
    for block, own in found.items():
        lies_back = (block + 1) * 7 * _FOLDED <= (week - _APART * WEEK).toordinal()
        kept += [_trimmed(total_of(own))] if lies_back and len(own) > 1 else own
    return kept


def _trimmed(cell: Cell) -> Cell:
    profile = {
        lang: {**part, "terms": dict(sorted(part["terms"].items(), key=lambda item: (-item[1], item[0]))[:_WEEK_TERMS])}
        for lang, part in cell.profile.items()
    }
    return replace(cell, profile=profile)


def merged(cells: Iterable[Cell], week: date, limit: int) -> list[Cell]:
    """The weeks of one narrative or of several as those of one, in order of time, folded.

    Parameters
    ----------
    cells
        One or more.
    week
        The present one.
    limit
        Only the latest weeks are kept that hold so many members.
    """
    found: dict[date, Cell] = {}
    for cell in cells:
        found[cell.week] = total_of([found[cell.week], cell]) if cell.week in found else cell
    kept = folded(found.values(), week)
    first = within(kept, limit)[0].week
    return [cell for cell in kept if cell.week >= first]


def known_from(
    narrative_id: str,
    total: Cell,
    seed: Seed | None,
    settings: DiscoverSettings,
    stored: tuple[float, float] | None = None,
    pool: Pool | None = None,
) -> Known:
    """A narrative from the total of its latest weeks; parameters as in `known.make_known`."""
    known, vector = known_of(narrative_id, total.vector, _commonest(total.profile), round(total.n), seed, settings)
    if stored is None:
        if total.own_n:
            mean = _mean_cosine(total, vector, known, settings) + total.beside / total.own_n
            known.own = (round(total.own_n), mean, total.squares / total.own_n)
        stored = calibration(known.own, known.named, settings, pool)
    known.mean, known.sd = stored
    return known


def _mean_cosine(total: Cell, vector: np.ndarray, known: Known, settings: DiscoverSettings) -> float:
    """Mean cosine of the members to the sum of all (`vector`, a definition's part included) less themselves.

    Exact but for two things: the lengths that it divides by are taken to be their root mean square, and the members of
    each language to be as like the others.
    """
    to_all = float(total.vector @ vector) / total.n
    length = float(vector @ vector) - 2 * to_all + 1
    counts = {lang: part["n"] for lang, part in total.profile.items()}
    scales = across(list(counts), [known], settings, own=True)[:, 0]
    scale = float(np.average(scales, weights=list(counts.values()))) if counts else 1.0
    return scale * (to_all - 1) / max(length, 1e-9) ** 0.5


def _commonest(profile: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    kept = {}
    for lang, part in profile.items():
        terms = sorted(part["terms"].items(), key=lambda item: (-item[1], item[0]))[:_TERMS]
        # A share of the oldest week is no whole number; what is left of a word that fell below a half is dropped.
        whole = {term: round(count) for term, count in terms if count >= 0.5}
        kept[lang] = {"n": max(round(part["n"]), 1), "terms": whole}
    return kept


def added(
    cells: Sequence[Cell],
    parts: Sequence[tuple[date, Batch]],
    seed: Seed | None,
    settings: DiscoverSettings,
) -> tuple[list[Cell], Cell]:
    """Cells after members joined (week of joining and members, one part a week), in order of time, and their total.

    Each part's members are scored against the narrative with all of them in it.
    """
    by_week = {cell.week: cell for cell in cells}
    for week, members in parts:
        before = by_week.get(week)
        cell = cell_of(week, members)
        if before is not None:
            cell = total_of([before, cell])
        by_week[week] = cell
    every = [by_week[week] for week in sorted(by_week)]
    total = total_of(within(every, settings.max_members))
    if total.n > 1:
        known, vector = known_of("", total.vector, _commonest(total.profile), round(total.n), seed, settings)
        middle = _mean_cosine(total, vector, known, settings)
        for week, members in parts:
            cell, words = by_week[week], WordOverlap(members, [known.profile])
            found = own_scores(members, known, words, settings, vector)
            meaning = own_cosines(members.vectors, vector)
            beside = found - meaning * across(members.langs, [known], settings, own=True)[:, 0]
            squares = float(((found - middle - beside.mean()) ** 2).sum())
            by_week[week] = replace(
                cell,
                own_n=cell.own_n + len(members),
                beside=cell.beside + float(beside.sum()),
                squares=cell.squares + squares,
            )
        every = [by_week[week] for week in sorted(by_week)]
        total = total_of(within(every, settings.max_members), total.profile)
    return every, total


def alike(totals: Sequence[Cell], words: WordOverlap, settings: DiscoverSettings) -> np.ndarray:
    """(k, k) mean similarity between the members of each pair of narratives, of one and the same on the diagonal.

    As `discover.similarities` of the members would say, where words count about (see `WordOverlap.sums`).
    """
    sizes = np.array([total.n for total in totals], dtype=float)
    vectors = np.stack([total.vector for total in totals])
    products = vectors @ vectors.T
    np.fill_diagonal(products, np.diag(products) - sizes)  # each member with itself is no pair
    between = across_share([total.profile for total in totals], settings)
    np.fill_diagonal(between, 1.0)
    products = products * between
    if settings.group_word_weight:
        rows = words.sums([total.profile for total in totals])
        overlap = np.asarray((rows @ rows.T).todense())
        np.fill_diagonal(overlap, np.diag(overlap) - sizes)
        products = products + settings.group_word_weight * overlap
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(pairs, np.maximum(sizes * (sizes - 1), 1.0))  # one member makes no pair
    return np.asarray(products / pairs)
