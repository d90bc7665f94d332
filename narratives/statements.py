"""What supporting, opposing and merely reporting a claim sounds like: written by the analyst, or drafted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Order of the three columns of every stance probability.
CLASSES = ("supports", "opposes", "reports")


@dataclass(frozen=True)
class Statements:
    """What supporting, opposing and merely reporting a narrative's claim sounds like.

    Parameters
    ----------
    narrative
        The narrative's id.
    claim
        The claim in one or two languages; counted among the supporting statements.
    pro, con, neutral
        Statements like headlines, Chinese or English. Four a class is the least that is worth much (AUC .65
        with one, .76 with four, .80 with twelve); without neutral ones eight points of F1 are lost. Up to twenty or
        so help a `claim` (macro-F1 on the English development set, statements drawn from 28 a class: .41 with one,
        .46 with four, .49 with twelve, .52 with twenty), an `entity` no further (.63 with one or with twenty).
    actors
        Names that tone is measured toward.
    kind
        `claim`: statements decide. `entity`: the tone toward the actor counts too.
    drafted
        Taken from the narrative's own sentences and not confirmed by a person.

    Example
    -------
    >>> Statements("x", claim=("A is good",), con=("A is bad",)).texts()
    ('A is good', 'A is bad')
    """

    narrative: str
    claim: tuple[str, ...] = ()
    pro: tuple[str, ...] = ()
    con: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    kind: Literal["claim", "entity"] = "claim"
    drafted: bool = False

    def texts(self) -> tuple[str, ...]:
        """All statements, in the order that vectors are expected in: claim, pro, con, neutral."""
        return (*self.claim, *self.pro, *self.con, *self.neutral)

    def groups(self) -> NDArray[np.int64]:
        """Column of `CLASSES` for each of `texts()`, shape (m,)."""
        sizes = (len(self.claim) + len(self.pro), len(self.con), len(self.neutral))
        return np.repeat(np.arange(3), sizes)

    @property
    def decidable(self) -> bool:
        """There is something to hold the claim against: at least one statement on each side."""
        return bool(self.claim or self.pro) and bool(self.con)


def draft_statements(
    narrative: str,
    sentences: Sequence[str],
    representativeness: ArrayLike,
    tone: ArrayLike,
    n_each: int = 4,
    margin: float = 0.6,
) -> Statements:
    """A claim and statements for a discovered narrative, out of its own sentences, marked as drafted.

    The claim is the most representative sentence. Sentences that clearly speak well stand in for support,
    clearly bad ones for opposition, matter-of-fact ones for reporting; this holds for narratives about an
    entity, and only a person can say whether it holds here (tone and stance correlate at -.14 for one claim
    and +.80 for another). Where the two sides do not both appear, no contrast is drafted and every verdict
    stays `unclear`: there is no claim yet.

    Parameters
    ----------
    sentences
        n sentences of the narrative's articles.
    representativeness
        (n,) cosine of each to the narrative's centre.
    tone
        (n, 3) probabilities [negative, neutral, positive].
    n_each
        At most this many statements a class.
    margin
        Least probability of being positive, negative or neutral, 0 to 1.

    Example
    -------
    >>> draft_statements("N0001", ["Mine reopens."], [0.9], [[0.1, 0.8, 0.1]]).decidable
    False
    """
    centrality, p = np.asarray(representativeness, dtype=float), np.asarray(tone, dtype=float).reshape(-1, 3)
    if not len(sentences) == len(centrality) == len(p):
        raise ValueError(f"{len(sentences)} sentences, {len(centrality)} cosines and {len(p)} tones differ")
    order = sorted(range(len(sentences)), key=lambda i: (-centrality[i], sentences[i]))
    picked: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for i in order:
        column = int(p[i].argmax())
        group = (1, 2, 0)[column]
        taken = picked[group]
        if p[i, column] >= margin and len(taken) < n_each and sentences[i] not in taken:
            taken.append(sentences[i])
    claim = (sentences[order[0]],) if order else ()
    if not picked[0] or not picked[1]:
        return Statements(narrative, claim=claim, drafted=True)
    claim = (picked[0][0],)
    pro, con, neutral = (tuple(t for t in picked[c] if t not in claim) for c in range(3))
    return Statements(narrative, claim=claim, pro=pro, con=con, neutral=neutral, kind="entity", drafted=True)
