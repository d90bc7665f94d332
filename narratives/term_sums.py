"""How many texts hold a term: counts of articles, added up by week and narrative.

A profile is language -> `n` texts of `outlets` outlets, `terms` term -> [texts, titles, texts in which it stands by
itself, outlets] and `forms` term -> writing, where that is not the term itself. Chinese articles are counted under
`zh`, all others under `en`. Added up over weeks, an outlet counts once a week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from narratives.language import base_language
from narratives.terms import HAN, article_terms, written

Profile = Mapping[str, Mapping[str, Any]]
CELL_TERMS = 2_000  # terms kept of a language in one week of a narrative


def count(rows: Iterable[Mapping[Any, Any]], max_terms: int = CELL_TERMS) -> dict[str, dict[str, Any]]:
    """Profile of articles (`title`, `text`, `lang`, `source`), the commonest terms only."""
    by_lang: dict[str, list[Mapping[Any, Any]]] = {}
    for row in rows:
        by_lang.setdefault("zh" if base_language(str(row["lang"])) == "zh" else "en", []).append(row)
    found = {}
    for lang in sorted(by_lang):
        terms: dict[str, list[int]] = {}
        outlets: dict[str, set[str]] = {}
        forms: dict[str, Counter[str]] = {}
        for row in by_lang[lang]:
            for key, term in article_terms(row["title"], row["text"]).items():
                held = terms.setdefault(key, [0, 0, 0, 0])
                held[0] += 1
                held[1] += term.in_title
                held[2] += term.whole
                outlets.setdefault(key, set()).add(row["source"])
                if not HAN.search(key):
                    forms.setdefault(key, Counter()).update(term.forms)
        for key, held in terms.items():
            held[3] = len(outlets[key])
        kept = commonest(terms, max_terms)
        told = {key: written(key, forms[key]) for key in kept if key in forms}
        found[lang] = {
            "n": len(by_lang[lang]),
            "outlets": len({row["source"] for row in by_lang[lang]}),
            "terms": kept,
            "forms": {key: form for key, form in told.items() if form != key},
        }
    return found


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
                total = terms.get(term)
                terms[term] = list(held) if total is None else [a + b for a, b in zip(total, held, strict=True)]
                form = forms.get(term)
                if form is not None or term in votes:
                    before = votes.setdefault(term, {term: total[0]} if total else {})
                    before[form or term] = before.get(form or term, 0) + held[0]
        told = {term: written(term, said) for term, said in votes.items()}
        found[lang] = {
            "n": sum(part["n"] for part in parts),
            "outlets": sum(part["outlets"] for part in parts),
            "terms": terms,
            "forms": {term: form for term, form in told.items() if form != term},
        }
    return found
