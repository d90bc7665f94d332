"""Real texts for `benchmarks.update`: two weeks of them, stories for births, and how later weeks repeat them.

Base: 3,000 English headlines and 2,000 Chinese articles on events, 2,500 Chinese headlines and 2,500 Reuters items,
titles and the first characters of the body, each once in the first two weeks. Sixty more English stories are kept for
births.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from embeddings import model_input

FILES = ("stories_en_headlines.jsonl", "stories_zh_events.jsonl", "topics_zh_titles.jsonl", "stream_en_1987.jsonl")
_TAKEN = (3_000, 2_000, 2_500, 2_500)
_BODY = {"zh": 60, "en": 200}  # characters
_BIRTHS = 60
_BIRTH_TEXTS = 10  # a story kept for a birth has so many

_NOISE, _SPREAD = 0.8, 0.5
_DRIFT, _DRIFT_WEEKS = 0.25, 104
_LEAST = 5  # smaller groups borrow the scatter of the unassigned


@dataclass(frozen=True)
class Base:
    """Texts and their raw vectors (n, d); `story` is -1 but for the stories kept for births."""

    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    langs: tuple[str, ...]
    sources: tuple[str, ...]
    story: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.titles)

    @cached_property
    def parts(self) -> list[tuple[str, str, str]]:
        """Both halves of each title, and the body."""
        return [(*_halves(title), body) for title, body in zip(self.titles, self.bodies, strict=True)]

    @cached_property
    def inputs(self) -> list[tuple[str, ...]]:
        """The same as the model reads them."""
        return [tuple(model_input(part, "") for part in parts) for parts in self.parts]


def load_texts(folder: Path, seed: int = 0) -> list[dict[str, str | int]]:
    """Rows with title, body, lang, source, story; different texts only, in a fixed random order."""
    rng = random.Random(seed)
    kept: list[dict[str, str | int]] = []
    stories: dict[str, list[dict[str, str | int]]] = {}
    seen: set[str] = set()
    for name, n in zip(FILES, _TAKEN, strict=True):
        found = []
        with (folder / name).open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                lang, title = row["lang"][:2], " ".join(row["title"].split())
                body = " ".join((row.get("text") or "").split())[: _BODY[lang]]
                key = model_input(title, body)
                if not title or key in seen:
                    continue
                seen.add(key)
                source = row.get("source") or f"Wire {len(found) % 40}"
                found.append({"title": title, "body": body, "lang": lang, "source": source, "story": -1})
                if name == FILES[0]:
                    stories.setdefault(row["story"], []).append(found[-1])
        if name == FILES[0]:
            large = [s for s in sorted(stories) if len(stories[s]) >= _BIRTH_TEXTS]
            for number, story in enumerate(rng.sample(large, _BIRTHS)):
                for text in stories[story]:
                    text["story"] = number
        usual = [text for text in found if text["story"] == -1]
        kept += rng.sample(usual, min(n, len(usual))) + [text for text in found if text["story"] != -1]
    rng.shuffle(kept)
    return kept


class Copies:
    """Texts of later weeks: real vectors with real noise, moving slowly.

    A copy of text i, of group g (a narrative, or the unassigned), one language and one form (a bare headline or not),
    in week w has the vector

        mean_g + drift_g(w) + sqrt(1 - a) d_i + sqrt(a / n) sum_j z_j d_j,    d = vector - mean of its group,

    over the n texts j of the same group, language and form, with normal z_j and a = 0.8: the noise has the directions
    of real differences, and two copies of one text share a fifth of what is theirs. The drift of a group goes to and
    fro within two years along the difference of two real texts, by a quarter of the group's distance from the mean of
    its language and form. Copies in a narrative, and what it says in each language and form, lie at half the real
    distance from its middle: as wide as narratives of such mixed material are after two weeks, they are parted for
    months (of 290 there were 470 after eight weeks, at half the distance 305). The words are one of its own, half of
    the title of one of these texts and half of that of another, and its body: with the same words each time the copies
    of each text would become narratives of their own, and every headline would be one of a series.

    Parameters
    ----------
    base
        Real texts.
    group : (n,) int
        Of each text; -1 for the unassigned.
    """

    def __init__(self, base: Base, group: np.ndarray, seed: int = 0) -> None:
        self.base = base
        lang = np.array([tag == "zh" for tag in base.langs], dtype=int)
        bare = np.array([not body for body in base.bodies], dtype=int)  # centred with a mean of their own
        keys, self._cell = np.unique(np.stack([group, lang, bare], axis=1), axis=0, return_inverse=True)
        self._cell = self._cell.ravel()
        n_cells = len(keys)
        self._sizes = np.bincount(self._cell, minlength=n_cells)
        self._order = np.argsort(self._cell, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        self._means = self._mean_of(self._cell)
        # Where the scatter comes from: the cell itself, or that of the unassigned texts of its language and form.
        self._is_left = keys[:, 0] == -1
        rest = {tuple(key[1:]): cell for cell, key in enumerate(keys) if key[0] == -1}
        self._scatter = np.array(
            [c if self._sizes[c] >= _LEAST else rest.get(tuple(keys[c][1:]), c) for c in range(n_cells)]
        )
        forms = 2 * keys[:, 1] + keys[:, 2]
        apart = self._means - self._mean_of(2 * lang + bare)[forms]
        groups = np.unique(keys[:, 0], return_inverse=True)[1].ravel()
        weights = np.eye(groups.max() + 1)[groups].T * self._sizes
        together = (weights @ apart / weights.sum(axis=1, keepdims=True))[groups]
        shift = np.where(self._is_left[:, None], 0.0, (1 - _SPREAD) * (together - apart))
        self._middle = self._means + shift
        rng = np.random.default_rng([seed, 1])
        pair = base.vectors[rng.integers(len(base), size=(2, n_cells))]
        along = pair[0] - pair[1]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        self._along = _DRIFT * np.linalg.norm(apart, axis=1, keepdims=True) * along
        self._phase = rng.random(n_cells)

    def _mean_of(self, labels: np.ndarray) -> np.ndarray:
        """(n_labels, d) means of the texts of each label; 0 where there is none."""
        found = np.zeros((int(labels.max()) + 1, self.base.vectors.shape[1]))
        np.add.at(found, labels, self.base.vectors)
        return np.asarray(found / np.maximum(np.bincount(labels), 1)[:, None])

    def vectors(self, of: np.ndarray, week: int, rng: np.random.Generator) -> np.ndarray:
        """(m, d) float16 unit vectors of copies of texts."""
        cell, raw = self._cell[of], self.base.vectors
        wave = np.sin(2 * np.pi * (week / _DRIFT_WEEKS + self._phase[cell])) - np.sin(2 * np.pi * self._phase[cell])
        found = self._middle[cell] + wave[:, None] * self._along[cell]
        order = np.argsort(cell, kind="stable")
        for own in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
            c = cell[own[0]]
            lent = self._scatter[c]
            texts = self._order[self._starts[lent] : self._starts[lent] + self._sizes[lent]]
            others = raw[texts] - self._means[lent]
            noise = rng.standard_normal((len(own), len(others)), dtype=np.float32) @ others / len(others) ** 0.5
            around = (1 - _NOISE) ** 0.5 * (raw[of[own]] - self._means[c]) + _NOISE**0.5 * noise
            found[own] += around if self._is_left[c] else _SPREAD * around
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found.astype(np.float16))

    def words(self, of: np.ndarray, serials: Sequence[int], rng: np.random.Generator) -> list[tuple[str, str, str]]:
        """Title and body of copies, and what the model would read of them; a bare headline stays one."""
        cell, told = self._cell[of], []
        others = [self._order[self._starts[cell] + (rng.random(len(of)) * self._sizes[cell]).astype(int)] for _ in "ij"]
        for i, j, serial in zip(*others, serials, strict=True):
            said, read = (
                (f"{_word(serial)} {texts[i][0]} {texts[j][1]}", texts[j][2])
                for texts in (self.base.parts, self.base.inputs)
            )
            told.append((*said, "\n".join(filter(None, read))))
        return told


def _halves(title: str) -> tuple[str, str]:
    """
    >>> _halves("Kia recalls cars in Europe"), _halves("稀土出口")
    (('Kia recalls cars', 'in Europe'), ('稀土', '出口'))
    """
    words = title.split() if title.isascii() else list(title)
    joint, middle = " " if title.isascii() else "", (len(words) + 1) // 2
    return joint.join(words[:middle]).strip(), joint.join(words[middle:]).strip()


def _word(serial: int) -> str:
    """A word of letters that no other number has.

    >>> _word(0), _word(27)
    ('qaaaaa', 'qbbaaa')
    """
    return "q" + "".join(chr(97 + serial // 26**place % 26) for place in range(5))


def encoded(rows: Sequence[dict[str, str | int]], vectors: np.ndarray) -> Base:
    """Texts with their vectors."""
    return Base(
        tuple(str(row["title"]) for row in rows),
        tuple(str(row["body"]) for row in rows),
        tuple(str(row["lang"]) for row in rows),
        tuple(str(row["source"]) for row in rows),
        np.array([int(row["story"]) for row in rows]),
        np.asarray(vectors, dtype=np.float32),
    )
