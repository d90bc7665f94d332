"""How many texts hold a term: counts of articles, added up by week and narrative.

A profile is language -> `n` texts of `outlets` outlets, `terms` term -> [texts, titles, texts in which it stands by
itself, outlets] and `forms` term -> writing, where that is not the term itself. Chinese articles are counted under
`zh`, all others under `en`. Added up over weeks, and over narratives that merge, an outlet counts once in each. What a
narrative is compared with needs less: language -> `n` texts, `terms` term -> texts (`Texts`, `texts_of`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from narratives.language import base_language
from narratives.terms import HAN, Term, article_terms, written

Profile = Mapping[str, Mapping[str, Any]]
CELL_TERMS = 2_000  # terms kept of a language in one week of a narrative


def count(rows: Iterable[Mapping[Any, Any]], max_terms: int = CELL_TERMS) -> dict[str, dict[str, Any]]:
    """Profile of articles (`title`, `text`, `lang`, `source`), the commonest terms only."""
    tally = Tally()
    for row in rows:
        tally.add(row, article_terms(row["title"], row["text"]))
    return tally.profile(max_terms)


class Tally:
    """Terms of articles as they are counted, one article at a time."""

    def __init__(self) -> None:
        self._by_lang: dict[str, _Counts] = {}

    def add(self, row: Mapping[Any, Any], found: Mapping[str, Term]) -> None:
        """An article (`lang`, `source`) and its terms, as `article_terms` finds them."""
        counts = self._by_lang.setdefault(counted_under(row), _Counts())
        counts.n += 1
        source = row["source"]
        counts.sources.add(source)
        for key, term in found.items():
            held = counts.terms.get(key)
            if held is None:
                held = counts.terms[key] = [0, 0, 0, 0]
                counts.outlets[key] = set()
                if not HAN.search(key):
                    counts.forms[key] = {}
            held[0] += 1
            held[1] += term.in_title
            held[2] += term.whole
            counts.outlets[key].add(source)
            forms = counts.forms.get(key)
            if forms is not None:
                for form, weight in term.forms.items():
                    forms[form] = forms.get(form, 0) + weight

    def profile(self, max_terms: int = CELL_TERMS) -> dict[str, dict[str, Any]]:
        """Of everything counted so far, the commonest terms only."""
        found = {}
        for lang in sorted(self._by_lang):
            counts = self._by_lang[lang]
            for key, held in counts.terms.items():
                held[3] = len(counts.outlets[key])
            kept = commonest(counts.terms, max_terms)
            told = {key: written(key, counts.forms[key]) for key in kept if key in counts.forms}
            found[lang] = {
                "n": counts.n,
                "outlets": len(counts.sources),
                "terms": kept,
                "forms": {key: form for key, form in told.items() if form != key},
            }
        return found


class Texts:
    """How many texts hold a term, as they are counted, one article at a time."""

    def __init__(self) -> None:
        self._n: Counter[str] = Counter()
        self._terms: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[Any, Any], terms: Iterable[str]) -> None:
        """An article (`lang`) and its terms, each once."""
        lang = counted_under(row)
        self._n[lang] += 1
        self._terms.setdefault(lang, Counter()).update(iter(terms))

    def profile(self, max_terms: int) -> dict[str, dict[str, Any]]:
        """Of everything counted so far, the commonest terms only."""
        found = {}
        for lang, terms in sorted(self._terms.items()):
            order = sorted(terms.items(), key=lambda item: (-item[1], item[0]))
            found[lang] = {"n": self._n[lang], "terms": dict(order[:max_terms])}
        return found


def texts_of(profiles: Iterable[Profile]) -> dict[str, dict[str, Any]]:
    """How many texts hold each term, of profiles of either kind, added up.

    >>> one = {"en": {"n": 2, "outlets": 2, "terms": {"kia": [2, 1, 2, 2]}, "forms": {"kia": "KIA"}}}
    >>> texts_of([one, {"en": {"n": 3, "terms": {"kia": 1, "mine": 3}}}])
    {'en': {'n': 5, 'terms': {'kia': 3, 'mine': 3}}}
    """
    found: dict[str, dict[str, Any]] = {}
    for profile in profiles:
        for lang, part in sorted(profile.items()):
            total = found.setdefault(lang, {"n": 0, "terms": {}})
            total["n"] += part["n"]
            terms, new = total["terms"], part["terms"]
            for term, held in new.items():
                terms[term] = terms.get(term, 0) + (held if isinstance(held, int) else held[0])
    return found


def counted_under(row: Mapping[Any, Any]) -> str:
    """Language under which an article (`lang`) is counted."""
    return "zh" if base_language(str(row["lang"])) == "zh" else "en"


class _Counts:
    """Of one language: term -> its four counts, its outlets, its writings and their weights."""

    def __init__(self) -> None:
        self.n = 0
        self.sources: set[str] = set()
        self.terms: dict[str, list[int]] = {}
        self.outlets: dict[str, set[str]] = {}
        self.forms: dict[str, dict[str, int]] = {}


def commonest(terms: Mapping[str, Sequence[int]], n: int) -> dict[str, list[int]]:
    """The n terms in most texts and titles."""
    order = sorted(terms.items(), key=lambda item: (-item[1][0] - item[1][1], -item[1][2], item[0]))
    return {term: list(held) for term, held in order[:n]}


def add_up(profiles: Sequence[Profile]) -> dict[str, dict[str, Any]]:
    """Profiles as one; of several writings of a term the one of most texts stays.

    >>> one = {"en": {"n": 2, "outlets": 2, "terms": {"kia": [2, 1, 2, 2]}, "forms": {"kia": "KIA"}}}
    >>> add_up([one, one, {"en": {"n": 1, "outlets": 1, "terms": {"kia": [1, 0, 0, 1]}, "forms": {}}}])
    {'en': {'n': 5, 'outlets': 5, 'terms': {'kia': [5, 2, 4, 5]}, 'forms': {'kia': 'KIA'}}}
    """
    if len(profiles) == 1:
        return {lang: dict(part) for lang, part in profiles[0].items()}
    found: dict[str, dict[str, Any]] = {}
    for lang in sorted({lang for profile in profiles for lang in profile}):
        terms: dict[str, list[int]] = {}
        votes: dict[str, dict[str, int]] = {}
        parts = [profile[lang] for profile in profiles if lang in profile]
        for part in parts:
            forms = part["forms"]
            for term, held in part["terms"].items():
                total, texts = terms.get(term), 0
                if total is None:
                    terms[term] = list(held)
                else:
                    texts = total[0]
                    total[0] += held[0]
                    total[1] += held[1]
                    total[2] += held[2]
                    total[3] += held[3]
                form = forms.get(term)
                if form is not None or term in votes:
                    before = votes.setdefault(term, {term: texts} if total else {})
                    before[form or term] = before.get(form or term, 0) + held[0]
        told = {term: written(term, said) for term, said in votes.items()}
        found[lang] = {
            "n": sum(part["n"] for part in parts),
            "outlets": sum(part["outlets"] for part in parts),
            "terms": terms,
            "forms": {term: form for term, form in told.items() if form != term},
        }
    return found
