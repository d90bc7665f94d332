"""Scores of the shipped scorers on a labelled file, beside baselines: `narratives evaluate tone|stance
FILE`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.lexicon import lexicon_labels
from narratives.metrics import (
    accuracy_at_coverage,
    bootstrap_interval,
    expected_calibration_error,
    f1_by_class,
    macro_f1,
)
from narratives.plugins.protocols import Toner
from narratives.tone import article_probabilities

Floats = NDArray[np.floating]
#: texts -> (n, d) vectors as the encoder gives them
Encode = Callable[[Sequence[str]], Floats]

TONE_CLASSES = ("negative", "neutral", "positive")
_MAX_SENTENCES = 12

_PROTOTYPES = (
    ("This is terrible news: a failure that does great harm.", "这是坏消息：失败、亏损，损害严重。"),
    ("The meeting takes place on Wednesday.", "会议将于周三举行，公告全文如下。"),
    ("This is excellent news: a success that wins praise.", "这是好消息：成功、增长，赢得称赞。"),
)


@dataclass(frozen=True)
class Evaluation:
    """One labelled file, one table: a row for each scorer and slice.

    Every row of `table` has scorer, slice (`all`, or a language, or a target), n, macro_f1 with its 95 %
    bootstrap interval low and high, accuracy, f1 by class; where the scorer gives probabilities also ece and
    accuracy_at_half (on the more confident half). `curves` maps a name to [share kept, accuracy] pairs.
    """

    kind: str
    n_rows: int
    table: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    predictions: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; without the predictions, which go into a file of their own."""
        return {
            "kind": self.kind,
            "n_rows": self.n_rows,
            "table": list(self.table),
            "notes": list(self.notes),
            "curves": self.curves,
        }

    def as_text(self) -> str:
        """A table for the terminal."""
        lines = [f"{self.kind}: {self.n_rows} rows"]
        header = ("scorer", "slice", "n", "macro-F1", "95 %", "accuracy", "ECE", "half", "F1 by class")
        lines.append("  ".join(f"{h:<{w}}" for h, w in zip(header, _WIDTHS, strict=True)))
        for r in self.table:
            cells = (
                r["scorer"],
                r["slice"],
                str(r["n"]),
                f"{r['macro_f1']:.3f}",
                f"{r['low']:.3f}-{r['high']:.3f}",
                f"{r['accuracy']:.3f}",
                _short(r.get("ece")),
                _short(r.get("accuracy_at_half")),
                " ".join(f"{k} {_short(v)}" for k, v in r["f1"].items()),
            )
            lines.append("  ".join(f"{c:<{w}}" for c, w in zip(cells, _WIDTHS, strict=True)))
        for name, points in self.curves.items():
            lines.append(f"{name}: " + "  ".join(f"{kept:.0%} {accuracy:.2f}" for kept, accuracy in points))
        return "\n".join([*lines, *self.notes])


_WIDTHS = (20, 18, 6, 8, 11, 8, 5, 5, 10)


def _short(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.3f}"


def read_labelled(path: Path) -> list[dict[str, Any]]:
    """JSON Lines with `label` (or `entities`: name to label) to one dictionary a judgement.

    Raises
    ------
    ValueError
        A line is not JSON, is not an object, or has neither label nor entities; the message names it.
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(row, dict) or not ("label" in row or "entities" in row):
            raise ValueError(f"{path}:{number}: needs a `label`, or `entities` with a label each")
        if not (row.get("text") or row.get("title")):
            raise ValueError(f"{path}:{number}: needs a `text` or a `title`")
        if "label" in row:
            rows.append(row)
        else:
            rows += [{**row, "target": name, "label": label} for name, label in row["entities"].items()]
    if not rows:
        raise ValueError(f"{path}: no labelled row")
    return rows


def table_row(
    scorer: str,
    name: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    classes: Sequence[str],
    p: Floats | None = None,
    counted: tuple[int, ...] = (0, 1, 2),
) -> dict[str, Any]:
    """One row of `Evaluation.table`; `counted` are the classes that macro-F1 averages."""
    y, z = np.asarray(truth), np.asarray(predicted)
    low, high = bootstrap_interval(lambda rows: macro_f1(y[rows], z[rows], counted), len(y))
    by_class = f1_by_class(y, z, len(classes))
    row: dict[str, Any] = {
        "scorer": scorer,
        "slice": name,
        "n": len(y),
        "macro_f1": macro_f1(y, z, counted),
        "low": low,
        "high": high,
        "accuracy": float((y == z).mean()),
        "f1": {c: float(f) for c, f in zip(classes, by_class, strict=True) if not np.isnan(f)},
    }
    if p is not None:
        row["ece"] = expected_calibration_error(p, y)
        row["accuracy_at_half"] = accuracy_at_coverage(p.max(axis=1), z == y)
    return row


def coverage_curve(confidence: Floats, right: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Accuracy on the most confident 10 %, 20 %, ... 100 % of the rows."""
    shares = [round(0.1 * k, 1) for k in range(1, 11)]
    return [(share, accuracy_at_coverage(confidence, right, share)) for share in shares]


def evaluate_tone(rows: Sequence[dict[str, Any]], scorer: Toner, encode: Encode | None = None) -> Evaluation:
    """Tone toward each row's target, and of the row as a whole, beside baselines.

    A row with a title and a longer text is scored as an article: title and mean of its sentences. Where the
    truth has no neutral rows, the stronger of the two poles is predicted and the note says so.

    Parameters
    ----------
    rows
        From `read_labelled`; labels negative, neutral, positive.
    encode
        For the plain-similarity baseline; left out without it.
    """
    truth = np.array([_class_of(r["label"], TONE_CLASSES) for r in rows])
    two_sided = not (truth == 1).any()
    counted = (0, 2) if two_sided else (0, 1, 2)
    targets = [str(r.get("target") or "") for r in rows]
    texts = [str(r.get("title") or r.get("text")) for r in rows]

    def decide(p: Floats) -> NDArray[np.int64]:
        return np.where(p[:, 2] > p[:, 0], 2, 0) if two_sided else p.argmax(axis=1)

    p = _tone_of_articles(rows, scorer, targets)
    overall = _tone_of_articles(rows, scorer, [""] * len(rows))
    only = scorer.score(targets) if any(targets) else None
    majority = Counter(truth.tolist()).most_common(1)[0][0]
    candidates: list[tuple[str, NDArray[np.int64], Floats | None]] = [
        (scorer.name, decide(p), p),
        ("  without target", decide(overall), overall),
        ("majority", np.full(len(rows), majority), None),
        ("lexicon", lexicon_labels(texts), None),
    ]
    if only is not None:
        candidates.append(("target only", decide(only), None))
    if encode is not None:
        candidates.append(("plain similarity", _nearest_prototype(texts, encode, two_sided), None))
    langs = np.array([str(r.get("lang", "")) for r in rows])
    slices = [("all", np.ones(len(rows), dtype=bool))]
    if len(set(langs)) > 1:
        slices += [(lang, langs == lang) for lang in sorted(set(langs))]
    table = [
        table_row(name, where, truth[m], z[m], TONE_CLASSES, None if q is None or two_sided else q[m], counted)
        for where, m in slices
        for name, z, q in candidates
    ]
    notes = ["The truth has no neutral rows: the stronger pole is predicted."] if two_sided else []
    predictions = tuple(
        {"id": r.get("id", ""), "target": t, "label": TONE_CLASSES[y], "predicted": TONE_CLASSES[z]}
        | dict(zip(("p_negative", "p_neutral", "p_positive"), map(float, q), strict=True))
        for r, t, y, z, q in zip(rows, targets, truth, candidates[0][1], p, strict=True)
    )
    curve = coverage_curve(p.max(axis=1), candidates[0][1] == truth)
    return Evaluation("tone", len(rows), tuple(table), tuple(notes), {"accuracy by confidence": curve}, predictions)


def _tone_of_articles(rows: Sequence[dict[str, Any]], scorer: Toner, targets: Sequence[str]) -> Floats:
    from embeddings import split_sentences

    pieces: list[str] = []
    owners: list[tuple[int, bool]] = []
    for i, row in enumerate(rows):
        title, text = str(row.get("title") or ""), str(row.get("text") or "")
        if title:
            pieces.append(title)
            owners.append((i, True))
        if text and text != title:
            sentences = [text] if not title else [s.of(text) for s in split_sentences(text)][:_MAX_SENTENCES]
            pieces += sentences
            owners += [(i, False)] * len(sentences)
    scores = scorer.score(pieces, targets=[targets[i] for i, _ in owners])
    titles: dict[int, Floats] = {}
    bodies: dict[int, list[Floats]] = {}
    for (i, is_title), p in zip(owners, scores, strict=True):
        if is_title:
            titles[i] = p
        else:
            bodies.setdefault(i, []).append(p)
    return np.stack([article_probabilities(titles.get(i), bodies.get(i, [])) for i in range(len(rows))])


def _nearest_prototype(texts: Sequence[str], encode: Encode, two_sided: bool) -> NDArray[np.int64]:
    vectors = encode(list(texts))
    prototypes = np.stack([encode(list(group)).mean(axis=0) for group in _PROTOTYPES])
    similarity = vectors @ prototypes.T
    if two_sided:
        similarity[:, 1] = -np.inf
    return similarity.argmax(axis=1)


def _class_of(label: str, classes: Sequence[str]) -> int:
    if label not in classes:
        raise ValueError(f"label must be one of {', '.join(classes)}, got {label!r}")
    return list(classes).index(label)
