"""What a scorer from elsewhere must offer, and how what it says passes through the gate and calibration of our own.

Our scorer stays in the way of every reader: its likeness to the statements decides what is covered at all, its
labels calibrate, its verdict stands where a reader has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.metrics import fit_platt
from narratives.stance import StanceScores
from narratives.statements import CLASSES, Statements

Floats = NDArray[np.floating]
Row = Mapping[str, Any]
# As in the local head: a calibration by n labels counts n / (n + this).
_LABELS_WORTH = 32


class Toner(Protocol):
    """Scores tone: the shipped model, or any sentiment model."""

    name: str

    def score(
        self,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Floats] | None = None,
        targets: Sequence[str] | None = None,
    ) -> Floats:
        """(n, 3) probabilities of negative, neutral, positive; a blank text is neutral, equal texts are equal."""
        ...


@dataclass(frozen=True)
class Reading:
    """What a reader says of one article: (3,) probabilities as in `CLASSES`, and the stretches of the stored text
    that carry them; without stretches, evidence is picked as for our own scorer."""

    p: tuple[float, float, float]
    spans: tuple[tuple[int, int], ...] = ()


class StanceReader(Protocol):
    """Reads articles against a claim; `counts` says how many it read, and what hindered it, for the run's record."""

    name: str
    counts: dict[str, int]

    def read(self, articles: Sequence[Row], statements: Statements) -> list[Reading | None]:
        """One reading an article (`title`, `text`, `lang`), in order; None where it has nothing to say: the local
        scorer's stands."""
        ...


def through_gate(local: StanceScores, readings: Sequence[Reading | None], name: str, gate: float) -> StanceScores:
    """Our scorer's result with a reader's probabilities in it; what no statement covers stays unclear.

    Parameters
    ----------
    local
        Of the same n articles.
    readings
        n; where one is None the local probabilities and verdict stay.
    name
        Of the reader, for the record.
    gate
        Least likeness to any statement, as the local scorer has it.

    Raises
    ------
    ValueError
        Numbers differ.
    """
    if len(readings) != len(local):
        raise ValueError(f"{len(local)} articles and {len(readings)} readings differ")
    p, verdict = np.array(local.p, dtype=float), list(local.verdict)
    for i, reading in enumerate(readings):
        if reading is None:
            continue
        p[i] = _normal(reading.p)
        covered = local.coverage[i] >= gate and (local.relevant is None or local.relevant[i])
        verdict[i] = CLASSES[int(p[i].argmax())] if covered else "unclear"  # type: ignore[call-overload]
    read = np.array([reading is not None for reading in readings], dtype=bool)
    confidence = np.where(read, p.max(axis=1) if len(p) else 0.0, local.confidence)
    stance = np.where(read, p[:, 0] - p[:, 1], local.stance)
    return replace(local, p=p, stance=stance, confidence=confidence, verdict=tuple(verdict), scorer=name)


def calibrated(
    readings: Sequence[Reading | None], label_readings: Sequence[Reading | None], labels: Sequence[int]
) -> list[Reading | None]:
    """Readings corrected by the analyst's labels: Platt's correction, averaged in with weight n / (n + 32).

    Parameters
    ----------
    label_readings, labels
        What the same reader says of articles that a person has judged, and the columns of `CLASSES`.
    """
    known = [(reading.p, y) for reading, y in zip(label_readings, labels, strict=True) if reading is not None]
    if not known:
        return list(readings)
    temperature, *bias = fit_platt(_logs([p for p, _ in known]), [y for _, y in known])
    share = len(known) / (len(known) + _LABELS_WORTH)
    found: list[Reading | None] = []
    for reading in readings:
        if reading is None:
            found.append(None)
            continue
        raw = _logs([reading.p])[0]
        mixed = (1 - share) * _log_softmax(raw) + share * _log_softmax(raw / temperature + np.array(bias))
        e = np.exp(mixed - mixed.max())
        supports, opposes, reports = (float(x) for x in e / e.sum())
        found.append(replace(reading, p=(supports, opposes, reports)))
    return found


def _logs(p: ArrayLike) -> Floats:
    return np.log(np.clip(np.stack([_normal(row) for row in np.asarray(p, dtype=float)]), 1e-4, 1.0))


def _log_softmax(z: Floats) -> Floats:
    shifted = z - z.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _normal(p: ArrayLike) -> Floats:
    """Probabilities that sum to 1, rounded so that records are stable."""
    row = np.clip(np.asarray(p, dtype=float).reshape(3), 0.0, 1.0)
    return np.round(row / row.sum(), 4) if row.sum() > 0 else np.array([0.0, 0.0, 1.0])
