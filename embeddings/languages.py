"""Removes what a vector says about its language, so that Chinese and English articles on one matter meet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from embeddings.vector_file import write_whole

SHIPPED_FOLDER = Path(__file__).parent / "models"
SHIPPED_FILES = {
    "default": SHIPPED_FOLDER / "languages.json",
    "fast": SHIPPED_FOLDER / "languages-fast.json",
    "hybrid": SHIPPED_FOLDER / "languages-hybrid.json",
}
_FORMAT = 1


class LanguageRemoval:
    """Erases a language subspace, subtracts each language's mean, scales to length one.

    Without it nine in ten neighbours of a multilingual vector are in its own language. The subspace and
    first means are shipped, estimated on parallel sentences (`embeddings/estimate_languages.py`), so that a
    handful of articles works. What a desk's N articles are off them on average moves all the shipped means,
    with weight N / (N + `shrinkage`); from `min_articles` on, a language's own mean counts too, with weight
    n / (n + `shrinkage`). Follows scikit-learn's conventions. Vectors of two fits must not be compared:
    whoever keeps vectors keeps the fitted object beside them (`to_dict`) and fits no second time; a language
    that comes later is added by `extend`.

    Parameters
    ----------
    subspace
        (k, d) directions to erase, orthonormal; None for none.
    means
        Language to (d,) mean of texts of every kind, before erasing.
    min_articles
        Articles that a language needs before its own mean is used.
    shrinkage
        Articles that the shipped mean is worth.

    Attributes
    ----------
    means_
        Language to (d,) mean that `transform` subtracts, after erasing.
    counts_
        Language to the number of articles that `fit` saw.
    shift_, pooled_
        (d,) what moved the shipped means; what is subtracted from a language without a mean.

    Example
    -------
    >>> vectors = np.array([[1.0, 0.1, 0], [1, -0.1, 0], [-1, 0.1, 0], [-1, -0.1, 0]])
    >>> removal = LanguageRemoval(min_articles=2, shrinkage=0).fit(vectors, ["zh", "zh", "en", "en"])
    >>> removal.transform(vectors, ["zh-Hant", "zh", "en", "en"]).round(2).tolist()
    [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]
    """

    def __init__(
        self,
        subspace: np.ndarray | None = None,
        means: dict[str, np.ndarray] | None = None,
        min_articles: int = 30,
        shrinkage: float = 20.0,
    ) -> None:
        self.subspace = subspace
        self.means = means
        self.min_articles = min_articles
        self.shrinkage = shrinkage

    @classmethod
    def shipped(cls, fingerprint: str, min_articles: int = 30, shrinkage: float = 20.0) -> Self:
        """The removal to start from for an encoder, fitted on no article yet.

        Subspaces and means are shipped for `default`, `fast` and `hybrid`; another model starts with none: its
        vectors keep their language until `min_articles` of each language were fitted.
        """
        for content in map(_shipped_content, SHIPPED_FILES.values()):
            if fingerprint.split("|")[:2] == content["fingerprint"].split("|")[:2]:
                means = {lang: np.array(mean) for lang, mean in content["means"].items()}
                removal = cls(np.array(content["subspace"]), means, min_articles, shrinkage)
                return removal.fit(np.zeros((0, len(content["subspace"][0]))), [])
        return cls(None, None, min_articles, shrinkage).fit(np.zeros((0, 0)), [])

    def fit(self, vectors: np.ndarray, langs: Sequence[str]) -> Self:
        """Estimate the means.

        Parameters
        ----------
        vectors
            (n, d) as the encoder gives them; n may be 0 if means or a subspace were given.
        langs
            n language tags; variants count as their language (`zh-Hant` as `zh`).

        Raises
        ------
        ValueError
            Numbers of vectors and languages differ, a vector is not finite, or d is not that of the means.
        """
        values, tags = self._checked(vectors, langs)
        base = {lang: self._erase(np.asarray(mean, float)) for lang, mean in (self.means or {}).items()}
        self.n_features_in_ = values.shape[1]
        self.counts_ = {lang: int((tags == lang).sum()) for lang in sorted(set(tags))}
        values = self._erase(values)
        # What all articles share, whatever their language, moves the means of the rare languages too.
        offsets = [row - base[lang] for row, lang in zip(values, tags, strict=True) if lang in base]
        shift = np.sum([np.zeros(values.shape[1]), *offsets], axis=0) / max(len(offsets) + self.shrinkage, 1)
        self.shift_ = shift
        self.means_ = {lang: mean + shift for lang, mean in base.items()}
        self._learn(values, tags)
        self.pooled_ = self._pooled()
        return self

    def extend(self, vectors: np.ndarray, langs: Sequence[str]) -> Self:
        """Learn the means of languages of which `fit` saw no article; all others stay, so that no old vector moves.

        Parameters
        ----------
        vectors, langs
            As for `fit`; articles of languages that were fitted are passed over, and so are languages with fewer
            than `min_articles`.
        """
        self._check_fitted()
        values, tags = self._checked(vectors, langs)
        names, sizes = np.unique(tags.astype(str), return_counts=True)
        enough = [str(name) for name, n in zip(names, sizes, strict=True) if n >= self.min_articles]
        is_new = np.isin(tags.astype(str), [name for name in enough if not self.counts_.get(name)])
        self.n_features_in_ = values.shape[1]
        self._learn(self._erase(values[is_new]), tags[is_new])
        self.counts_ |= {name: int((tags[is_new] == name).sum()) for name in sorted(set(tags[is_new]))}
        return self

    def _pooled(self) -> np.ndarray:
        known = list(self.means_.values())
        return np.asarray(np.mean(known, axis=0) if known else np.zeros(self.n_features_in_))

    def _learn(self, values: np.ndarray, tags: np.ndarray) -> None:
        """Move the means of languages with articles enough to those of their (n, d) erased vectors."""
        for lang in sorted(set(tags)):
            own = values[tags == lang]
            if (n := len(own)) >= self.min_articles:
                weight = n / (n + self.shrinkage) if lang in (self.means or {}) else 1.0
                mean = own.mean(axis=0)
                self.means_[lang] = weight * mean + (1 - weight) * self.means_.get(lang, mean)

    def transform(self, vectors: np.ndarray, langs: Sequence[str]) -> np.ndarray:
        """(n, d) float32 vectors of length one without their language.

        From a language that has no mean the average of those that `fit` knew is subtracted.
        """
        self._check_fitted()
        values, tags = self._checked(vectors, langs)
        values = self._erase(values)
        for lang in set(tags):
            values[tags == lang] -= self.means_.get(lang, self.pooled_ if self.pooled_.size else 0.0)
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        return (values / np.maximum(lengths, 1e-12)).astype(np.float32)

    def fit_transform(self, vectors: np.ndarray, langs: Sequence[str]) -> np.ndarray:
        """`fit`, then `transform`, on the same vectors."""
        return self.fit(vectors, langs).transform(vectors, langs)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, as scikit-learn's `clone` asks for them."""
        return {name: getattr(self, name) for name in ("subspace", "means", "min_articles", "shrinkage")}

    def set_params(self, **params: Any) -> Self:
        """Change the constructor's arguments."""
        if unknown := params.keys() - self.get_params().keys():
            raise ValueError(f"unknown parameters {sorted(unknown)}; there are {sorted(self.get_params())}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; `from_dict` gives back an equal object."""
        self._check_fitted()
        return {
            "format": _FORMAT,
            "subspace": None if self.subspace is None else np.asarray(self.subspace).tolist(),
            "means": {lang: np.asarray(mean).tolist() for lang, mean in (self.means or {}).items()},
            "min_articles": self.min_articles,
            "shrinkage": self.shrinkage,
            "n_features": self.n_features_in_,
            "counts": self.counts_,
            "shift": self.shift_.tolist(),
            "fitted_means": {lang: mean.tolist() for lang, mean in self.means_.items()},
            "pooled": self.pooled_.tolist(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The object that `to_dict` described.

        Raises
        ------
        ValueError
            The description is of another format.
        """
        if content.get("format") != _FORMAT:
            raise ValueError(f"language removal of format {content.get('format')!r}, needed {_FORMAT}")
        removal = cls(
            None if content["subspace"] is None else np.array(content["subspace"]),
            {lang: np.array(mean) for lang, mean in content["means"].items()} or None,
            content["min_articles"],
            content["shrinkage"],
        )
        removal.n_features_in_ = content["n_features"]
        removal.counts_ = dict(content["counts"])
        removal.shift_ = np.array(content["shift"])
        removal.means_ = {lang: np.array(mean) for lang, mean in content["fitted_means"].items()}
        removal.pooled_ = np.array(content["pooled"]) if "pooled" in content else removal._pooled()
        return removal

    def save(self, path: Path) -> None:
        """Write `to_dict` as JSON."""
        write_whole(path, json.dumps(self.to_dict()))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))

    def _check_fitted(self) -> None:
        if not hasattr(self, "means_"):
            raise ValueError("this LanguageRemoval is not fitted: call fit or shipped first")

    def _erase(self, values: np.ndarray) -> np.ndarray:
        if self.subspace is None:
            return values
        basis = np.asarray(self.subspace, float)
        return values - (values @ basis.T) @ basis

    def _checked(self, vectors: np.ndarray, langs: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        values = np.array(vectors, float)
        if values.ndim != 2 or len(values) != len(langs):
            raise ValueError(f"vectors of shape {values.shape} and {len(langs)} languages; needed (n, d) and n")
        if not np.isfinite(values).all():
            raise ValueError("a vector has numbers that are not finite")
        given = [self.subspace.shape[1]] if self.subspace is not None else []
        given += [len(mean) for mean in (self.means or {}).values()] + [getattr(self, "n_features_in_", 0)]
        needed = next((d for d in given if d), 0)
        if needed and values.shape[1] != needed:
            raise ValueError(f"vectors have {values.shape[1]} numbers, this removal needs {needed}")
        return values, np.array([primary_language(lang) for lang in langs], dtype=object)


def primary_language(tag: str) -> str:
    """The language of a tag without script and region, lower case.

    >>> primary_language("zh-Hant"), primary_language("EN_us"), primary_language("")
    ('zh', 'en', '')
    """
    return tag.replace("_", "-").partition("-")[0].lower()


def same_language_share(vectors: np.ndarray, langs: Sequence[str], k: int = 10, seed: int = 0) -> float:
    """How many of the k nearest neighbours are in a text's own language; a health figure.

    Counted in a pool in which all languages have as many texts, so that no trace of language gives about one
    over the number of languages.

    Parameters
    ----------
    vectors
        (n, d) of length one.
    langs
        n language tags.
    k
        Neighbours looked at.
    seed
        Of the draw that balances the pool.

    Returns
    -------
    float
        0 to 1; NaN with fewer than two languages of at least two texts.
    """
    tags = np.array([primary_language(lang) for lang in langs], dtype=object)
    names, counts = np.unique(tags.astype(str), return_counts=True)
    names, counts = names[counts > 1], counts[counts > 1]
    if len(names) < 2:
        return float("nan")
    rng = np.random.default_rng(seed)
    size = min(int(counts.min()), 2_000)
    pool = np.concatenate([rng.choice(np.flatnonzero(tags == name), size, replace=False) for name in names])
    cosines = vectors[pool] @ vectors[pool].T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, len(pool) - 1)]
    return float((tags[pool][nearest] == tags[pool][:, None]).mean())


@lru_cache
def _shipped_content(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
