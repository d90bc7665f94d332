"""Stance on a labelled file, with no labels or a few, beside majority, lexicon, target-only and plain
similarity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from narratives.evaluate import Encode, Evaluation, coverage_curve, table_row
from narratives.lexicon import lexicon_score
from narratives.plugins.protocols import Reading, StanceReader, Toner, calibrated, through_gate
from narratives.stance import CLASSES, Floats, StanceScorer, Statements, narrative_centres
from narratives.tone import text_language

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


@dataclass(frozen=True)
class _Subject:
    """All rows of one target, with the statements that fit it."""

    target: str
    statements: Statements
    rows: NDArray[np.int64]
    statement_vectors: Floats
    statement_langs: list[str]
    tone: Floats | None


def weak_statements(target: str) -> Statements:
    """Statements out of the target's own words: the mode for files without definitions, and a weak one.

    >>> weak_statements("开放二胎").pro[0]
    '支持开放二胎'
    """
    if text_language(target) == "zh":
        pro = (f"支持{target}", f"{target}很好，赞成", f"相信{target}")
        con = (f"反对{target}", f"{target}不好，不赞成", f"不相信{target}")
        return Statements(target, (target,), pro, con, (f"有关{target}的消息", f"记者报道{target}"))
    pro = (f"I agree that {target}", f"It is true: {target}", f"{target} is good and right")
    con = (f"I disagree that {target}", f"It is false: {target}", f"{target} is bad and wrong")
    return Statements(target, (target,), pro, con, (f"A report on {target}", f"Some facts about {target}"))


def match_statements(target: str, known: Sequence[Statements], names: Sequence[Sequence[str]]) -> Statements | None:
    """The statements whose id, claim, actor or other name is the target, or None."""
    wanted = target.strip().rstrip(".。").casefold()
    for statements, more in zip(known, names, strict=True):
        all_names = (statements.narrative, *statements.claim, *statements.actors, *more)
        if wanted in {name.strip().rstrip(".。").casefold() for name in all_names}:
            return statements
    return None


def evaluate_stance(
    rows: Sequence[dict[str, Any]],
    encode: Encode,
    definitions: Sequence[Statements] = (),
    names: Sequence[Sequence[str]] = (),
    n_labels: int = 0,
    n_seeds: int = 5,
    tone: Toner | None = None,
    reader: StanceReader | None = None,
) -> Evaluation:
    """Stance of each row toward its target's claim.

    With `n_labels`, that many rows a target are drawn at random, given to the scorer as labels and left out
    of the measure, over `n_seeds` draws; figures are means over the draws, the interval covers rows and
    draws.

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
    """
    truth = np.array([_label(r) for r in rows])
    texts = [f"{r.get('title') or ''}\n{r.get('text') or ''}".strip() for r in rows]
    langs = [str(r.get("lang") or text_language(t)) for r, t in zip(rows, texts, strict=True)]
    vectors = np.asarray(encode(texts), dtype=np.float64)
    more = names or [()] * len(definitions)
    subjects, weak = _subjects(rows, texts, encode, definitions, more, tone, n_labels > 0)
    draws = range(n_seeds) if n_labels else range(1)
    read = [reader.read([rows[i] for i in s.rows], s.statements) if reader else [] for s in subjects]
    runs = [_one_draw(subjects, vectors, langs, truth, n_labels, seed, read) for seed in draws]
    name = f"{reader.name}>{StanceScorer.version}" if reader else StanceScorer.version
    table = []
    targets = [s.target for s in subjects]
    for where in ["all", *(targets if len(targets) > 1 else [])]:
        inside = np.zeros(len(rows), dtype=bool)
        for s in subjects:
            if where in ("all", s.target):
                inside[s.rows] = True
        table.append(_pooled(runs, truth, inside, where, n_labels, name))
        table += _baselines(subjects, vectors, texts, truth, inside, where)
    notes = []
    if weak:
        notes.append(f"Weak mode, no definition for: {', '.join(sorted(weak))}; statements are made of the target.")
    p, scored, coverage, verdicts = runs[0]
    clear = scored & (verdicts != "unclear")
    right = p.argmax(axis=1) == truth
    notes.append(
        f"unclear: {1 - clear.sum() / max(scored.sum(), 1):.3f} of the rows; accuracy on the others "
        f"{right[clear].mean() if clear.any() else float('nan'):.3f}, on all {right[scored].mean():.3f}"
    )
    if len(subjects) > 1:
        notes.append(f"unclear for rows of another target: {_foreign_unclear(subjects, vectors, langs):.3f}")
    curves = {
        "accuracy by confidence": coverage_curve(p.max(axis=1)[scored], right[scored]),
        "accuracy by coverage": coverage_curve(coverage[scored], right[scored]),
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


def _subjects(
    rows: Sequence[dict[str, Any]],
    texts: Sequence[str],
    encode: Encode,
    definitions: Sequence[Statements],
    names: Sequence[Sequence[str]],
    tone: Toner | None,
    with_labels: bool,
) -> tuple[list[_Subject], list[str]]:
    groups: dict[str, list[int]] = {}
    chosen: dict[str, Statements] = {}
    weak = []
    for i, row in enumerate(rows):
        target = str(row.get("target") or "")
        found = match_statements(target, definitions, names)
        key = found.narrative if found else target
        if key not in chosen:
            chosen[key] = found or weak_statements(target)
            if not found:
                weak.append(target)
        groups.setdefault(key, []).append(i)
    subjects = []
    for key, members in groups.items():
        s = chosen[key]
        statement_texts = list(s.texts())
        scores = None
        if tone is not None and s.actors and (s.kind == "entity" or with_labels):
            scores = tone.score([texts[i] for i in members], targets=[s.actors[0]] * len(members))
        vectors = np.asarray(encode(statement_texts), dtype=np.float64)
        statement_langs = [text_language(t) for t in statement_texts]
        subjects.append(_Subject(key, s, np.array(members), vectors, statement_langs, scores))
    return subjects, weak


def _scorer(s: _Subject, vectors: Floats, langs: Sequence[str], known: NDArray[np.int64], y: Any) -> StanceScorer:
    centres = narrative_centres(
        s.statement_vectors,
        s.statement_langs,
        s.statements.groups(),
        vectors[s.rows],
        [langs[i] for i in s.rows],
    )
    return StanceScorer(
        s.statements,
        s.statement_vectors,
        s.statement_langs,
        centres,
        label_vectors=vectors[known],
        label_langs=[langs[i] for i in known],
        label_tone=None if s.tone is None or not len(known) else s.tone[np.searchsorted(s.rows, known)],
        labels=[int(y[i]) for i in known],
    )


def _one_draw(
    subjects: Sequence[_Subject],
    vectors: Floats,
    langs: Sequence[str],
    truth: NDArray[np.int64],
    n: int,
    seed: int,
    read: Sequence[list[Reading | None]],
) -> tuple[Floats, NDArray[np.bool_], Floats, NDArray[Any]]:
    p, scored = np.zeros((len(truth), 3)), np.zeros(len(truth), dtype=bool)
    coverage, verdicts = np.zeros(len(truth)), np.full(len(truth), "", dtype=object)
    for k, s in enumerate(subjects):
        dice = np.random.default_rng([seed, k])
        known = dice.choice(s.rows, min(n, len(s.rows) // 2), replace=False) if n else s.rows[:0]
        left = np.setdiff1d(s.rows, known)
        tone = None if s.tone is None else s.tone[np.searchsorted(s.rows, left)]
        scorer = _scorer(s, vectors, langs, known, truth)
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
    subjects: Sequence[_Subject],
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
        means = [vectors[s.rows] @ s.statement_vectors[groups == c].mean(axis=0) for c in sorted(set(groups))]
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


def _foreign_unclear(subjects: Sequence[_Subject], vectors: Floats, langs: Sequence[str]) -> float:
    shares = []
    for s in subjects:
        others = np.concatenate([o.rows for o in subjects if o is not s])
        scorer = _scorer(s, vectors, langs, s.rows[:0], np.zeros(0))
        verdicts = scorer.score(vectors[others], [langs[i] for i in others]).verdict
        shares.append(np.mean([v == "unclear" for v in verdicts]))
    return float(np.mean(shares))
