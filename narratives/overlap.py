"""How many words do texts share with each other and with a narrative, weighted by how rare the words are.

Words overlap within a language only, so an article is compared with the profile of its own language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.language import base_language

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from narratives.affinity import Batch

Profile = Mapping[str, Mapping[str, Any]]


def profile_of(batch: Batch, max_terms: int = 400) -> dict[str, dict[str, Any]]:
    """How many texts of each language hold a word, the commonest words only."""
    found: dict[str, dict[str, Any]] = {}
    bases = [base_language(tag) for tag in batch.langs]
    for lang in sorted(set(bases)):
        counts: Counter[str] = Counter()
        own = [set(terms) for base, terms in zip(bases, batch.terms, strict=True) if base == lang]
        for terms in own:
            counts.update(terms)
        kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:max_terms]
        found[lang] = {"n": len(own), "terms": dict(kept)}
    return found


class WordOverlap:
    """TF-IDF cosine between an article's words and a profile of its language.

    Document frequencies come from the texts at hand and all profiles, so that the cost of a week does not grow
    with the archive. Everything is a product of sparse matrices: linear in the words that occur.

    Parameters
    ----------
    batch
        The articles that will be compared.
    profiles
        Of all narratives and seeds.
    """

    def __init__(self, batch: Batch, profiles: Sequence[Profile]) -> None:
        self._at: dict[str, dict[str, int]] = {}  # language -> word -> column
        self._documents: Counter[str] = Counter()
        held: Counter[int] = Counter()
        lang_of: list[str] = []
        for tag, terms in zip(batch.langs, batch.terms, strict=True):
            lang = base_language(tag)
            self._documents[lang] += 1
            held.update(self._columns(lang, set(terms), lang_of))
        for profile in profiles:
            for lang, part in profile.items():
                self._documents[lang] += part["n"]
                for column, count in zip(
                    self._columns(lang, part["terms"], lang_of), part["terms"].values(), strict=True
                ):
                    held[column] += count
        documents = np.array([self._documents[lang] for lang in lang_of], dtype=float)
        self._idf = np.log((1 + documents) / (1 + np.array([held[i] for i in range(len(lang_of))], dtype=float))) + 1

    def _columns(self, lang: str, terms: Any, lang_of: list[str]) -> list[int]:
        at = self._at.setdefault(lang, {})
        columns = []
        for term in terms:
            column = at.get(term)
            if column is None:
                column = at[term] = len(lang_of)
                lang_of.append(lang)
            columns.append(column)
        return columns

    def _matrix(self, entries: Sequence[tuple[str, Mapping[str, float]]]) -> csr_matrix:
        """(n, words) unit TF-IDF rows of word counts, each in one language; unseen words weigh most."""
        from scipy.sparse import csr_matrix

        unseen = len(self._idf)  # words from here on have been seen in no text at hand
        columns: list[int] = []
        counts: list[float] = []
        starts, bonus = [0], list[float]()
        added: dict[tuple[str, str], int] = {}
        for lang, terms in entries:
            at = self._at.get(lang, {})
            for term, count in terms.items():
                column = at.get(term)
                if column is None:
                    column = added.setdefault((lang, term), unseen + len(added))
                    if column - unseen == len(bonus):
                        bonus.append(np.log(1.0 + self._documents[lang]) + 1)
                columns.append(column)
                counts.append(count)
            starts.append(len(columns))
        idf = np.concatenate([self._idf, bonus]) if bonus else self._idf
        data = np.asarray(counts, dtype=float) * idf[columns] if columns else np.zeros(0)
        norms = np.sqrt(np.add.reduceat(np.append(data**2, 0.0), starts[:-1])) if len(starts) > 1 else np.zeros(0)
        sizes = np.diff(starts)
        norms = np.where((sizes > 0) & (norms > 0), norms, 1.0)  # an empty row has no sum of its own
        data = data / np.repeat(norms, sizes)
        return csr_matrix((data, columns, starts), shape=(len(entries), max(len(idf), 1)))

    def rows(self, batch: Batch) -> csr_matrix:
        """(n, words) unit TF-IDF rows of articles; different languages share no column."""
        pairs = zip(batch.langs, batch.terms, strict=True)
        return self._matrix([(base_language(tag), dict.fromkeys(terms, 1.0)) for tag, terms in pairs])

    def sums(self, profiles: Sequence[Profile]) -> csr_matrix:
        """(n_profiles, words) about the sum of the unit TF-IDF rows of each profile's texts.

        The texts of a language are taken to be equally long; their mean square is exact, if the profile holds every
        word.
        """
        from scipy.sparse import csr_matrix

        rows, columns, values = list[int](), list[int](), list[float]()
        for row, profile in enumerate(profiles):
            for lang, part in profile.items():
                at = self._at.get(lang, {})
                held = [(at[term], count) for term, count in part["terms"].items() if term in at]
                square = sum(count * self._idf[column] ** 2 for column, count in held) / max(part["n"], 1e-9)
                rows += [row] * len(held)
                columns += [column for column, _ in held]
                values += [count * self._idf[column] / square**0.5 for column, count in held]
        return csr_matrix((values, (rows, columns)), shape=(len(profiles), max(len(self._idf), 1)))

    def with_profiles(self, batch: Batch, profiles: Sequence[Profile]) -> np.ndarray:
        """(n, n_profiles) cosines between articles and the part of each profile in their language."""
        found = np.zeros((len(batch), len(profiles)))
        if not len(batch) or not profiles:
            return found
        rows = self.rows(batch)
        seen = len(self._idf)
        bases = np.array([base_language(tag) for tag in batch.langs])
        for lang in sorted(set(bases)):
            own = np.flatnonzero(bases == lang)
            having = [j for j, profile in enumerate(profiles) if lang in profile]
            if not having:
                continue
            directions = self._matrix([(lang, profiles[j][lang]["terms"]) for j in having])
            # Words beyond `seen` are numbered anew in each matrix and belong to none of the texts at hand.
            product = rows[own][:, :seen] @ directions[:, :seen].T
            found[np.ix_(own, np.array(having))] = product.toarray()
        return found

    def with_profile(self, batch: Batch, profile: Profile, own: bool = False) -> np.ndarray:
        """(n,) cosines; with `own` the batch's texts are part of the profile and are left out of it one by one."""
        if not own:
            return self.with_profiles(batch, [profile])[:, 0]
        found = np.zeros(len(batch))
        for lang in sorted({base_language(tag) for tag in batch.langs} & set(profile)):
            at, terms = self._at.get(lang, {}), profile[lang]["terms"]
            weight = {term: self._idf[at[term]] for term in terms if term in at}
            whole = sum((terms[term] * w) ** 2 for term, w in weight.items())
            for i in (i for i, tag in enumerate(batch.langs) if base_language(tag) == lang):
                shared = [(terms[term], weight[term]) for term in batch.terms[i] if term in weight]
                lost = sum((2 * count - 1) * w * w for count, w in shared)
                dot = sum((count - 1) * w * w for count, w in shared)
                left = whole - lost
                norm = sum(self._weight(lang, term) ** 2 for term in batch.terms[i]) ** 0.5
                if left > 1e-9 and norm > 0:
                    found[i] = dot / (norm * left**0.5)
        return found

    def vector(self, lang: str, counts: Mapping[str, float]) -> dict[str, float]:
        """Unit TF-IDF vector of word counts, as word -> weight."""
        weights = {term: count * self._weight(lang, term) for term, count in counts.items()}
        norm = sum(w * w for w in weights.values()) ** 0.5
        return {term: w / norm for term, w in weights.items()} if norm else {}

    def _weight(self, lang: str, term: str) -> float:
        column = self._at.get(lang, {}).get(term)
        return float(self._idf[column]) if column is not None else float(np.log(1.0 + self._documents[lang]) + 1)

    def between(self, batch: Batch) -> np.ndarray:
        """(n, n) cosines between articles; zero across languages."""
        matrix = self.rows(batch)
        return np.asarray((matrix @ matrix.T).todense())
