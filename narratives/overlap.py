"""How many words do texts share with each other and with a narrative, weighted by how rare the words are.

Words overlap within a language only, so an article is compared with the profile of its own language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


def profile_of_each(batch: Batch) -> list[Profile]:
    """Articles as profiles of one text, for the overlap of another batch with each of them."""
    return [
        {base_language(tag): {"n": 1, "terms": dict.fromkeys(terms, 1)}}
        for tag, terms in zip(batch.langs, batch.terms, strict=True)
    ]


class Profiles:
    """Profiles with their words counted once, for as many `WordOverlap`s as are compared with them.

    A week compares each of its newborn with every living narrative, hundreds of them with hundreds of words each:
    counted anew each time that was a third of an update.

    Parameters
    ----------
    profiles
        Of narratives and seeds; they must not change afterwards.
    """

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = list(profiles)
        self._row = {id(profile): row for row, profile in enumerate(self._profiles)}
        self.at: dict[str, dict[str, int]] = {}  # language -> word -> column
        self.documents: Counter[str] = Counter()  # language -> number of texts
        self._parts: list[dict[str, tuple[np.ndarray, np.ndarray]]] = []  # language -> columns and counts
        held: Counter[int] = Counter()
        lang_of: list[str] = []
        for profile in self._profiles:
            parts = {}
            for lang, part in profile.items():
                self.documents[lang] += part["n"]
                columns = columns_of(part["terms"], lang, self.at, lang_of)
                for column, count in zip(columns, part["terms"].values(), strict=True):
                    held[column] += count
                parts[lang] = np.array(columns, dtype=int), np.array(list(part["terms"].values()), dtype=float)
            self._parts.append(parts)
        self.held = np.array([held[i] for i in range(len(lang_of))], dtype=float)  # texts of each column's word
        names = {lang: code for code, lang in enumerate(self.at)}
        self._lang_of = np.array([names[lang] for lang in lang_of], dtype=int)

    def documents_of(self, documents: Mapping[str, float]) -> np.ndarray:
        """(words,) number of texts in each word's language."""
        return np.array([documents[lang] for lang in self.at], dtype=float)[self._lang_of]

    def rows(self, profiles: Sequence[Profile]) -> list[int] | None:
        """Where these very profiles stand among those counted; None if one of them does not."""
        found = [self._row.get(id(profile), -1) for profile in profiles]
        return None if -1 in found else found

    def directions(self, rows: Sequence[int], lang: str, idf: np.ndarray, wanted: np.ndarray) -> csr_matrix:
        """(n_rows, words) unit TF-IDF rows of profiles that have the language, in the (words,) `wanted` columns only.

        What a text does not hold adds nothing to its cosine, so only the length of a row asks for all of its words.
        """
        from scipy.sparse import csr_matrix

        parts = [self._parts[row][lang] for row in rows]
        columns = np.concatenate([columns for columns, _ in parts])
        data = np.concatenate([counts for _, counts in parts]) * idf[columns]
        sizes = np.array([len(columns) for columns, _ in parts])
        data = _unit_rows(data, sizes)
        kept = wanted[columns]
        row_of = np.repeat(np.arange(len(rows)), sizes)[kept]
        starts = np.concatenate([[0], np.cumsum(np.bincount(row_of, minlength=len(rows)))])
        return csr_matrix((data[kept], columns[kept], starts), shape=(len(rows), len(idf)))


def columns_of(
    terms: Iterable[str], lang: str, at: dict[str, dict[str, int]], lang_of: list[str], n_before: int = 0
) -> list[int]:
    """Columns of a language's words; those seen for the first time get the next ones after `n_before`."""
    own = at.setdefault(lang, {})
    columns = []
    for term in terms:
        column = own.get(term)
        if column is None:
            column = own[term] = n_before + len(lang_of)
            lang_of.append(lang)
        columns.append(column)
    return columns


def _unit_rows(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Values of a sparse matrix, `sizes` of them a row, with rows scaled to length one."""
    starts = np.cumsum(sizes) - sizes
    norms = np.sqrt(np.add.reduceat(np.append(data**2, 0.0), starts)) if len(starts) else np.zeros(0)
    norms = np.where((sizes > 0) & (norms > 0), norms, 1.0)  # an empty row has no sum of its own
    return np.asarray(data / np.repeat(norms, sizes))


class WordOverlap:
    """TF-IDF cosine between an article's words and a profile of its language.

    Document frequencies come from the texts at hand and all profiles, so that the cost of a week does not grow
    with the archive. Everything is a product of sparse matrices: linear in the words that occur.

    Parameters
    ----------
    batch
        The articles that will be compared.
    profiles
        Of all narratives and seeds; as `Profiles` where several batches are compared with the same ones.
    """

    def __init__(self, batch: Batch, profiles: Sequence[Profile] | Profiles) -> None:
        self._counted = counted = profiles if isinstance(profiles, Profiles) else Profiles(profiles)
        self._at = {lang: dict(at) for lang, at in counted.at.items()}  # language -> word -> column
        self._documents = Counter(counted.documents)
        n_counted, new = len(counted.held), list[str]()
        held: Counter[int] = Counter()
        for tag, terms in zip(batch.langs, batch.terms, strict=True):
            lang = base_language(tag)
            self._documents[lang] += 1
            held.update(columns_of(set(terms), lang, self._at, new, n_counted))
        texts = np.concatenate([counted.held, np.zeros(len(new))])
        texts[np.array(list(held), dtype=int)] += list(held.values())
        documents = np.empty(len(texts))
        documents[:n_counted] = counted.documents_of(self._documents)
        documents[n_counted:] = [self._documents[lang] for lang in new]
        self._idf = np.log((1 + documents) / (1 + texts)) + 1

    def _matrix(self, entries: Sequence[tuple[str, Mapping[str, float]]]) -> csr_matrix:
        """(n, words) unit TF-IDF rows of word counts, each in one language; unseen words weigh most."""
        from scipy.sparse import csr_matrix

        unseen = len(self._idf)  # words from here on have been seen in no text at hand
        columns: list[int | None] = []  # none is None in the end
        counts: list[float] = []
        starts, bonus = [0], list[float]()
        added: dict[tuple[str, str], int] = {}
        for lang, terms in entries:
            at = self._at.get(lang, {})
            found = list(map(at.get, terms))
            for i, term in enumerate(terms) if None in found else ():
                if found[i] is None:
                    found[i] = column = added.setdefault((lang, term), unseen + len(added))
                    if column - unseen == len(bonus):
                        bonus.append(np.log(1.0 + self._documents[lang]) + 1)
            columns += found
            counts += terms.values()
            starts.append(len(columns))
        idf = np.concatenate([self._idf, bonus]) if bonus else self._idf
        at_columns = np.array(columns, dtype=int)
        data = _unit_rows(np.asarray(counts, dtype=float) * idf[at_columns], np.diff(starts))
        return csr_matrix((data, at_columns, starts), shape=(len(entries), max(len(idf), 1)))

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
        seen, counted = len(self._idf), self._counted.rows(profiles)
        bases = np.array([base_language(tag) for tag in batch.langs])
        for lang in sorted(set(bases)):
            own = np.flatnonzero(bases == lang)
            having = [j for j, profile in enumerate(profiles) if lang in profile]
            if not having:
                continue
            mine = rows[own][:, :seen]
            if counted is not None:
                wanted = np.zeros(seen, dtype=bool)
                wanted[mine.indices] = True
                directions = self._counted.directions([counted[j] for j in having], lang, self._idf, wanted)
            else:
                directions = self._matrix([(lang, profiles[j][lang]["terms"]) for j in having])
            # Words beyond `seen` are numbered anew in each matrix and belong to none of the texts at hand.
            product = mine @ directions[:, :seen].T
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
