"""Stance toward a narrative's claim: statements as prototypes, labels where there are any, a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.language import base_language
from narratives.statements import CLASSES, Statements, draft_statements

__all__ = [
    "CLASSES",
    "StanceScorer",
    "StanceScores",
    "Statements",
    "base_language",
    "draft_statements",
    "narrative_centres",
]

Floats = NDArray[np.floating]
Verdict = Literal["supports", "opposes", "reports", "unclear"]

_UNCLEAR: Verdict = "unclear"
_VERDICTS: tuple[Verdict, ...] = ("supports", "opposes", "reports")

# Slope and neutral bias that turn the head's margins into probabilities when there are no labels, by kind:
# least log-loss over the three development narratives of benchmarks/definitions/stance_dev.yaml (ECE .02 to
# .06 there).
_SLOPE = 1.09
_NEUTRAL_BIAS = {"claim": 0.0, "entity": -0.29}
_INVERSE_PENALTY = 3.0
# Weight of the tone toward the actor without labels, for narratives of kind `entity` only (toward a claim
# tone may run either way). Worth 6 to 10 points of F1 on the two Chinese development narratives.
_TONE_WEIGHT = 0.75
_ENTITY_SLOPE = 0.75
# With labels: scale of the three prototype cosines and of the tone logits beside the vector's own components,
# and what a judged article weighs against a statement.
_COSINE_SCALE, _TONE_SCALE, _LABEL_WEIGHT, _LABEL_INVERSE_PENALTY = 10.0, 0.3, 2.0, 0.5
# The two heads' log-probabilities are averaged, the one with labels with weight n / (n + this): with a
# few labels it alone is worse than none.
_STATEMENTS_ARE_WORTH = 32
# Tone logits (negative, neutral, positive) that a statement for, against, or about an entity stands for.
_ENTITY_TONE = np.array([[-1.2, 0.0, 1.2], [1.2, 0.0, -1.2], [-0.6, 1.2, -0.6]])
# Below this cosine to the nearest statement (after centring) accuracy falls to the majority's.
COVERAGE_GATE = 0.15


@dataclass(frozen=True)
class StanceScores:
    """Stance of n articles toward one claim.

    `p` has shape (n, 3), columns as in `CLASSES`; `stance` = p_supports - p_opposes, -1 to 1; `confidence` is
    the largest of the three (0 to 1); `coverage` is the cosine to the nearest statement; `verdict` holds one
    of supports, opposes, reports, unclear.
    """

    p: Floats
    stance: Floats
    confidence: Floats
    coverage: Floats
    verdict: tuple[Verdict, ...]
    scorer: str

    def __len__(self) -> int:
        return len(self.verdict)


def _unit(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.maximum(norms, 1e-12)


def narrative_centres(
    statement_vectors: ArrayLike,
    statement_langs: Sequence[str],
    groups: ArrayLike,
    member_vectors: ArrayLike | None = None,
    member_langs: Sequence[str] = (),
    subject_means: Mapping[str, ArrayLike] | None = None,
    shrinkage: float = 8.0,
) -> dict[str, Floats]:
    """One centre a language, so that what all of a narrative has in common does not count as stance.

    The members' mean is shrunk with weight `shrinkage` toward the statements' own mean (the mean of the class
    means, so that twelve pro statements beside four con ones do not move it). A language without statements
    takes half the subject's mean and half the statements' mean of the other languages. One member, or none,
    is enough.

    Parameters
    ----------
    statement_vectors, statement_langs, groups
        (m, d) vectors with the language removed, their languages, and `Statements.groups()`.
    member_vectors, member_langs
        (n, d) vectors of the narrative's members so far, in the same space.
    subject_means
        Language to (d,): mean of all the subject's articles in that language.
    shrinkage
        In articles, 0 or more.

    Returns
    -------
    dict
        Language (`zh`, `en`, ...) to a centre of shape (d,); `""` holds the one for any other language.
    """
    s = np.asarray(statement_vectors, dtype=np.float64)
    g = np.asarray(groups)
    if not len(s) == len(statement_langs) == len(g):
        raise ValueError(f"{len(s)} statement vectors, {len(statement_langs)} languages and {len(g)} groups differ")
    own = np.array([base_language(x) for x in statement_langs], dtype=object)
    m = np.zeros((0, s.shape[1])) if member_vectors is None else np.asarray(member_vectors, dtype=np.float64)
    if len(m) != len(member_langs):
        raise ValueError(f"{len(m)} member vectors and {len(member_langs)} languages differ")
    member_own = np.array([base_language(x) for x in member_langs], dtype=object)
    means = {base_language(k): np.asarray(v, dtype=np.float64) for k, v in (subject_means or {}).items()}

    def balanced(mask: NDArray[np.bool_]) -> Floats | None:
        parts = [s[mask & (g == c)].mean(axis=0) for c in range(3) if (mask & (g == c)).any()]
        return np.mean(parts, axis=0) if parts else None

    everywhere = balanced(np.ones(len(s), dtype=bool))
    fallback = np.zeros(s.shape[1]) if everywhere is None else everywhere
    centres = {"": fallback}
    for lang in sorted({*own, *member_own, *means}):
        prior = balanced(own == lang)
        if prior is None:
            prior = fallback if lang not in means else (fallback + means[lang]) / 2
        rows = m[member_own == lang]
        centres[lang] = (rows.sum(axis=0) + shrinkage * prior) / max(len(rows) + shrinkage, 1e-12)
    return centres


class StanceScorer:
    """Scores articles toward one claim, with the statements as prototypes.

    Statements are rows of a logistic regression on vectors centred on the narrative. An analyst's labels are
    rows of a second one, beside which the first counts as 32 labels would.

    What the confidence is worth: without labels a single verdict is weak (about one in two three-way verdicts
    is right; supporting and opposing texts are told apart with an AUC of .76 to .81), so quote shares and
    means over many articles, and show single verdicts as uncertain. Outside what the statements cover,
    probability does not rank errors: the verdict there is `unclear`.

    Parameters
    ----------
    statements, vectors, langs
        The statements, their (m, d) vectors with the language removed, and their languages.
    centres
        From `narrative_centres`.
    label_vectors, label_langs, label_tone, labels
        Articles that a person has judged: (k, d), languages, (k, 3) tone toward the actor (may be absent),
        and columns of `CLASSES` as integers. With labels the head learns which way tone runs for this claim.
    gate
        Least cosine to the nearest statement or labelled article.
    mark
        In place of the number of labels in the scorer's name.

    Raises
    ------
    ValueError
        Numbers of vectors and statements differ, or a label is not 0, 1 or 2.
    """

    family = "statements-"
    version = "statements-2"

    def __init__(
        self,
        statements: Statements,
        vectors: ArrayLike,
        langs: Sequence[str],
        centres: Mapping[str, Floats],
        *,
        label_vectors: ArrayLike | None = None,
        label_langs: Sequence[str] = (),
        label_tone: ArrayLike | None = None,
        labels: Sequence[int] = (),
        gate: float = COVERAGE_GATE,
        mark: str = "",
    ) -> None:
        raw = np.asarray(vectors, dtype=np.float64)
        groups = statements.groups()
        if not len(raw) == len(groups) == len(langs):
            raise ValueError(f"{len(groups)} statements, {len(raw)} vectors and {len(langs)} languages differ")
        if set(labels) - {0, 1, 2}:
            raise ValueError(f"labels must be 0, 1 or 2, got {sorted(set(labels))}")
        self.statements, self.gate, self._centres = statements, gate, dict(centres)
        self.name = f"{self.version}+{mark or len(labels)}" if len(labels) else self.version
        self._prototypes = self._centred(raw, langs)
        self._weights: Floats | None = None
        self._label_share, self._toned = 0.0, False
        if not statements.decidable:
            return
        sample = np.array([len(groups) / (3 * (groups == c).sum()) for c in groups])
        self._weights, self._bias = _fit_head(self._prototypes, groups, sample, _INVERSE_PENALTY)
        if len(labels):
            self._label_share = len(labels) / (len(labels) + _STATEMENTS_ARE_WORTH)
            self._toned = label_tone is not None
            known = self._centred(np.asarray(label_vectors, dtype=np.float64), label_langs)
            is_entity = statements.kind == "entity"
            stands_for = _ENTITY_TONE[groups] if is_entity else np.zeros((len(groups), 3))
            own = self._features(self._prototypes, stands_for, leave_out=True)
            rows = np.vstack([own, self._features(known, _tone_logits(label_tone, len(known)))])
            sample = np.concatenate([sample, np.full(len(labels), _LABEL_WEIGHT)])
            y = np.concatenate([groups, np.asarray(labels)])
            self._label_weights, self._label_bias = _fit_head(rows, y, sample, _LABEL_INVERSE_PENALTY)

    @property
    def uses_tone(self) -> bool:
        """Whether `score` gains from the tone toward the actor."""
        return self.statements.kind == "entity" or self._toned

    def _features(self, x: Floats, tone: Floats, leave_out: bool = False) -> Floats:
        """(n, d + 3) or (n, d + 6): vector, mean cosine to each group (less itself), tone logits."""
        cosines, groups = x @ self._prototypes.T, self.statements.groups()
        columns = []
        for c in range(3):
            member = groups == c
            itself = member.astype(float) if leave_out else np.zeros(len(x))
            total = cosines[:, member].sum(axis=1) - itself
            columns.append(total / np.maximum(member.sum() - itself, 1))
        parts = [x, _COSINE_SCALE * np.stack(columns, axis=1)]
        return np.hstack([*parts, _TONE_SCALE * tone] if self._toned else parts)

    def _centred(self, vectors: Floats, langs: Sequence[str]) -> Floats:
        if len(vectors) != len(langs):
            raise ValueError(f"{len(vectors)} vectors and {len(langs)} languages differ")
        if not len(vectors):
            return np.zeros_like(vectors)
        centres = [self._centres.get(base_language(x), self._centres[""]) for x in langs]
        return _unit(vectors - np.stack(centres))

    def score(self, vectors: ArrayLike, langs: Sequence[str], tone: ArrayLike | None = None) -> StanceScores:
        """Score n articles (or sentences).

        Parameters
        ----------
        vectors, langs
            (n, d) with the language removed, in the space of the statements; n languages.
        tone
            (n, 3) probabilities [negative, neutral, positive] toward the claim's actor; used for kind
            `entity`, and for a claim once labels say which way it runs.
        """
        x = self._centred(np.asarray(vectors, dtype=np.float64), langs)
        n = len(x)
        coverage = (x @ self._prototypes.T).max(axis=1) if n and len(self._prototypes) else np.zeros(n)
        if self._weights is None:
            p = np.tile([0.0, 0.0, 1.0], (n, 1))
            unclear: tuple[Verdict, ...] = tuple(_UNCLEAR for _ in range(n))
            return StanceScores(p, np.zeros(n), np.zeros(n), coverage, unclear, self.name)
        logits = _tone_logits(tone, n)
        z = _SLOPE * (x @ self._weights.T + self._bias)
        if (self.statements.groups() == 2).any():
            z[:, 2] += _NEUTRAL_BIAS[self.statements.kind]
        if self.statements.kind == "entity":
            z = _ENTITY_SLOPE * (z + _TONE_WEIGHT * logits[:, [2, 0, 1]])
        if self._label_share:
            learned = self._features(x, logits) @ self._label_weights.T + self._label_bias
            z = (1 - self._label_share) * _log_softmax(z) + self._label_share * _log_softmax(learned)
        p = _softmax(z)
        covered = coverage >= self.gate
        verdict: list[Verdict] = [
            _VERDICTS[int(c)] if ok else "unclear" for c, ok in zip(p.argmax(axis=1), covered, strict=True)
        ]
        return StanceScores(p, p[:, 0] - p[:, 1], p.max(axis=1), coverage, tuple(verdict), self.name)


def _tone_logits(p: ArrayLike | None, n: int) -> Floats:
    """(n, 3) logarithms with a mean of zero in each row; zeros where there is no tone."""
    if p is None:
        return np.zeros((n, 3))
    logits = np.log(np.clip(np.asarray(p, dtype=np.float64).reshape(n, 3), 1e-4, 1.0))
    return logits - logits.mean(axis=1, keepdims=True)


def _fit_head(rows: Floats, y: NDArray[np.int64], sample: Floats, inverse_penalty: float) -> tuple[Floats, Floats]:
    """Multinomial logistic regression; returns (3, d) weights and (3,) biases, absent classes far below."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=inverse_penalty, max_iter=1000)
    model.fit(rows, y, sample_weight=sample)
    weights, bias = np.zeros((3, rows.shape[1])), np.full(3, -1e3)
    if len(model.classes_) == 2:
        a, b = (int(c) for c in model.classes_)
        half, shift = model.coef_[0] / 2, model.intercept_[0] / 2
        weights[a], weights[b], bias[a], bias[b] = -half, half, -shift, shift
    else:
        for row, c in enumerate(model.classes_):
            weights[int(c)], bias[int(c)] = model.coef_[row], model.intercept_[row]
    return weights, bias


def _softmax(z: Floats) -> Floats:
    return np.exp(_log_softmax(z))


def _log_softmax(z: Floats) -> Floats:
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
