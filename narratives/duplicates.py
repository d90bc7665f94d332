"""Reprints: which articles are copies of one story.

Two articles whose sketches share a band are compared; a copy is one whose shingles
agree (Jaccard), or that is contained in the other and begins alike (a shortened copy). A story is named after
the first of its articles that came in, and stays so: what came in earlier never changes, therefore the result
depends on the order of arrival alone, not on how it was cut into runs and transactions.

Limits: a rewritten report of the same event shares few shingles and is no reprint, by intent. Nor is a
translation. Below about 60 characters only a nearly identical text counts.

References
----------
Indyk and Motwani, Approximate nearest neighbors, 1998 (banding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from narratives.sketches import N_BODY, N_LEAD, Sketch, Values

_BODY_BANDS, _BODY_ROWS = 20, 4  # two texts of Jaccard .6 share a band with probability .94, of .8 with 1.00
_LEAD_BANDS, _LEAD_ROWS = 12, 3  # leads of Jaccard .68 with .99
_FEW_SHINGLES, _FEW_SIMILARITY = 50, 0.9
_STANDARD_ERROR = 0.05  # of the similarity, about
_THINNED = 0.85  # contained so far, with three quarters of the similarity asked for: sentences were left out
_SHORTENED, _LEAD_SHORTENED = 0.8, 0.6  # the later text is contained so far, and its lead: it was cut short
_FRAMED, _LEAD_FRAMED = 0.65, 0.75  # the same, with a frame of the site's own around what is left
_LENGTHENED, _LEAD_LENGTHENED = 0.92, 0.9  # the earlier text is contained: it was a cut copy of the later
_SAME = 0.92  # a copy this close, of the same day, need not be looked up again
_MAX_ROWS = 400_000


@dataclass(frozen=True)
class Entry:
    """One article on its way into the index. `story` is given when it is known already (a later version)."""

    id: str
    published_at: datetime
    sketch: Sketch
    story: str | None = None


@dataclass(frozen=True)
class Placement:
    """Where an article went. `keep_sketch` is false where the sketch of a very close copy stands for it."""

    story: str
    is_reprint: bool
    keep_sketch: bool


class ReprintIndex:
    """Finds the story of each article that comes in.

    Only sketches of the days within the window of what comes in are held in memory; they are fetched from the
    archive when first needed, so a day's work costs what the days around it hold, not what the archive holds.

    Parameters
    ----------
    window_days
        Copies are looked for among articles published at most this many days before or after.
    min_similarity
        Jaccard similarity from which two texts are copies, 0 to 1.
    load
        Gives the kept entries (with `story`) published from the first instant to before the second.
    """

    def __init__(
        self,
        window_days: int,
        min_similarity: float,
        load: Callable[[datetime, datetime], Iterable[Entry]] | None = None,
    ) -> None:
        self._window = timedelta(days=window_days)
        self._min_similarity = min_similarity
        self._load = load
        self._clear()

    def _clear(self) -> None:
        self._days: set[int] = set()
        self._ids: list[str] = []
        self._stories: list[str] = []
        self._row_of: dict[str, int] = {}
        self._values = np.empty((0, N_BODY + N_LEAD), np.uint16)
        self._sizes = np.empty(0, np.int64)
        self._leads = np.empty(0, np.int64)
        self._times = np.empty(0, np.int64)  # seconds
        self._dead = np.empty(0, bool)
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []

    def place(self, entries: Sequence[Entry]) -> list[Placement]:
        """Find the story of each entry, in order, and remember the entries.

        Parameters
        ----------
        entries
            In order of arrival. An id that came before is a later version: its old sketch is forgotten.

        Returns
        -------
        One placement an entry, in the same order.
        """
        if not entries:
            return []
        if len(self._ids) > _MAX_ROWS:
            self._clear()
        self._fetch(entries)
        first = len(self._ids)
        keys = self._append(entries)
        pairs = self._candidates(keys, first)
        return [self._settle(entry, first + i, pairs.get(i)) for i, entry in enumerate(entries)]

    def _settle(self, entry: Entry, row: int, found: tuple[NDArray[np.int64], NDArray[np.float64]] | None) -> Placement:
        """Decide one entry, given the rows that resemble it and how much."""
        earlier = self._row_of.get(entry.id)
        if earlier is not None:
            self._dead[earlier] = True
        self._row_of[entry.id] = row
        story = entry.story if entry.story is not None or earlier is None else self._stories[earlier]
        if story is not None:
            self._stories[row] = story
            return Placement(story, story != entry.id, keep_sketch=True)
        best: int | None = None
        score = 0.0
        if found is not None:
            alive = ~self._dead[found[0]]
            rows, scores = found[0][alive], found[1][alive]
            if len(rows):
                score = float(scores.max())
                best = min(rows[scores == score], key=lambda r: (self._times[r], self._ids[r]))
        if best is None:
            self._stories[row] = entry.id
            return Placement(entry.id, is_reprint=False, keep_sketch=True)
        self._stories[row] = self._stories[best]
        stands_for_it = score >= _SAME and abs(int(self._times[best] - self._times[row])) < 86_400
        if stands_for_it:
            self._dead[row] = True
        return Placement(self._stories[best], is_reprint=True, keep_sketch=not stands_for_it)

    def _fetch(self, entries: Sequence[Entry]) -> None:
        """Load the days around the entries that are not in memory yet."""
        margin = self._window.days + 1
        wanted: set[int] = set()
        for day in {_seconds(entry.published_at) // 86_400 for entry in entries}:
            wanted.update(range(day - margin, day + margin + 1))
        missing = sorted(wanted - self._days)
        self._days |= wanted
        if self._load is None:
            return
        start = 0
        for i in range(1, len(missing) + 1):
            if i == len(missing) or missing[i] != missing[i - 1] + 1:
                since, until = _instant(missing[start]), _instant(missing[i - 1] + 1)
                known = [entry for entry in self._load(since, until) if entry.id not in self._row_of]
                if known:
                    row = len(self._ids)
                    self._append(known)
                    for offset, entry in enumerate(known):
                        assert entry.story is not None
                        self._stories[row + offset] = entry.story
                        self._row_of[entry.id] = row + offset
                start = i

    def _append(self, entries: Sequence[Entry]) -> NDArray[np.uint64]:
        """Add rows and their band keys; returns the keys, shape (n, 32)."""
        first, n = len(self._ids), len(entries)
        if first + n > len(self._sizes):
            size = max(4096, 2 * (first + n))
            self._values = _grown(self._values, size)
            self._sizes, self._leads = _grown(self._sizes, size), _grown(self._leads, size)
            self._times, self._dead = _grown(self._times, size), _grown(self._dead, size)
        rows = slice(first, first + n)
        self._values[rows] = np.stack([entry.sketch.values for entry in entries])
        self._sizes[rows] = [entry.sketch.n_shingles for entry in entries]
        self._leads[rows] = [entry.sketch.n_lead for entry in entries]
        self._times[rows] = [_seconds(entry.published_at) for entry in entries]
        self._dead[rows] = self._sizes[rows] == 0
        self._ids += [entry.id for entry in entries]
        self._stories += [""] * n
        keys = _band_keys(self._values[rows])
        flat = keys.ravel()
        order = np.argsort(flat, kind="stable")
        self._runs.append((flat[order], (first + order // keys.shape[1]).astype(np.int64)))
        # Sorted runs that double in length: a lookup passes few of them, and each row is merged few times.
        while len(self._runs) > 1 and 2 * len(self._runs[-1][0]) >= len(self._runs[-2][0]):
            (late_keys, late_rows), (early_keys, early_rows) = self._runs.pop(), self._runs.pop()
            merged = np.concatenate([early_keys, late_keys])
            order = np.argsort(merged, kind="stable")
            self._runs.append((merged[order], np.concatenate([early_rows, late_rows])[order]))
        return keys

    def _candidates(
        self, keys: NDArray[np.uint64], first: int
    ) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """For each new entry the earlier rows that are copies of it, with their score."""
        n, width = keys.shape
        flat = keys.ravel()
        order = np.argsort(flat)
        queries = flat[order]
        owners = order // width
        found: list[NDArray[np.int64]] = []
        for run_keys, run_rows in self._runs:
            left = np.searchsorted(run_keys, queries, "left")
            counts = np.searchsorted(run_keys, queries, "right") - left
            hit = np.flatnonzero(counts)
            if not len(hit):
                continue
            lengths = counts[hit]
            ends = np.cumsum(lengths)
            spots = np.repeat(left[hit] - (ends - lengths), lengths) + np.arange(ends[-1])
            rows = run_rows[spots]
            mine = np.repeat(owners[hit], lengths)
            earlier = (rows < first + mine) & ~self._dead[rows]
            found.append(mine[earlier] * np.int64(2**32) + rows[earlier])
        if not found:
            return {}
        pairs = np.unique(np.concatenate(found))
        mine, rows = pairs >> 32, pairs & (2**32 - 1)
        near = np.abs(self._times[first + mine] - self._times[rows]) <= self._window.total_seconds()
        mine, rows = mine[near], rows[near]
        scores = self._scores(first + mine, rows)
        good = scores > 0
        mine, rows, scores = mine[good], rows[good], scores[good]
        starts = np.searchsorted(mine, np.arange(n + 1))
        return {
            i: (rows[starts[i] : starts[i + 1]], scores[starts[i] : starts[i + 1]])
            for i in range(n)
            if starts[i] < starts[i + 1]
        }

    def _scores(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        """Similarity of pairs of rows; 0 where they are not copies."""
        equal = self._values[a] == self._values[b]
        whole = equal[:, :N_BODY].mean(1)
        opening = equal[:, N_BODY:].mean(1)
        smaller = np.minimum(self._sizes[a], self._sizes[b])
        contained = _contained(whole, self._sizes[a], self._sizes[b])
        lead_contained = _contained(opening, self._leads[a], self._leads[b])
        # A text hardly longer than a lead is contained when the other's lead contains it.
        contained = np.where(smaller <= 1.3 * np.minimum(self._leads[a], self._leads[b]), lead_contained, contained)
        few = smaller < _FEW_SHINGLES
        # One standard error in favour of finding a copy.
        level = self._min_similarity - _STANDARD_ERROR
        alike = whole >= np.where(few, max(_FEW_SIMILARITY, level), level)
        thinned = contained >= _THINNED
        thinned &= ~few & (whole >= 0.75 * self._min_similarity)
        # A shortened copy has nothing of its own; an article that only quotes a notice has.
        is_shorter = self._sizes[a] <= self._sizes[b]
        shortened = contained >= np.where(is_shorter, _SHORTENED, _LENGTHENED)
        shortened &= lead_contained >= np.where(is_shorter, _LEAD_SHORTENED, _LEAD_LENGTHENED)
        shortened |= is_shorter & (contained >= _FRAMED) & (lead_contained >= _LEAD_FRAMED)
        shortened &= ~few
        scores = np.maximum(whole, np.where(thinned | shortened, 0.99 * contained, 0.0))
        return np.where(alike | thinned | shortened, scores, 0.0)


def _contained(similar: NDArray[np.float64], n_a: NDArray[np.int64], n_b: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the smaller set that lies in the larger, given their Jaccard similarity and sizes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.minimum(1.0, similar / (1 + similar) * (n_a + n_b) / np.minimum(n_a, n_b))


def _band_keys(values: Values) -> NDArray[np.uint64]:
    """Keys of the 20 whole-text bands and the 12 lead bands; shape (n, 32)."""
    body = values[:, : _BODY_BANDS * _BODY_ROWS].astype(np.uint64).reshape(-1, _BODY_BANDS, _BODY_ROWS)
    lead = values[:, N_BODY : N_BODY + _LEAD_BANDS * _LEAD_ROWS].astype(np.uint64).reshape(-1, _LEAD_BANDS, _LEAD_ROWS)
    packed = np.concatenate(
        [_packed(body), _packed(lead)],
        axis=1,
    )
    # Each band gets its own space of keys.
    salt = np.arange(1, packed.shape[1] + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    packed = (packed ^ salt) * np.uint64(0xD6E8FEB86659FD93)
    return packed ^ (packed >> np.uint64(32))


def _packed(bands: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The values of each band side by side in one 64-bit key; shape (n, bands)."""
    key = np.zeros(bands.shape[:2], np.uint64)
    for k in range(bands.shape[2]):
        key |= bands[:, :, k] << np.uint64(16 * k)
    return key


def _grown(array: NDArray, size: int) -> NDArray:
    larger = np.zeros((size, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _instant(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
