"""Stance on a labelled file, with no labels or a few, beside majority, lexicon, target-only and plain
similarity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.evaluate import Encode, Evaluation, coverage_curve, table_row
from narratives.evaluate_subjects import (
    Subject,
    asked_rows,
    match_statements,
    scorer_of,
    subjects_of,
    weak_statements,
    without_language,
)
from narratives.lexicon import lexicon_score
from narratives.plugins.protocols import Reading, StanceReader, Toner, calibrated, through_gate
from narratives.stance import CLASSES, Floats, StanceScorer, Statements
from narratives.tone import text_language

__all__ = ["evaluate_stance", "match_statements", "weak_statements"]

#: Names that labelled files use for the three classes.
_LABELS = {
    "favor": 0,
    "supports": 0,
    "agree": 0,
    "against": 1,
    "opposes": 1,
    "disagree": 1,
    "neutral": 2,
    "none": 2,
    "reports": 2,
}
_ASKED = {"random": "drawn at random", "useful": "as `narratives label` asks for them"}


def evaluate_stance(
    rows: Sequence[dict[str, Any]],
    encode: Encode,
    definitions: Sequence[Statements] = (),
    names: Sequence[Sequence[str]] = (),
    n_labels: int = 0,
    n_seeds: int = 5,
    tone: Toner | None = None,
    reader: StanceReader | None = None,
    ask: Literal["random", "useful"] = "random",
    means: Mapping[str, ArrayLike] | None = None,
) -> Evaluation:
    """Stance of each row toward its target's claim.

    With `n_labels`, that many rows a target are given to the scorer as labels and left out of the measure, over
    `n_seeds` draws; figures are means over the draws, the interval covers rows and draws.

    Parameters
    ----------
    rows
        From `read_labelled`, with `target`; labels favor / against / neutral (or supports / opposes / none
        ...).
    encode
        texts -> (n, d).
    definitions, names
        Statements to hold against, and further names that a row's `target` may use for each. Where none
        fits, statements are made of the target's own words (`weak_statements`) and the notes say so.
    tone
        Tone toward the first actor: counts for kind `entity`, and wherever there are labels.
    reader
        A scorer from elsewhere, measured behind the same gate and calibration (`narratives.plugins`).
    ask
        How the labelled rows are chosen: `random`, or `useful`, as `narratives label` asks for them, eight at a time
        out of a random half of the target's rows.
    means
        Language -> mean vector of general texts, taken off so that likeness to a narrative is not likeness of
        language; the plain-similarity baseline is measured without.
    """
    truth = np.array([_label(r) for r in rows])
    texts = [f"{r.get('title') or ''}\n{r.get('text') or ''}".strip() for r in rows]
    langs = [str(r.get("lang") or text_language(t)) for r, t in zip(rows, texts, strict=True)]
    raw = np.asarray(encode(texts), dtype=np.float64)
    vectors = without_language(raw, langs, means or {})
    more = names or [()] * len(definitions)
    subjects, weak = subjects_of(rows, texts, encode, definitions, more, tone, n_labels > 0, means or {})
    draws = range(n_seeds) if n_labels else range(1)
    read = [reader.read([rows[i] for i in s.rows], s.statements) if reader else [] for s in subjects]
    runs = [_one_draw(subjects, vectors, langs, truth, n_labels, seed, read, ask) for seed in draws]
    name = f"{reader.name}>{StanceScorer.version}" if reader else StanceScorer.version
    table = []
    targets = [s.target for s in subjects]
    for where in ["all", *(targets if len(targets) > 1 else [])]:
        inside = np.zeros(len(rows), dtype=bool)
        for s in subjects:
            if where in ("all", s.target):
                inside[s.rows] = True
        table.append(_pooled(runs, truth, inside, where, n_labels, name))
        table += _baselines(subjects, raw, texts, truth, inside, where)
    notes = []
    if n_labels:
        notes.append(f"labels: {n_labels} a target, {_ASKED[ask]}, {n_seeds} draws")
    if weak:
        notes.append(f"Weak mode, no definition for: {', '.join(sorted(weak))}; statements are made of the target.")
    p, scored, coverage, verdicts = runs[0]
    clear = scored & (verdicts != "unclear")
    right = p.argmax(axis=1) == truth
    notes.append(
        f"unclear: {1 - clear.sum() / max(scored.sum(), 1):.3f} of the rows; accuracy on the others "
        f"{right[clear].mean() if clear.any() else float('nan'):.3f}, on all {right[scored].mean():.3f}"
    )
    strangers: dict[str, list[tuple[float, float]]] = {}
    if len(subjects) > 1:
        foreign, strangers = _among_strangers(subjects, vectors, langs)
        notes.append(f"unclear for rows of another target: {foreign:.3f}")
    curves = {
        "accuracy by confidence": coverage_curve(p.max(axis=1)[scored], right[scored]),
        "accuracy by coverage": coverage_curve(coverage[scored], right[scored]),
        **strangers,
    }
    predictions = tuple(
        {"id": rows[i].get("id", ""), "target": rows[i].get("target", ""), "label": CLASSES[truth[i]]}
        | {
            "predicted": CLASSES[int(p[i].argmax())],
            "verdict": str(verdicts[i]),
            "coverage": float(coverage[i]),
        }
        | dict(zip(("p_supports", "p_opposes", "p_reports"), map(float, p[i]), strict=True))
        for i in np.flatnonzero(scored).tolist()
    )
    return Evaluation("stance", len(rows), tuple(table), tuple(notes), curves, predictions)


def _label(row: dict[str, Any]) -> int:
    name = str(row["label"]).lower()
    if name not in _LABELS:
        raise ValueError(f"label must be one of {', '.join(_LABELS)}, got {row['label']!r}")
    return _LABELS[name]


def _one_draw(
    subjects: Sequence[Subject],
    vectors: Floats,
    langs: Sequence[str],
    truth: NDArray[np.int64],
    n: int,
    seed: int,
    read: Sequence[list[Reading | None]],
    ask: str,
) -> tuple[Floats, NDArray[np.bool_], Floats, NDArray[Any]]:
    p, scored = np.zeros((len(truth), 3)), np.zeros(len(truth), dtype=bool)
    coverage, verdicts = np.zeros(len(truth)), np.full(len(truth), "", dtype=object)
    for k, s in enumerate(subjects):
        dice = np.random.default_rng([seed, k])
        if n and ask == "useful":
            known = asked_rows(s, vectors, langs, truth, n, dice)
        else:
            known = dice.choice(s.rows, min(n, len(s.rows) // 2), replace=False) if n else s.rows[:0]
        left = np.setdiff1d(s.rows, known)
        tone = s.toward(left)
        scorer = scorer_of(s, vectors, langs, known, truth)
        scores = scorer.score(vectors[left], [langs[i] for i in left], tone)
        if read[k]:
            of_left, of_known = ([read[k][int(at)] for at in np.searchsorted(s.rows, which)] for which in (left, known))
            better = calibrated(of_left, of_known, [int(truth[i]) for i in known])
            scores = through_gate(scores, better, scores.scorer, scorer.gate)
        p[left], scored[left], coverage[left], verdicts[left] = (
            scores.p,
            True,
            scores.coverage,
            scores.verdict,
        )
    return p, scored, coverage, verdicts


def _pooled(
    runs: Sequence[tuple[Floats, NDArray[np.bool_], Floats, NDArray[Any]]],
    truth: NDArray[np.int64],
    inside: NDArray[np.bool_],
    where: str,
    n_labels: int,
    name: str,
) -> dict[str, Any]:
    from narratives.metrics import f1_by_class

    name += f"+{n_labels}" if n_labels else ""
    parts, sides = [], []
    for p, scored, _, _ in runs:
        m = inside & scored
        parts.append(table_row(name, where, truth[m], p[m].argmax(axis=1), CLASSES, p[m]))
        sides.append(float(f1_by_class(truth[m], p[m].argmax(axis=1))[:2].mean()))
    out = dict(parts[0])
    for key in ("macro_f1", "accuracy", "ece", "accuracy_at_half"):
        out[key] = float(np.mean([part[key] for part in parts]))
    out["low"], out["high"] = min(part["low"] for part in parts), max(part["high"] for part in parts)
    out["f1"] = {c: float(np.mean([part["f1"].get(c, np.nan) for part in parts])) for c in CLASSES}
    # The measure of NLPCC-2016 and SemEval-2016: mean F1 of the two sides, the neutral rows counting as
    # errors.
    out["f1"]["sides"] = float(np.mean(sides))
    return out


def _baselines(
    subjects: Sequence[Subject],
    vectors: Floats,
    texts: Sequence[str],
    truth: NDArray[np.int64],
    inside: NDArray[np.bool_],
    where: str,
) -> list[dict[str, Any]]:
    by_target, similar = np.zeros(len(truth), dtype=np.int64), np.zeros(len(truth), dtype=np.int64)
    for s in subjects:
        by_target[s.rows] = Counter(truth[s.rows].tolist()).most_common(1)[0][0]
        groups = s.statements.groups()
        means = [vectors[s.rows] @ s.statement_raw[groups == c].mean(axis=0) for c in sorted(set(groups))]
        similar[s.rows] = np.stack(means, axis=1).argmax(axis=1)
    majority = Counter(truth[inside].tolist()).most_common(1)[0][0]
    signs = np.array([lexicon_score(t) for t in texts])
    lexicon = np.where(signs > 0, 0, np.where(signs < 0, 1, 2))
    rows = []
    for name, z in (
        ("majority", np.full(len(truth), majority)),
        ("lexicon", lexicon),
        ("target only", by_target),
        ("plain similarity", similar),
    ):
        row = table_row(name, where, truth[inside], z[inside], CLASSES)
        row["f1"]["sides"] = float(np.mean([row["f1"].get(c, 0.0) for c in CLASSES[:2]]))
        rows.append(row)
    return rows


def _among_strangers(
    subjects: Sequence[Subject], vectors: Floats, langs: Sequence[str]
) -> tuple[float, dict[str, list[tuple[float, float]]]]:
    """Share of other targets' rows that are unclear; and, over own and as many others' rows from the likest tenth to
    the unlikest, the share of unclear verdicts and the mean confidence of the clear ones."""
    likeness: list[Floats] = []
    open_: list[NDArray[np.bool_]] = []
    sure: list[Floats] = []
    foreign = []
    dice = np.random.default_rng(0)
    for s in subjects:
        others = np.concatenate([o.rows for o in subjects if o is not s])
        others = np.sort(dice.choice(others, min(len(others), len(s.rows)), replace=False))
        scorer = scorer_of(s, vectors, langs, s.rows[:0], np.zeros(0))
        for rows, own in ((s.rows, True), (others, False)):
            scores = scorer.score(vectors[rows], [langs[i] for i in rows])
            unclear = np.array([v == "unclear" for v in scores.verdict])
            likeness.append(scorer.likeness(vectors[rows], [langs[i] for i in rows]))
            open_.append(unclear)
            sure.append(scores.confidence)
            if not own:
                foreign.append(float(unclear.mean()))
    order = np.argsort(-np.concatenate(likeness), kind="stable")
    unclear, confidence = np.concatenate(open_)[order], np.concatenate(sure)[order]
    tenths = np.array_split(np.arange(len(order)), 10)
    kept = [(round((k + 1) / 10, 1), rows) for k, rows in enumerate(tenths) if len(rows)]
    clear = [(share, rows[~unclear[rows]]) for share, rows in kept]
    curves = {
        "unclear, from the likest tenth to the unlikest": [(a, float(unclear[rows].mean())) for a, rows in kept],
        "confidence where clear, likewise": [(a, float(confidence[r].mean())) for a, r in clear if len(r)],
    }
    return float(np.mean(foreign)), curves
