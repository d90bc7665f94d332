"""The sentences of articles that are looked at one by one, with their places in the stored text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from narratives.material import Row
from narratives.speech import Speech, find_speech

MAX_SENTENCES = 14  # of an article; news says what it has to say at its beginning
_MAX_SENTENCE_CHARS = 400


@dataclass(frozen=True)
class Sentences:
    """The sentences of n articles that are scored: spans into the stored text, their owners' row numbers, and who
    speaks in each (None: the outlet itself)."""

    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    owners: np.ndarray
    speeches: tuple[Speech | None, ...]

    def of(self, row: int) -> np.ndarray:
        return np.flatnonzero(self.owners == row)


def sentences_of(rows: Sequence[Row]) -> Sentences:
    """At most the first 14 sentences of each article; very long ones are cut for scoring, not for showing."""
    from embeddings import split_sentences

    texts, spans, owners = [], [], []
    speeches: list[Speech | None] = []
    for i, row in enumerate(rows):
        own = [(span.start, span.end) for span in split_sentences(row["text"])[:MAX_SENTENCES]]
        texts += [row["text"][start:end][:_MAX_SENTENCE_CHARS] for start, end in own]
        spans += own
        owners += [i] * len(own)
        speeches += find_speech(row["text"], own)
    return Sentences(tuple(texts), tuple(spans), np.array(owners, dtype=int), tuple(speeches))
