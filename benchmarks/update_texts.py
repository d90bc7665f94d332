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

_NOISE = 0.7
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
    def inputs(self) -> list[tuple[str, str]]:
        """Title and second half of the text as the model reads them: what copies are put together from."""
        halves = (body[len(body) // 2 :] or title for title, body in zip(self.titles, self.bodies, strict=True))
        return [(model_input(t, ""), model_input(h, "")) for t, h in zip(self.titles, halves, strict=True)]


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

    A copy of text i, of group g (a narrative, or the unassigned) and one language, in week w has the vector

        mean_g + drift_g(w) + (d_i + a (d_j - d_k)) / sqrt(1 + 2 a²),    d = vector - mean of its group,

    with two texts j and k of the same group and language drawn at random and a = 0.7: the noise has the directions of
    real differences, a group keeps its spread, and two copies of one text share half of it. The drift of a group goes
    to and fro within two years along the difference of two real texts, by a quarter of the group's distance from its
    language's mean. The words are the title of i, half of the text of j, and a number.

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
        keys, self._cell = np.unique(np.stack([group, lang], axis=1), axis=0, return_inverse=True)
        self._cell = self._cell.ravel()
        n_cells = len(keys)
        self._sizes = np.bincount(self._cell, minlength=n_cells)
        self._order = np.argsort(self._cell, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        self._means = np.zeros((n_cells, base.vectors.shape[1]))
        np.add.at(self._means, self._cell, base.vectors)
        self._means /= self._sizes[:, None]
        # Where the scatter comes from: the cell itself, or that of its language's unassigned texts.
        rest = {int(key[1]): cell for cell, key in enumerate(keys) if key[0] == -1}
        self._scatter = np.array(
            [c if self._sizes[c] >= _LEAST else rest.get(int(keys[c][1]), c) for c in range(n_cells)]
        )
        rng = np.random.default_rng([seed, 1])
        middle = np.stack([base.vectors[lang == tag].mean(axis=0) for tag in (0, 1)])
        pair = base.vectors[rng.integers(len(base), size=(2, n_cells))]
        along = pair[0] - pair[1]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        size = np.linalg.norm(self._means - middle[keys[:, 1]], axis=1)
        self._along = _DRIFT * size[:, None] * along
        self._phase = rng.random(n_cells)

    def vectors(self, of: np.ndarray, week: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(m, d) float16 unit vectors of copies of texts, and the (m,) texts that lend them their bodies."""
        cell, raw = self._cell[of], self.base.vectors
        lent = self._scatter[cell]
        drawn = [self._order[self._starts[lent] + (rng.random(len(of)) * self._sizes[lent]).astype(int)] for _ in "jk"]
        noise = (raw[drawn[0]] - self._means[lent]) - (raw[drawn[1]] - self._means[lent])
        scatter = (raw[of] - self._means[cell] + _NOISE * noise) / (1 + 2 * _NOISE**2) ** 0.5
        wave = np.sin(2 * np.pi * (week / _DRIFT_WEEKS + self._phase[cell])) - np.sin(2 * np.pi * self._phase[cell])
        found = self._means[cell] + wave[:, None] * self._along[cell] + scatter
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found.astype(np.float16), drawn[0]

    def words(self, i: int, j: int, serial: int) -> tuple[str, str, str]:
        """Title and body of a copy, and what the model would read of it."""
        title = self.base.titles[i]
        body = self.base.bodies[j]
        body = f"{body[len(body) // 2 :] or self.base.titles[j]} {serial}"
        head, rest = self.base.inputs[i][0], f"{self.base.inputs[j][1]} {serial}"
        return title, body, rest if rest.startswith(head) else f"{head}\n{rest}"


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
