"""The working name of a narrative that was found: two or three of its terms, by machine and marked so.

A name is what an analyst reads first, so it holds phrases as headlines write them (Kachin State, 废磁铁回收), of terms
that more than one outlet uses, and nothing twice in different forms. What is said much less than the first term is left
out; what another narrative is called counts half, so that two names differ where they can.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from narratives.keywords import Profile, Ranked, alike, mmr, ranked_terms
from narratives.terms import HAN

_LONGEST = 3  # terms
_WEAK = 0.4  # of the first term's weight: what weighs less is no part of a name
_TAKEN = 0.5  # weight of a term in another's name
JOINT = " · "


def name_from(own: Profile, every: Profile, lang: str, taken: Iterable[str] = (), ranked: Ranked | None = None) -> str:
    """Name of a narrative in a language; "" where no text of it is in that language.

    Parameters
    ----------
    own, every
        Counts of the narrative and of all material (see `narratives.term_sums`).
    taken
        Names that other narratives have.
    ranked
        Of `keywords.ranked_both`, where it is known.
    """
    part: dict[str, Any] = dict(own.get(lang, {}))
    if not part.get("terms"):
        return ""
    forms, held = part["forms"], part["terms"]
    used = {term.casefold() for name in taken for term in name.split(JOINT)}
    best = [
        (term, weight * (_TAKEN if forms.get(term, term).casefold() in used else 1.0))
        for term, weight in (ranked[lang] if ranked else ranked_terms(part, every.get(lang, {})))
        if HAN.search(term) or lang != "zh"
    ]
    if part["outlets"] > 1:
        best = [(term, weight) for term, weight in best if held[term][3] > 1] or best
    best.sort(key=lambda item: -item[1])
    chosen = mmr(best, alike, _LONGEST)
    if not chosen:
        return ""
    least = _WEAK * chosen[0][1]
    if len(chosen) > 1 and not _is_phrase(chosen[0][0]):  # one word alone says too little
        least = min(least, chosen[1][1])
    return JOINT.join(forms.get(term, term) for term, weight in chosen if weight >= least)


def _is_phrase(term: str) -> bool:
    return len(term) > 3 if HAN.search(term) else " " in term
