"""The space narratives live in: meaning, less what an article says about its language and about the subject.

Each language's mean is taken off every vector of that language. The means are of the subject's own articles:
over 158 of the sample's articles, means of the first three weeks alone joined two stories that later means keep apart.
They are therefore running means while a language is young, and every centre is taken from its members in the means of
the same week, so that narratives and articles move together. From `FIXED_FROM` stories of a language on its means are
kept for good: no later week and no other language moves a vector. Means that were fixed earlier, week by week from the
first clustering on, cost the sample a death and gave it two splits that never were.

Where a language has bare headlines beside articles with a text, each of the two forms has a mean of its own. Vectors
say of what form a text is, much as they say in what language it is: among English headlines, articles on two matters
had a cosine of .17, reports of one matter in both languages .23; with means by form .06 and .22
(`benchmarks/replay_streams.py`, `mixed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.affinity import unit
from narratives.language import base_language

if TYPE_CHECKING:
    from narratives.archive import Archive
    from narratives.definitions import Definition
    from narratives.material import Material

# A language's shipped mean counts as this many articles, so that the first few cannot cancel themselves out.
PRIOR_ARTICLES = 10.0
# From so many stories of a language on its mean is kept for good.
FIXED_FROM = 1_000
# Stories of one form at which half of what sets it apart from its language is believed: of a few articles that may be
# their matter. Between 10 and 200 the cosines above are the same to .03.
_FORM_PRIOR = 50.0


def form_tag(row: Mapping[str, Any]) -> str:
    """Language and form of a row of the article table: what `Space` knows means of.

    >>> form_tag({"lang": "zh-Hant", "text": ""}), form_tag({"lang": "en", "text": "Said so."})
    ('zh-Hant/title', 'en/text')
    """
    return f"{row['lang']}/{'text' if str(row['text'] or '').strip() else 'title'}"


def _key(tag: str) -> tuple[str, str]:
    """The language and the form (\"\" where it is not said) of a tag."""
    lang, _, form = tag.partition("/")
    return base_language(lang), form


class Space:
    """Running means a language and form, and vectors with them removed.

    Texts are told apart by tags: a language (`zh-Hant`), with its form where that is known (`en/title`, `form_tag`).

    Parameters
    ----------
    prior
        Language -> (d,) mean of general texts, for languages with few articles; `""` serves all others.
    sums
        Language, or language and form -> (n, (d,) sum of raw vectors), as `to_json` wrote it.
    fixed
        Language, or language and form -> (d,) mean that is kept for good.
    """

    def __init__(
        self,
        prior: Mapping[str, np.ndarray],
        sums: Mapping[str, tuple[int, np.ndarray]] | None = None,
        fixed: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._prior = dict(prior)
        self._fixed = dict(fixed or {})
        self._sums = {lang: (int(n), np.asarray(total, float)) for lang, (n, total) in (sums or {}).items()}

    @classmethod
    def from_json(cls, prior: Mapping[str, np.ndarray], raw: Mapping[str, Any] | None) -> Space:
        return cls(prior, {lang: (part["n"], np.array(part["sum"])) for lang, part in (raw or {}).items()})

    @classmethod
    def load(cls, archive: Archive, prior: Mapping[str, np.ndarray]) -> Space:
        """Means as the latest step left them."""
        from narratives.archive import schema

        rows = archive.rows(schema.space_version)
        fixed = {row["lang"]: np.frombuffer(row["mean"], dtype="<f8").astype(float) for row in rows}
        raw = archive.get_meta("space") or {}
        return cls(prior, {lang: (part["n"], np.array(part["sum"])) for lang, part in raw.items()}, fixed)

    def to_json(self) -> dict[str, Any]:
        """JSON-able state; sums are rounded to nine decimals."""
        return {
            lang: {"n": n, "sum": [round(float(x), 9) for x in total]}
            for lang, (n, total) in sorted(self._sums.items())
        }

    def learn(self, vectors: np.ndarray, langs: Sequence[str]) -> None:
        """Count (n, d) raw vectors into the means of their languages and forms."""
        for vector, tag in zip(vectors, langs, strict=True):
            lang, form = _key(tag)
            for key in (lang, f"{lang}/{form}") if form else (lang,):
                n, total = self._sums.get(key, (0, np.zeros(vectors.shape[1])))
                self._sums[key] = (n + 1, total + vector)

    def fix(self, languages: Sequence[str], week: date) -> list[dict[str, Any]]:
        """Keep the means of some languages as they are now, for good; those kept already stay.

        A form that a language gets later has the language's mean.

        Returns
        -------
        Rows for the table `space_version`.
        """
        rows = []
        new = set(languages) - set(self._fixed)
        means = {key: self.mean(key) for key in sorted(self._sums) if _key(key)[0] in new}
        for key, mean in means.items():
            raw = np.asarray(mean, dtype="<f8").tobytes()
            rows.append({"week": week, "lang": key, "n": self._sums[key][0], "mean": raw})
        self._fixed |= means
        return rows

    def adopt(self, other: Space) -> None:
        """Keep what another space keeps."""
        self._fixed |= other._fixed

    def moving(self) -> set[str]:
        """Languages whose means still follow their articles."""
        return set(self.counts()) - set(self._fixed)

    def holds(self, langs: Iterable[str]) -> bool:
        """The means of all these languages are fixed."""
        return {_key(tag)[0] for tag in langs} <= set(self._fixed)

    def mean(self, tag: str) -> np.ndarray:
        """(d,) mean of a language: its articles, with the prior counted as ten of them; and of a form, shrunk to it."""
        lang, form = _key(tag)
        if lang in self._fixed:
            return self._fixed.get(f"{lang}/{form}", self._fixed[lang])
        prior = self._prior.get(lang, self._prior[""])
        n, total = self._sums.get(lang, (0, np.zeros_like(prior)))
        # An encoder without shipped means has a prior of zeros, which must not count as articles.
        weight = PRIOR_ARTICLES if prior.any() or not n else 0.0
        mean: np.ndarray = (total + weight * prior) / (n + weight)
        return mean + self._apart(lang, form) if form else mean

    def _apart(self, lang: str, form: str) -> np.ndarray:
        """(d,) what sets a form apart from all texts of known form of a language; zero where there is but one."""
        forms = [part for key, part in sorted(self._sums.items()) if key.startswith(f"{lang}/")]
        n, total = self._sums.get(f"{lang}/{form}", (0, np.zeros_like(self._prior[""])))
        if not n or len(forms) < 2:
            return np.zeros_like(total)
        everything = np.sum([total for _, total in forms], axis=0) / sum(n for n, _ in forms)
        apart: np.ndarray = (total / n - everything) * n / (n + _FORM_PRIOR)
        return apart

    def project(self, vectors: np.ndarray, langs: Sequence[str]) -> np.ndarray:
        """(n, d) raw vectors -> unit vectors without language and subject mean."""
        if not len(vectors):
            return np.zeros((0, len(self._prior[""])), dtype=np.float32)
        means = {tag: self.mean(tag) for tag in set(langs)}
        return unit(vectors - np.stack([means[tag] for tag in langs]))

    def counts(self) -> dict[str, int]:
        """Texts by language, of every form."""
        return {lang: n for lang, (n, _) in sorted(self._sums.items()) if "/" not in lang}


def headline_space(vectors: np.ndarray, langs: Sequence[str], prior: Mapping[str, np.ndarray]) -> np.ndarray:
    """Project statements that read like headlines by means of their own.

    Headlines lie elsewhere than articles; taken off by the articles' means they would share that difference
    (AUC of seeds against the sample's articles .76 without, .89 with passages beside them).
    """
    own = Space(prior)
    own.learn(vectors, langs)
    return own.project(vectors, langs)


def current_space(archive: Archive, definitions: Sequence[Definition], material: Material) -> Space:
    """The space of the latest week processed, as its step had it.

    Raises
    ------
    ValueError
        No week was processed yet.
    """
    from narratives.known import seed_texts

    if archive.get_meta("space") is None:
        raise ValueError("nothing was processed yet; `narratives update` does it")
    space = Space.load(archive, material.prior_means)
    said = seed_texts(definitions, material)
    passages = said.rows("passage")
    space.learn(said.vectors[passages], [said.langs[i] for i in passages])
    return space
