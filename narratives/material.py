"""Articles as the tracker works on them: raw vectors from the cache, words, languages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from narratives.affinity import Batch
from narratives.describe import content_words
from narratives.settings import Settings
from narratives.space import Space, form_tag

if TYPE_CHECKING:
    from embeddings import Encoder, VectorCache

Progress = Callable[[str, int, int], None]
Row = Mapping[str, Any]

_MOST_WORDS = 300_000  # texts whose words are kept: a review reads 300 members of every narrative


class Words(Sequence[str]):
    """The distinct content words of a text, cut when somebody asks: most members of a narrative are asked for their
    vectors only."""

    __slots__ = ("_key", "_material", "_text")

    def __init__(self, material: Material, key: str, text: str) -> None:
        self._material, self._key, self._text = material, key, text

    def _cut(self) -> tuple[str, ...]:
        return self._material.words(self._key, self._text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cut())

    def __len__(self) -> int:
        return len(self._cut())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._cut()[index]


class Material:
    """Encoder, vector cache and word lists of one desk; nothing is encoded or cut into words twice.

    Parameters
    ----------
    folder
        Of the vector cache.
    settings
        `settings.encode` names the model.
    encoder
        In place of the one that the settings name (tests, notebooks).
    """

    def __init__(self, folder: Path, settings: Settings, encoder: Encoder | None = None) -> None:
        self._folder = folder
        self._settings = settings
        self._encoder = encoder
        self._words: dict[str, tuple[str, ...]] = {}

    @cached_property
    def encoder(self) -> Encoder:
        if self._encoder is not None:
            return self._encoder
        from embeddings import load_encoder

        wanted = self._settings.encode
        return load_encoder(wanted.model, wanted.device, wanted.backend)

    @cached_property
    def cache(self) -> VectorCache:
        from embeddings import VectorCache

        return VectorCache(self._folder)

    @cached_property
    def prior_means(self) -> dict[str, np.ndarray]:
        """Language -> (d,) mean of general texts in this encoder's space; `""` for any other language."""
        from embeddings import LanguageRemoval

        means = LanguageRemoval.shipped(self.encoder.fingerprint).means or {}
        found = {lang: np.asarray(mean, dtype=float) for lang, mean in means.items()}
        found[""] = np.mean(list(found.values()), axis=0) if found else np.zeros(self.encoder.dimension)
        return found

    def encode(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """(n, d) raw vectors of texts in the model's input form."""
        if not texts:
            return np.zeros((0, self.encoder.dimension), dtype=np.float32)
        return self.cache.encode(self.encoder, list(texts), progress=progress)

    def article_vectors(self, rows: Sequence[Row], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """(n, d) raw vectors of articles (`title`, `text`)."""
        from embeddings import model_input

        return self.encode([model_input(row["title"], row["text"]) for row in rows], progress)

    def words(self, key: str, text: str) -> tuple[str, ...]:
        """Distinct content words of a text, in order of appearance; `key` identifies the text."""
        if key not in self._words:
            if len(self._words) > _MOST_WORDS:
                self._words.clear()
            # Most words are those of other texts as well: one object each, or the memo would be ten times as large.
            self._words[key] = tuple(map(sys.intern, dict.fromkeys(content_words(text))))
        return self._words[key]

    def batch(self, rows: Sequence[Row], space: Space) -> Batch:
        """Rows of the archive's article table as a batch in the space of this week."""
        langs = tuple(str(row["lang"]) for row in rows)
        texts = [f"{row['title']}\n{row['text']}" for row in rows]
        return Batch(
            ids=tuple(str(row["id"]) for row in rows),
            vectors=space.project(self.article_vectors(rows), [form_tag(row) for row in rows]),
            langs=langs,
            terms=tuple(Words(self, str(row["content_hash"]), t) for row, t in zip(rows, texts, strict=True)),
            texts=tuple(text.lower() for text in texts),
        )
