"""Articles that say something, in whatever language, and articles that are like another one.

Meaning is a cosine in the space that narratives live in (language and subject mean removed); words are what the
question and the article share, rare ones counting more. Words stay within a language, so added up as they are they
would leave 8 % of the first ten hits to the other one (24 claims and statements asked of the sample, .67 of the hits
in the right narrative); measured by how far a story stands out among those of its own language, 45 % are (.69).
Nothing is encoded but the question: the articles' vectors are in the desk's cache.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from narratives.language import detect_language, to_simplified
from narratives.map import projected, space_of

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.desk import Desk

SEARCH_COLUMNS = [
    "id", "score", "meaning", "words", "shared", "title", "source", "lang", "published_at", "week", "narrative", "url",
]  # fmt: skip
NEIGHBOUR_COLUMNS = ["id", "cosine", "title", "source", "lang", "published_at", "week", "narrative", "url"]
_WORD_WEIGHT = 0.5  # of words beside meaning, both in sd
_MAX_SD = 3.0  # a word that one story of a language holds says no more than this
_FEW = 10  # stories of a language, below which all languages together say what is usual
_HAN = re.compile(r"[\u3400-\u9fff]+")
_LATIN = re.compile(r"[^\W\d_\u3400-\u9fff][\w.-]*", re.UNICODE)


@dataclass(frozen=True)
class Library:
    """Stories of a desk with their vectors: `articles` (one row a story that has a vector), `vectors` (n, d) unit."""

    articles: pd.DataFrame
    vectors: np.ndarray
    texts: list[str]


def library(desk: Desk) -> Library:
    """Every story's first article whose vector is in the cache.

    Raises
    ------
    ValueError
        No update has encoded anything yet.
    """
    articles = desk.articles()
    firsts = articles[articles["is_first"]].reset_index(drop=True)
    have, vectors = projected(desk, firsts)
    if not len(have):
        raise ValueError("there are no vectors yet: run an update first (`narratives update`)")
    kept = firsts.iloc[have].reset_index(drop=True)
    texts = [
        to_simplified(said).lower() if lang == "zh-Hant" else said.lower()
        for said, lang in zip(kept["title"] + "\n" + kept["text"], kept["lang"], strict=True)
    ]
    return Library(kept, vectors, texts)


def search(desk: Desk, books: Library, query: str, encoder: Encoder, n: int) -> pd.DataFrame:
    """The n stories nearest to a question; see `Desk.search`."""
    said = query.strip()
    if not said:
        raise ValueError("nothing to search for: the query is empty")
    meaning = books.vectors @ question_vector(desk, said, encoder)
    words, shared = word_scores(said, books.texts)
    langs = np.array([tag.split("-")[0] for tag in books.articles["lang"]])
    both = standing_out(meaning, langs) + _WORD_WEIGHT * np.clip(standing_out(words, langs), -_MAX_SD, _MAX_SD)
    score = standing_out(both, langs)
    order = np.lexsort((books.articles["id"].to_numpy(str), -np.round(score, 6)))[:n]
    found = books.articles.iloc[order].reset_index(drop=True)
    found["score"], found["meaning"], found["words"] = (np.round(x[order], 4) for x in (score, meaning, words))
    found["shared"] = [shared[i] for i in order]
    return found[SEARCH_COLUMNS]


def question_vector(desk: Desk, query: str, encoder: Encoder) -> np.ndarray:
    """(d,) unit vector of a question; one in two languages is the mean of its parts, each without its language."""
    from embeddings import model_input

    parts = {"zh": " ".join(_HAN.findall(query)), "other": " ".join(_HAN.sub(" ", query).split())}
    several = [part for part in parts.values() if any(sign.isalpha() for sign in part)]
    texts = several if len(several) > 1 else [query]
    langs = ["zh" if _HAN.search(text) else detect_language(text) for text in texts]
    vectors = encoder.encode([model_input("", text) for text in texts])
    total = space_of(desk, encoder.dimension).project(np.asarray(vectors, dtype=np.float32), langs).sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32)


def standing_out(values: np.ndarray, langs: np.ndarray) -> np.ndarray:
    """(n,) values in standard deviations above the mean of their language.

    >>> standing_out(np.array([1.0, 3.0] * 10), np.array(["zh"] * 20)).max()
    np.float64(1.0)
    """
    found = np.zeros(len(values))
    for lang in np.unique(langs):
        rows = langs == lang
        usual = values[rows] if rows.sum() >= _FEW else values
        if usual.std() > 1e-9:
            found[rows] = (values[rows] - usual.mean()) / usual.std()
    return found


def word_scores(query: str, texts: list[str]) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Share (0 to 1) of the question's words that a text holds, each weighted by how few texts hold it.

    Chinese words are looked for anywhere, also single characters (镝); others at the beginning of a word.

    Returns
    -------
    (n,) shares, and for each text the words found.
    """
    words = question_words(query)
    holds = np.zeros((len(words), len(texts)), dtype=bool)
    for i, word in enumerate(words):
        if _HAN.search(word):
            holds[i] = [word in text for text in texts]
        else:
            starts = re.compile(rf"(?<![^\W_]){re.escape(word)}")
            holds[i] = [starts.search(text) is not None for text in texts]
    weights = np.array([math.log(1 + (1 + len(texts)) / (1 + int(row.sum()))) for row in holds])
    shares = weights @ holds / weights.sum() if len(words) else np.zeros(len(texts))
    shared = [tuple(word for word, has in zip(words, column, strict=True) if has) for column in holds.T]
    return shares, shared or [()] * len(texts)


def question_words(query: str) -> list[str]:
    """Words of a question without stop words, in order.

    >>> question_words("镝 export licence of the ministry")
    ['镝', 'export', 'licence', 'ministry']
    """
    from narratives.language import words
    from narratives.stop_words import is_stop_word

    found = []
    for word in words(query):
        word = word.lower()
        if (_HAN.search(word) or _LATIN.fullmatch(word)) and not is_stop_word(word):
            found.append(word)
    return list(dict.fromkeys(found))


def neighbours(books: Library, article: str, story: str, n: int) -> pd.DataFrame:
    """The n stories nearest to an article's; see `Desk.neighbours`."""
    at = np.flatnonzero(books.articles["story"].to_numpy() == story)
    if not len(at):
        raise ValueError(f"{article} has no vector yet: it waits for an update")
    cosines = books.vectors @ books.vectors[int(at[0])]
    cosines[at[0]] = -np.inf
    order = np.lexsort((books.articles["id"].to_numpy(str), -np.round(cosines, 6)))[: min(n, len(cosines) - 1)]
    found = books.articles.iloc[order].reset_index(drop=True)
    found["cosine"] = np.round(cosines[order], 4)
    return found[NEIGHBOUR_COLUMNS]
