"""The space narratives live in: meaning, less what an article says about its language and about the subject.

Each language's mean is taken off every vector of that language. The means are of the subject's own articles, and run
on while a language is young: over 158 of the sample's articles, means of the first three weeks alone joined two stories
that later means keep apart. Each week's means are a version of their own, and an article keeps those of the week that
took it in: from the first clustering on no later week and no other language moves its vector. From `FIXED_FROM` stories
of a language, or of a form, on its last version is kept for good.

On the sample's 237 stories this places .861 of the named ones right and .026 of the others wrongly under a name; means
that moved old vectors too, .852 and .017; births, split and death are the same. What an earlier version leaves in
raises the kinship of a part to its narrative and of strangers alike, .17 to .21 and .14 to .17 (`births._KINSHIP`).
With OpenVINO, whose vectors differ in the fifth digit, it is .820 and .026, and with moving means .836 and .026.

Where a language has bare headlines beside articles with a text, each of the two forms has a mean of its own. Vectors
say of what form a text is, much as they say in what language it is: among English headlines, articles on two matters
had a cosine of .17, reports of one matter in both languages .23; with means by form .06 and .22
(`benchmarks/replay_streams.py`, `mixed`). A form that comes late has a mean of its own too: headlines of two events on
a wire of articles alone were one narrative while they had that of the articles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.affinity import unit
from narratives.language import base_language

if TYPE_CHECKING:
    from embeddings import Encoder
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
    """Language and form of a row of the article table, and the week that took it in: what `Space` knows means of.

    >>> form_tag({"lang": "zh-Hant", "text": ""})
    'zh-Hant/title'
    >>> form_tag({"lang": "en", "text": "Said so.", "step_week": date(2025, 9, 1)})
    'en/text@2025-09-01'
    """
    form, week = "text" if str(row["text"] or "").strip() else "title", row.get("step_week")
    return f"{row['lang']}/{form}" + (f"@{week}" if week else "")


def _parts(tag: str) -> tuple[str, str, date | None]:
    """The language, the form (\"\" where it is not said) and the week (None where it is not) of a tag."""
    said, _, week = tag.partition("@")
    lang, _, form = said.partition("/")
    return base_language(lang), form, date.fromisoformat(week) if week else None


class Space:
    """Running means a language and form, their versions by week, and vectors with them removed.

    Texts are told apart by tags: a language (`zh-Hant`), with its form where that is known (`en/title`), and the week
    whose means are meant (`en/title@2025-09-01`, `form_tag`); without one those of today.

    Parameters
    ----------
    prior
        Language -> (d,) mean of general texts, for languages with few articles; `""` serves all others.
    sums
        Language, or language and form -> (n, (d,) sum of raw vectors), as `to_json` wrote it.
    versions
        Rows of `space_version`: week, language or language and form, number of texts, mean.
    today
        The week whose version serves texts without a week; None: the running means.
    """

    def __init__(
        self,
        prior: Mapping[str, np.ndarray],
        sums: Mapping[str, tuple[int, np.ndarray]] | None = None,
        versions: Iterable[Mapping[str, Any]] = (),
        today: date | None = None,
    ) -> None:
        self._prior = dict(prior)
        self._sums = {lang: (int(n), np.asarray(total, float)) for lang, (n, total) in (sums or {}).items()}
        self._versions: dict[str, list[tuple[date, int, np.ndarray]]] = {}  # in order of time
        for row in sorted(versions, key=lambda row: row["week"]):
            mean = np.frombuffer(row["mean"], dtype="<f8").astype(float)
            self._versions.setdefault(row["lang"], []).append((row["week"], row["n"], mean))
        self._today = today

    @classmethod
    def from_json(cls, prior: Mapping[str, np.ndarray], raw: Mapping[str, Any] | None) -> Space:
        return cls(prior, {lang: (part["n"], np.array(part["sum"])) for lang, part in (raw or {}).items()})

    @classmethod
    def load(cls, archive: Archive, prior: Mapping[str, np.ndarray], today: date | None = None) -> Space:
        """Means as the latest step left them."""
        from narratives.archive import schema

        raw = archive.get_meta("space") or {}
        sums = {lang: (part["n"], np.array(part["sum"])) for lang, part in raw.items()}
        return cls(prior, sums, archive.rows(schema.space_version), today)

    def to_json(self) -> dict[str, Any]:
        """JSON-able state; sums are rounded to nine decimals."""
        return {
            lang: {"n": n, "sum": [round(float(x), 9) for x in total]}
            for lang, (n, total) in sorted(self._sums.items())
        }

    def learn(self, vectors: np.ndarray, langs: Sequence[str]) -> None:
        """Count (n, d) raw vectors into the means of their languages and forms."""
        for vector, tag in zip(vectors, langs, strict=True):
            lang, form, _ = _parts(tag)
            for key in (lang, f"{lang}/{form}") if form else (lang,):
                n, total = self._sums.get(key, (0, np.zeros(vectors.shape[1])))
                self._sums[key] = (n + 1, total + vector)

    def keep(self, week: date) -> list[dict[str, Any]]:
        """Make the means as they are now the version of a week, and of today; a version that is there stays.

        Returns
        -------
        New rows for the table `space_version`.
        """
        keys = [
            key
            for key in sorted(self._sums)
            if not self._closed(key) and all(at != week for at, _, _ in self._versions.get(key, []))
        ]
        rows = []
        for key in keys:
            n, mean = self._sums[key][0], self._running(key)
            self._versions.setdefault(key, []).append((week, n, mean))
            rows.append({"week": week, "lang": key, "n": n, "mean": np.asarray(mean, dtype="<f8").tobytes()})
        self._today = week
        return rows

    def _closed(self, key: str) -> bool:
        """The latest version of a language, or of a form, is kept for good: each when it has texts enough itself."""
        return key in self._versions and self._versions[key][-1][1] >= FIXED_FROM

    def mean(self, tag: str) -> np.ndarray:
        """(d,) mean of a language, or of one of its forms: the version of the tag's week, or of today's.

        That is the latest one until then; an article that was there before the first version has the first. In an
        archive that a program of before has written a form may have none in its week: then its language's counts.
        """
        lang, form, week = _parts(tag)
        week = week or self._today
        key = f"{lang}/{form}" if form else lang
        own, of_lang = self._versions.get(key, []), self._versions.get(lang, [])
        versions = own or (of_lang if self._closed(lang) else [])
        if not versions or (week is None and not self._closed(key)):
            return self._running(key)
        for known in (own, of_lang):
            until = [mean for at, _, mean in known if week is None or at <= week]
            if until:
                return until[-1]
        return versions[0][2]

    def _running(self, key: str) -> np.ndarray:
        """(d,) mean of a language's articles, with the prior counted as ten of them; and of a form, shrunk to it."""
        lang, form, _ = _parts(key)
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


def same_model(archive: Archive, encoder: Encoder) -> None:
    """Refuse to compare vectors of two models.

    Raises
    ------
    ValueError
        The history was encoded with another model than this one.
    """
    before = archive.get_meta("encoder")
    if before not in (None, encoder.fingerprint):
        told, asked = (name.partition("|")[0] for name in (str(before), encoder.fingerprint))
        raise ValueError(
            f"the history was encoded with {told}, and the model of narratives.toml is {asked} now: the next "
            "`narratives update` that finds new articles encodes the history again and says first what that costs; "
            "until then take the setting back"
        )


def current_space(archive: Archive, definitions: Sequence[Definition], material: Material) -> Space:
    """The space of the latest week processed, as its step had it.

    Raises
    ------
    ValueError
        No week was processed yet, or with another model.
    """
    from narratives.known import seed_texts

    if archive.get_meta("space") is None:
        raise ValueError("nothing was processed yet; `narratives update` does it")
    same_model(archive, material.encoder)
    space = Space.load(archive, material.prior_means, archive.last_step())
    said = seed_texts(definitions, material)
    passages = said.rows("passage")
    space.learn(said.vectors[passages], [said.langs[i] for i in passages])
    return space
