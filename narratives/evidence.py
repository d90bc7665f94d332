"""Which sentences carry a score: the ones a report quotes, as offsets into the stored text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_SPOKEN_COUNTS = 0.5


@dataclass(frozen=True)
class EvidenceSpan:
    """A sentence that carries a score: `text[start:end]`, with its own score (-1 to 1)."""

    start: int
    end: int
    score: float

    def sentence(self, text: str) -> str:
        return text[self.start : self.end]


def pick(
    text: str,
    spans: Sequence[tuple[int, int]],
    scores: ArrayLike,
    target: float,
    n: int = 3,
    coverage: ArrayLike | None = None,
    min_chars: int = 8,
    spoken: Sequence[bool] | None = None,
) -> tuple[EvidenceSpan, ...]:
    """Pick one to `n` sentences that say what the article's score says.

    Sentences that lean the article's way come first, the strongest first; a neutral article (|target| < .1)
    is shown by its most typical sentence, the one nearest to the article's score. Fragments and repeated
    sentences are passed over while anything longer is there. For deciding, title and lead are as good as
    picked sentences: this is for showing.

    Parameters
    ----------
    text, spans
        The stored text and k pairs (start, end) into it; blanks at either end of a span are cut off.
    scores
        (k,) score of each sentence, -1 to 1.
    target
        The article's score, -1 to 1.
    coverage
        (k,) how near each sentence is to any statement; weighs stance evidence toward what is on topic.
    min_chars
        Shorter sentences are fragments.
    spoken
        (k,) somebody other than the outlet speaks: such a sentence counts half in the choice, so that the outlet's
        own words come first where they say it nearly as clearly.

    Returns
    -------
    tuple of EvidenceSpan
        Empty only where the text has no sentence. The first is the strongest.

    Raises
    ------
    ValueError
        Numbers of spans and scores differ, or a span lies outside the text.

    Example
    -------
    >>> text = "Output rose. The plan failed badly. It is blue."
    >>> spans = [(0, 12), (13, 35), (36, 47)]
    >>> [s.sentence(text) for s in pick(text, spans, [0.4, -0.9, 0.0], target=-0.5, n=1)]
    ['The plan failed badly.']
    """
    values = np.asarray(scores, dtype=float)
    weight = np.ones(len(values)) if coverage is None else np.clip(np.asarray(coverage, dtype=float), 0.0, 1.0)
    if not len(spans) == len(values) == len(weight):
        raise ValueError(f"{len(spans)} spans, {len(values)} scores and {len(weight)} coverages differ")
    candidates: list[tuple[float, int, EvidenceSpan]] = []
    for k, (start, end) in enumerate(spans):
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"span {k} ({start}, {end}) lies outside a text of {len(text)} characters")
        sentence = text[start:end]
        left = start + len(sentence) - len(sentence.lstrip())
        right = end - (len(sentence) - len(sentence.rstrip()))
        if left >= right:
            continue
        value = float(values[k])
        if abs(target) < 0.1:
            strength = (1.0 - abs(value - target)) * (0.25 + float(weight[k]))
        else:
            strength = value * float(np.sign(target)) * (0.25 + float(weight[k]))
        if spoken is not None and spoken[k] and strength > 0:
            strength *= _SPOKEN_COUNTS
        candidates.append((strength, k, EvidenceSpan(left, right, value)))
    whole = [c for c in candidates if c[2].end - c[2].start >= min_chars] or candidates
    whole.sort(key=lambda c: (-c[0], c[1]))
    chosen: list[EvidenceSpan] = []
    seen: set[str] = set()
    for strength, _, span in whole:
        sentence = span.sentence(text)
        leans = strength > 0 or not chosen
        if leans and sentence not in seen and len(chosen) < max(n, 1):
            chosen.append(span)
            seen.add(sentence)
    return tuple(chosen)
