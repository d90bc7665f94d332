"""Any natural-language-inference model as a reader of stance: does the article entail the claim, or contradict it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from narratives.plugins.classifier import Classifier
from narratives.plugins.protocols import Reading, Row
from narratives.statements import Statements
from narratives.tone import text_language

Floats = NDArray[np.floating]
_LEAD_CHARS = 600
_HYPOTHESES = 2  # of each side, beside the claim


class NliReader:
    """Title and lead of an article as premise; the claim and some statements of both sides as hypotheses.

    Entailing the claim's side or contradicting the other side supports; the reverse opposes; neutral to both
    reports. Of statements in two languages those in the article's are used where there are any. With a model of two
    classes (entailment or not) there is no contradiction, and opposing is entailing the other side.

    What it is worth: models trained on NLI are confident and near chance on subjects that they never saw; measure
    yours by `narratives evaluate stance` before relying on it.
    """

    def __init__(self, name: str, device: str = "auto") -> None:
        self._classifier = Classifier(name, device)
        self.name, self.counts = f"nli:{name}", {"read": 0}

    def read(self, articles: Sequence[Row], statements: Statements) -> list[Reading | None]:
        """See `StanceReader`. Without a claim or a supporting statement there is nothing to say.

        Raises
        ------
        ValueError
            The model's classes are not those of NLI.
        """
        if not statements.claim and not statements.pro:
            return [None] * len(articles)
        columns = _columns(self._classifier.labels, self.name)
        premises, hypotheses, owners = [], [], []
        for i, row in enumerate(articles):
            premise = f"{row.get('title') or ''}\n{row.get('text') or ''}".strip()[:_LEAD_CHARS]
            if not premise:
                continue
            for side, texts in enumerate(_sides(statements, text_language(premise))):
                premises += [premise] * len(texts)
                hypotheses += texts
                owners += [(i, side)] * len(texts)
        p = self._classifier.probabilities(premises, hypotheses)
        collected: dict[int, tuple[list[Floats], list[Floats]]] = {}
        for (i, side), row_p in zip(owners, p, strict=True):
            three = np.array([sum(row_p[c] for c in group) for group in columns])
            collected.setdefault(i, ([], []))[side].append(three)
        self.counts["read"] += len(collected)
        return [_reading(collected[i]) if i in collected else None for i in range(len(articles))]


def _sides(statements: Statements, lang: str) -> tuple[list[str], list[str]]:
    """Hypotheses of the claim's side and of the other one, in the article's language where there are any."""

    def own(texts: Sequence[str]) -> list[str]:
        return [t for t in texts if text_language(t) == lang] or list(texts)

    first = list(dict.fromkeys([*own(statements.claim)[:1], *own(statements.pro)[:_HYPOTHESES]]))
    return first, own(statements.con)[: _HYPOTHESES + 1]


def _columns(labels: Sequence[str], name: str) -> tuple[list[int], list[int], list[int]]:
    """Columns of entailment, contradiction and neither."""
    entails, against, neither = [], [], []
    for i, label in enumerate(label.lower() for label in labels):
        if "contra" in label:
            against.append(i)
        elif label.startswith(("not", "non")) or "neutral" in label:
            neither.append(i)
        elif "entail" in label:
            entails.append(i)
    if not entails or not neither or len(entails) + len(against) + len(neither) != len(labels):
        raise ValueError(f"{name} has the classes {', '.join(labels)}; NLI has entailment, neutral, contradiction")
    return entails, against, neither


def _reading(sides: tuple[list[Floats], list[Floats]]) -> Reading:
    own = np.mean(sides[0], axis=0)
    other = np.mean(sides[1], axis=0) if sides[1] else np.array([0.0, 0.0, own[2]])
    scores = np.array([own[0] + other[1], own[1] + other[0], own[2] + other[2]])
    p = scores / max(float(scores.sum()), 1e-9)
    return Reading((float(p[0]), float(p[1]), float(p[2])))
