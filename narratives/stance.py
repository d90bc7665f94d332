"""Stance toward a narrative's claim: statements as prototypes, labels where there are any, a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.centres import narrative_centres, relevance_floors, unit
from narratives.language import base_language
from narratives.statements import CLASSES, Statements, draft_statements
from narratives.tone import Toward

__all__ = [
    "CLASSES",
    "StanceScorer",
    "StanceScores",
    "Statements",
    "base_language",
    "draft_statements",
    "narrative_centres",
    "relevance_floors",
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
# Statements count as at most this many rows: the slope above was fitted with as many, and beyond it each further one
# would make the scorer surer without making it better (81 statements on the development sets: ECE .10 and .08, counted
# as 36 .06 and .03, F1 one point higher on both).
_MOST_STATEMENTS = 36
# Weight of the tone toward the actor without labels, for narratives of kind `entity` only (toward a claim
# tone may run either way). Worth 6 to 10 points of F1 on the two Chinese development narratives.
_TONE_WEIGHT, _TONE_WEIGHT_BESIDE_STATES = 0.75, 0.5
_ENTITY_SLOPE = 0.75
# Scale of the tone scorer's states, and, where it has none, of its logits, beside the vector of length one; and how
# many labels the statements are worth: the two heads' log-probabilities are averaged, the one with labels with weight
# n / (n + this), because with a few labels it alone is worse than none. The best of a few pairs over the thirteen
# narratives of `data/training`, with the development sets' figures in view beside them.
_STATE_SCALE, _TONE_SCALE, _STATEMENTS_ARE_WORTH = 0.5, 0.3, 16
# Tone logits (negative, neutral, positive) that a statement for, against, or about an entity stands for.
_ENTITY_TONE = np.array([[-1.2, 0.0, 1.2], [1.2, 0.0, -1.2], [-0.6, 1.2, -0.6]])
# Below this cosine to the nearest statement (after centring) accuracy falls to the majority's.
COVERAGE_GATE = 0.15


@dataclass(frozen=True)
class StanceScores:
    """Stance of n articles toward one claim.

    `p` has shape (n, 3), columns as in `CLASSES`; `stance` = p_supports - p_opposes, -1 to 1; `confidence` is
    the largest of the three (0 to 1); `coverage` is the cosine to the nearest statement; `verdict` holds one
    of supports, opposes, reports, unclear; `relevant` is False where an article is less like the narrative than its
    members are.
    """

    p: Floats
    stance: Floats
    confidence: Floats
    coverage: Floats
    verdict: tuple[Verdict, ...]
    scorer: str
    relevant: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.verdict)


class StanceScorer:
    """Scores articles toward one claim, with the statements as prototypes.

    Statements are rows of a logistic regression, articles what it is asked about. Each lie about their own centre, the
    statements about the mean of their classes and the articles about the narrative's, so that headlines on one side
    and articles on the other differ in stance and not in manner: worth 3.6 points of macro-F1 (.505 to .541) on the
    English development set, before any label, and nothing on the Chinese one. Statements and an analyst's labels
    together are rows of a second one, beside which the first counts as 16 labels would. Where the tone scorer's states
    are given, they stand beside the vectors, centred on the statements.

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
    statement_tone
        Tone of the statements toward the actor; of use where it has states.
    label_vectors, label_langs, label_tone, labels
        Articles that a person has judged: (k, d), languages, tone toward the actor ((k, 3) or `Toward`; may be
        absent), and columns of `CLASSES` as integers. With labels the head learns which way tone runs for this claim.
    gate
        Least cosine to the nearest statement, after centring.
    floors
        From `relevance_floors`.
    mark
        In place of the number of labels in the scorer's name.

    Raises
    ------
    ValueError
        Numbers of vectors and statements differ, or a label is not 0, 1 or 2.
    """

    family = "statements-"
    version = "statements-4"

    def __init__(
        self,
        statements: Statements,
        vectors: ArrayLike,
        langs: Sequence[str],
        centres: Mapping[str, Floats],
        *,
        statement_tone: Toward | None = None,
        label_vectors: ArrayLike | None = None,
        label_langs: Sequence[str] = (),
        label_tone: Toward | ArrayLike | None = None,
        labels: Sequence[int] = (),
        gate: float = COVERAGE_GATE,
        floors: Mapping[str, float] | None = None,
        mark: str = "",
    ) -> None:
        raw = np.asarray(vectors, dtype=np.float64)
        groups = statements.groups()
        if not len(raw) == len(groups) == len(langs):
            raise ValueError(f"{len(groups)} statements, {len(raw)} vectors and {len(langs)} languages differ")
        if set(labels) - {0, 1, 2}:
            raise ValueError(f"labels must be 0, 1 or 2, got {sorted(set(labels))}")
        self.statements, self.gate, self._centres = statements, gate, dict(centres)
        self._floors = dict(floors or {})
        self.name = f"{self.version}+{mark or len(labels)}" if len(labels) else self.version
        self._prototypes = _about_own_mean(raw, groups)
        # What statements cover is asked in the narrative's own place: about their mean, few members' texts on other
        # matters look covered.
        self._covering = self._centred(raw, langs)
        self._weights: Floats | None = None
        self._label_share, self._state_centre = 0.0, None
        self.uses_tone = statements.kind == "entity" or (len(labels) > 0 and label_tone is not None)
        if not statements.decidable:
            return
        if statement_tone is not None and statement_tone.states is not None and self.uses_tone:
            s = np.asarray(statement_tone.states, dtype=np.float64)
            self._state_centre = np.mean([s[groups == c].mean(axis=0) for c in sorted(set(groups))], axis=0)
        n_rows = min(len(groups), _MOST_STATEMENTS)
        balance = np.array([n_rows / (3 * (groups == c).sum()) for c in groups])
        own = self._rows(self._prototypes, statement_tone, len(raw))
        self._weights, self._bias = _fit_head(own, groups, balance, _INVERSE_PENALTY)
        if len(labels):
            self._label_share = len(labels) / (len(labels) + _STATEMENTS_ARE_WORTH)
            known = self._centred(np.asarray(label_vectors, dtype=np.float64), label_langs)
            stands_for = _ENTITY_TONE[groups] if statements.kind == "entity" else np.zeros((len(groups), 3))
            own = np.vstack([self._with_tone(own, stands_for), self._label_rows(known, label_tone)])
            sample = np.concatenate([balance, np.ones(len(labels))])
            y = np.concatenate([groups, np.asarray(labels)])
            self._label_weights, self._label_bias = _fit_head(own, y, sample, _INVERSE_PENALTY)

    def _rows(self, x: Floats, tone: Toward | ArrayLike | None, n: int) -> Floats:
        """(n, d) vectors, with the states beside them where this scorer has states; zeros where a text has none."""
        if self._state_centre is None:
            return x
        states = tone.states if isinstance(tone, Toward) else None
        if states is None:
            return np.hstack([x, np.zeros((n, len(self._state_centre)))])
        return np.hstack([x, _STATE_SCALE * unit(np.asarray(states, dtype=np.float64) - self._state_centre)])

    def _with_tone(self, rows: Floats, logits: Floats) -> Floats:
        """For the head with labels: tone logits where there are no states."""
        return rows if self._state_centre is not None or not self.uses_tone else np.hstack([rows, _TONE_SCALE * logits])

    def _label_rows(self, x: Floats, tone: Toward | ArrayLike | None) -> Floats:
        return self._with_tone(self._rows(x, tone, len(x)), _tone_logits(tone, len(x)))

    def _centred(self, vectors: Floats, langs: Sequence[str]) -> Floats:
        if len(vectors) != len(langs):
            raise ValueError(f"{len(vectors)} vectors and {len(langs)} languages differ")
        if not len(vectors):
            return np.zeros_like(vectors)
        centres = [self._centres.get(base_language(x), self._centres[""]) for x in langs]
        return unit(vectors - np.stack(centres))

    def likeness(self, vectors: ArrayLike, langs: Sequence[str]) -> Floats:
        """(n,) cosine to the narrative's centre in each text's language, before the centre is taken off."""
        x = np.asarray(vectors, dtype=np.float64)
        centres = [unit(self._centres.get(base_language(tag), self._centres[""])) for tag in langs]
        return np.asarray((unit(x) * np.stack(centres)).sum(axis=1)) if len(x) else np.zeros(0)

    def _relevant(self, vectors: Floats, langs: Sequence[str]) -> NDArray[np.bool_]:
        """(n,) not below the floor of its language."""
        floors = np.array([self._floors.get(base_language(tag), -np.inf) for tag in langs])
        return np.asarray(self.likeness(vectors, langs) >= floors)

    def score(
        self, vectors: ArrayLike, langs: Sequence[str], tone: Toward | ArrayLike | None = None, whole: bool = True
    ) -> StanceScores:
        """Score n articles (or sentences).

        Parameters
        ----------
        vectors, langs
            (n, d) with the language removed, in the space of the statements; n languages.
        tone
            Tone toward the claim's actor: `Toward`, or (n, 3) probabilities [negative, neutral, positive]; used for
            kind `entity`, and for a claim once labels say which way it runs.
        whole
            Whole articles, which may be about something else; single sentences are not asked for relevance.
        """
        raw = np.asarray(vectors, dtype=np.float64)
        x = self._centred(raw, langs)
        n = len(x)
        coverage = (x @ self._covering.T).max(axis=1) if n and len(self._covering) else np.zeros(n)
        if self._weights is None:
            p = np.tile([0.0, 0.0, 1.0], (n, 1))
            unclear: tuple[Verdict, ...] = tuple(_UNCLEAR for _ in range(n))
            return StanceScores(p, np.zeros(n), np.zeros(n), coverage, unclear, self.name)
        logits = _tone_logits(tone, n)
        z = _SLOPE * (self._rows(x, tone, n) @ self._weights.T + self._bias)
        if (self.statements.groups() == 2).any():
            z[:, 2] += _NEUTRAL_BIAS[self.statements.kind]
        if self.statements.kind == "entity":
            weight = _TONE_WEIGHT if self._state_centre is None else _TONE_WEIGHT_BESIDE_STATES
            z = _ENTITY_SLOPE * (z + weight * logits[:, [2, 0, 1]])
        if self._label_share:
            learned = self._label_rows(x, tone) @ self._label_weights.T + self._label_bias
            z = (1 - self._label_share) * _log_softmax(z) + self._label_share * _log_softmax(learned)
        p = _softmax(z)
        relevant = self._relevant(raw, langs) if whole else np.ones(n, dtype=bool)
        covered = (coverage >= self.gate) & relevant
        verdict: list[Verdict] = [
            _VERDICTS[int(c)] if ok else "unclear" for c, ok in zip(p.argmax(axis=1), covered, strict=True)
        ]
        return StanceScores(p, p[:, 0] - p[:, 1], p.max(axis=1), coverage, tuple(verdict), self.name, relevant)


def _about_own_mean(vectors: Floats, groups: NDArray[np.int64]) -> Floats:
    """(m, d) statements less the mean of their class means, of length one, whatever their languages."""
    if not len(vectors):
        return np.zeros_like(vectors)
    return unit(vectors - np.mean([vectors[groups == c].mean(axis=0) for c in sorted(set(groups))], axis=0))


def _tone_logits(tone: Toward | ArrayLike | None, n: int) -> Floats:
    """(n, 3) logarithms with a mean of zero in each row; zeros where there is no tone."""
    p = tone.p if isinstance(tone, Toward) else tone
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
