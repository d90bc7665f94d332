"""Any sentiment model as a scorer of tone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from narratives.plugins.classifier import Classifier

Floats = NDArray[np.floating]
_STARS = re.compile(r"^([1-5])\s*stars?$")


class SentimentScorer:
    """Three-way tone by a Hugging Face classifier whose classes say negative, neutral, positive, or stars.

    Parameters
    ----------
    name
        Name or path of the model.
    targeted
        The model reads pairs of text and target (aspect-based sentiment). One that does not judges a text the same
        whatever its target.
    """

    def __init__(self, name: str, device: str = "auto", targeted: bool = False) -> None:
        self._classifier, self.targeted = Classifier(name, device), targeted
        self.name = f"{'absa' if targeted else 'hf'}:{name}"

    def score(
        self,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Floats] | None = None,
        targets: Sequence[str] | None = None,
    ) -> Floats:
        """See `Toner`; `encode` is not used.

        Raises
        ------
        ValueError
            Numbers of texts and targets differ, or the model's classes are not those of sentiment.
        """
        if targets is not None and len(targets) != len(texts):
            raise ValueError(f"{len(texts)} texts and {len(targets)} targets differ")
        if not len(texts):
            return np.zeros((0, 3))
        groups = _columns(self._classifier.labels, self.name)
        said = [i for i, text in enumerate(texts) if text.strip()]
        result = np.tile([0.0, 1.0, 0.0], (len(texts), 1))
        if said:
            pairs = [(targets[i] if targets else "") for i in said] if self.targeted else None
            p = self._classifier.probabilities([texts[i] for i in said], pairs)
            result[said] = np.stack([p[:, group].sum(axis=1) for group in groups], axis=1)
        return np.round(result, 4)


def _columns(labels: Sequence[str], name: str) -> tuple[list[int], list[int], list[int]]:
    """Columns of negative, neutral and positive."""
    groups: tuple[list[int], list[int], list[int]] = ([], [], [])
    for i, label in enumerate(label.lower() for label in labels):
        stars = _STARS.match(label)
        if stars:
            groups[0 if int(stars[1]) < 3 else 2 if int(stars[1]) > 3 else 1].append(i)
        elif label.startswith(("neg", "bear")):
            groups[0].append(i)
        elif label.startswith("neu"):
            groups[1].append(i)
        elif label.startswith(("pos", "bull")):
            groups[2].append(i)
    if not groups[0] or not groups[2] or sum(map(len, groups)) != len(labels):
        raise ValueError(f"{name} has the classes {', '.join(labels)}; sentiment has negative, (neutral,) positive")
    return groups
