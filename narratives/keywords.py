"""Keywords by class-based TF-IDF on counts of terms, and which of them say a thing once (MMR).

The counts of a narrative are compared with those of all material of its language in the same weeks, what belongs to no
narrative included; both are sums (`narratives.term_sums`), so nothing here reads an article.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from typing import Any

from narratives.terms import HAN

Profile = Mapping[str, Mapping[str, Any]]
Ranked = Mapping[str, list[tuple[str, float]]]  # language -> terms with their weights, best first
LANGUAGES = ("zh", "en")
_CANDIDATES = 60  # best terms that are looked at more closely
SWALLOWED = 0.75  # a phrase takes the place of a part of it that seldom stands without it
_LONE = 0.5  # weight of a term that never stands by itself
_SPOKEN = 3  # texts of all material
_REMEMBERED = 50_000  # terms whose parts are kept: many narratives have the same
_DIVERSITY = 0.3  # of MMR: 0 looks at weight only
KEPT = 12


@dataclass(frozen=True)
class Keywords:
    """Terms of a narrative with their weights, best first, a list a language; written as the articles write them."""

    zh: tuple[tuple[str, float], ...] = ()
    en: tuple[tuple[str, float], ...] = ()

    def terms(self, lang: str, n: int) -> list[str]:
        return [term for term, _ in (self.zh if lang == "zh" else self.en)[:n]]


def ranked_both(own: Profile, every: Profile) -> Ranked:
    """`ranked_terms` of each language: what `keywords_of` and `naming.name_from` choose from."""
    return {lang: ranked_terms(own.get(lang, {}), every.get(lang, {})) for lang in LANGUAGES}


def keywords_of(own: Profile, every: Profile, n_terms: int = KEPT, ranked: Ranked | None = None) -> Keywords:
    """Keywords of a narrative in both languages.

    Parameters
    ----------
    own, every
        Counts of the narrative and of all material, as `term_sums.count` and `term_sums.texts_of` make them.
    n_terms
        Terms a language.
    ranked
        Of `ranked_both`, where it is known.
    """
    found = {}
    ranked = ranked or ranked_both(own, every)
    for lang in LANGUAGES:
        forms = own.get(lang, {}).get("forms", {})
        chosen = mmr(ranked[lang], alike, n_terms)
        found[lang] = tuple((forms.get(term, term), round(weight, 6)) for term, weight in chosen)
    return Keywords(**found)


def ranked_terms(own: Mapping[str, Any], every: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Candidates of one language with their weights, best first.

    A term's weight is `share * log(1 + share / share_of_all)`, where the share is the mean of the share of texts and of
    titles that hold it: what a headline says, an editor thought to be the matter. What stands by itself weighs more
    (Kuala never does, Kuala Lumpur does), and a phrase replaces a part of it that seldom stands without it. Terms of a
    single text are left out where the language has others; where it has none, so are those that nobody else uses.

    References
    ----------
    Grootendorst, BERTopic, 2022 (arXiv:2203.05794), equation 2, over document shares instead of word counts.
    """
    n, counts = own.get("n", 0), own.get("terms", {})
    n_every, others = max(every.get("n", 0), n), every.get("terms", {})
    if not n:
        return []
    weights = {}
    for term, (texts, titles, whole, _) in counts.items():
        share = (texts + titles) / (2 * n)
        usual = (max(others.get(term, 0), texts) + 1) / (n_every + 1)
        weights[term] = share * math.log(1 + share / usual) * (_LONE + (1 - _LONE) * whole / texts)
    several = {term: weight for term, weight in weights.items() if counts[term][0] >= 2}
    # A language with a single text says nothing twice: then what others speak of as well.
    spoken = {term: weight for term, weight in weights.items() if others.get(term, 0) >= _SPOKEN}
    best = nsmallest(_CANDIDATES, (several or spoken or weights).items(), key=_order)
    return _without_parts(dict(best), counts)


def _ordered(weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Heaviest first, then the longest."""
    return sorted(weights.items(), key=_order)


def _order(item: tuple[str, float]) -> tuple[float, int, str]:
    return -item[1], -len(item[0]), item[0]


def _without_parts(weights: dict[str, float], counts: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    """Candidates without those that another one, a phrase that they are part of, can stand for."""
    gone = set()
    for phrase in sorted(weights, key=lambda term: (len(term), term)):
        # Most are no part of it by their letters alone, and are not asked about words.
        for part in [term for term in weights if term in phrase]:
            if part != phrase and holds(phrase, part) and counts[phrase][0] >= SWALLOWED * counts[part][0]:
                weights[phrase] = max(weights[phrase], weights[part])
                gone.add(part)
    return _ordered({term: weight for term, weight in weights.items() if term not in gone})


def holds(phrase: str, part: str) -> bool:
    """A phrase has a term in it, in whole words.

    >>> holds("rare earths", "earths"), holds("rare earths", "are"), holds("废磁铁回收", "磁铁")
    (True, False, True)
    """
    return part in phrase if HAN.search(part) else f" {part} " in f" {phrase} "


def mmr(
    ranked: Sequence[tuple[str, float]], likeness: Callable[[str, str], float], n: int, diversity: float = _DIVERSITY
) -> list[tuple[str, float]]:
    """The n terms that say most and each something else: maximal marginal relevance.

    Parameters
    ----------
    ranked
        Terms with weights, best first.
    likeness
        Of two terms, 0 to 1; terms whose likeness to a chosen one is 1 are never taken.
    diversity
        0 takes the heaviest terms, 1 the most unlike ones.

    References
    ----------
    Carbonell and Goldstein, 1998; KeyBERT's `_mmr.py` has the same form.
    """
    if not ranked:
        return []
    top = ranked[0][1] or 1.0
    near = [0.0] * len(ranked)
    open_rows = list(range(len(ranked)))
    chosen: list[tuple[str, float]] = []
    while open_rows and len(chosen) < n:
        best = max(open_rows, key=lambda i: ((1 - diversity) * ranked[i][1] / top - diversity * near[i], -i))
        chosen.append(ranked[best])
        for i in open_rows:
            near[i] = max(near[i], likeness(ranked[i][0], ranked[best][0]))
        open_rows = [i for i in open_rows if i != best and near[i] < 1]
    return chosen


def alike(a: str, b: str) -> float:
    """Likeness of two terms by their writing, 0 to 1: 1 where they share a word's stem, or two Chinese characters.

    Two Chinese words of two characters with the same first one (缅北, 缅甸) count as one, too.

    >>> alike("magnet", "rare-earth magnets"), alike("稀土", "稀土磁材"), alike("废磁铁", "废料")
    (1.0, 1.0, 0.25)
    """
    if _is_han(a) and _is_han(b):
        if not _pairs(a).isdisjoint(_pairs(b)) or (len(a) == len(b) == 2 and a[0] == b[0]):
            return 1.0
        return len(set(a) & set(b)) / (len(set(a) | set(b)))
    stems = _stems(a), _stems(b)
    if not stems[0].isdisjoint(stems[1]):
        return 1.0
    return float(any(x.startswith(y) or y.startswith(x) for x in stems[0] for y in stems[1] if min(len(x), len(y)) > 3))


@lru_cache(maxsize=_REMEMBERED)
def _is_han(term: str) -> bool:
    return HAN.search(term) is not None


@lru_cache(maxsize=_REMEMBERED)
def _pairs(term: str) -> frozenset[str]:
    """Neighbouring characters."""
    return frozenset(term[i : i + 2] for i in range(len(term) - 1))


@lru_cache(maxsize=_REMEMBERED)
def _stems(term: str) -> frozenset[str]:
    return frozenset(stem(word) for word in term.replace("-", " ").split())


def stem(word: str) -> str:
    """An English word without its ending, roughly.

    >>> stem("magnets"), stem("policies"), stem("leaching"), stem("bus")
    ('magnet', 'polic', 'leach', 'bus')
    """
    word = word.casefold()
    for ending in ("ies", "ing", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word[: -len(ending)]
    return word
