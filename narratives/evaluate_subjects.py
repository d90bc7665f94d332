"""The subjects of a labelled file: each target's rows, the statements that fit it, its scorer, what it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.centres import narrative_centres, relevance_floors, unit
from narratives.evaluate import Encode
from narratives.labelling import most_useful
from narratives.language import base_language
from narratives.plugins.protocols import Toner
from narratives.stance import Floats, StanceScorer, Statements
from narratives.tone import Toward, text_language, toward

# Labels that are asked for before the scorer thinks anew which to ask next.
_BATCH = 8


@dataclass(frozen=True)
class Subject:
    """All rows of one target, with the statements that fit it."""

    target: str
    statements: Statements
    rows: NDArray[np.int64]
    statement_raw: Floats
    statement_vectors: Floats
    statement_langs: list[str]
    statement_tone: Toward | None
    tone: Toward | None

    def toward(self, rows: NDArray[np.int64]) -> Toward | None:
        """Tone of some of the subject's rows (numbers in the file)."""
        if self.tone is None or not len(rows):
            return None
        at = np.searchsorted(self.rows, rows)
        return Toward(self.tone.p[at], None if self.tone.states is None else self.tone.states[at])


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


def subjects_of(
    rows: Sequence[dict[str, Any]],
    texts: Sequence[str],
    encode: Encode,
    definitions: Sequence[Statements],
    names: Sequence[Sequence[str]],
    tone: Toner | None,
    with_labels: bool,
    means: Mapping[str, ArrayLike],
) -> tuple[list[Subject], list[str]]:
    """Rows by target with statements, vectors and tone; and the targets that no definition fits."""
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
        said, scores = None, None
        if tone is not None and s.actors and (s.kind == "entity" or with_labels):
            said = toward(statement_texts, s.actors[0], tone)
            scores = toward([texts[i] for i in members], s.actors[0], tone)
        statement_raw = np.asarray(encode(statement_texts), dtype=np.float64)
        statement_langs = [text_language(t) for t in statement_texts]
        vectors = without_language(statement_raw, statement_langs, means)
        subjects.append(Subject(key, s, np.array(members), statement_raw, vectors, statement_langs, said, scores))
    return subjects, weak


def without_language(vectors: Floats, langs: Sequence[str], means: Mapping[str, ArrayLike]) -> Floats:
    """(n, d) vectors less the mean of their language, of length one; as they are where there are no means."""
    if not means:
        return vectors
    rows = [np.asarray(means.get(base_language(tag), means.get("", 0.0)), dtype=np.float64) for tag in langs]
    return unit(vectors - np.stack(rows)) if rows else vectors


def scorer_of(s: Subject, vectors: Floats, langs: Sequence[str], known: NDArray[np.int64], y: Any) -> StanceScorer:
    """The scorer of a subject that was told the labels `y` of the rows `known`."""
    members = (vectors[s.rows], [langs[i] for i in s.rows])
    centres = narrative_centres(s.statement_vectors, s.statement_langs, s.statements.groups(), *members)
    return StanceScorer(
        s.statements,
        s.statement_vectors,
        s.statement_langs,
        centres,
        statement_tone=s.statement_tone,
        label_vectors=vectors[known],
        label_langs=[langs[i] for i in known],
        label_tone=s.toward(known),
        labels=[int(y[i]) for i in known],
        floors=relevance_floors(centres, *members),
    )


def asked_rows(
    s: Subject, vectors: Floats, langs: Sequence[str], truth: NDArray[np.int64], n: int, dice: np.random.Generator
) -> NDArray[np.int64]:
    """Rows that `narratives label` would ask for, `_BATCH` at a time, out of a random half."""
    pool = np.sort(dice.choice(s.rows, len(s.rows) // 2, replace=False))
    known = pool[:0]
    while len(known) < min(n, len(pool)):
        scores = scorer_of(s, vectors, langs, known, truth).score(
            vectors[pool], [langs[i] for i in pool], s.toward(pool)
        )
        at = most_useful(scores, unit(vectors[pool]), np.searchsorted(pool, known), min(_BATCH, n - len(known)))
        known = np.sort(np.concatenate([known, pool[at]]))
    return known
