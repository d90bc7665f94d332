"""Where a narrative lies: a centre a language, and how far from it an article may be and still be about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.language import base_language

Floats = NDArray[np.floating]

# An article that is less like the narrative than all but this share of its members is unclear, whatever it resembles
# once the centre is taken off. Wants this many members of a language.
_FLOOR_QUANTILE, _LEAST_FOR_FLOOR = 0.05, 20


def unit(rows: Floats) -> Floats:
    """Rows of length one; zeros stay zeros."""
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


def relevance_floors(
    centres: Mapping[str, Floats], member_vectors: ArrayLike, member_langs: Sequence[str]
) -> dict[str, float]:
    """Language -> the least cosine to the narrative's centre at which an article is still about it.

    The cosine is that of the vector as it is, before the centre is taken off: what is left after that says nothing of
    what a text is about (an AUC of .67 between a narrative's own and other narratives' texts; this one's is .96). The
    floor is the fifth percentile of the members'; languages with fewer than twenty members have none.
    """
    x = np.asarray(member_vectors, dtype=np.float64)
    own = np.array([base_language(tag) for tag in member_langs], dtype=object)
    found = {}
    for lang in sorted(set(own)):
        rows = x[own == lang]
        if len(rows) >= _LEAST_FOR_FLOOR:
            centre = centres.get(lang, centres[""])
            found[lang] = float(np.quantile(unit(rows) @ unit(centre), _FLOOR_QUANTILE))
    return found
