"""Content words of a text, and the articles that speak for a narrative."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from narratives.language import words
from narratives.stop_words import is_stop_word

_NUMBER = re.compile(r"[\d.,%-]+")


def is_number(word: str) -> bool:
    """Digits with their points, commas and signs.

    >>> is_number("2,5"), is_number("5G")
    (True, False)
    """
    return bool(_NUMBER.fullmatch(word))


def content_words(text: str) -> list[str]:
    """Words that can be keywords: no stop words, no numbers, no single letters or characters.

    >>> content_words("克钦邦的稀土车辆被征税, the KIA said on Monday")
    ['克钦邦', '稀土', '车辆', '征税', 'kia']
    """
    return list(filter(_is_content, words(text)))


@lru_cache(maxsize=200_000)
def _is_content(word: str) -> bool:
    return len(word) > 1 and not is_stop_word(word) and not is_number(word)


def representatives(vectors: np.ndarray, centre: np.ndarray, langs: Sequence[str], n: int = 3) -> list[int]:
    """Rows of the articles nearest to the centre, languages taking turns where there are several.

    Parameters
    ----------
    vectors : (n_articles, d) unit rows
    centre : (d,) unit vector
    langs
        Language of each row; `zh-Hant` counts as `zh`.
    """
    nearness = vectors @ centre
    order = np.argsort(-nearness, kind="stable")
    queues: dict[str, list[int]] = {}
    for i in order:
        queues.setdefault(langs[i].split("-")[0], []).append(int(i))
    picked: list[int] = []
    while len(picked) < min(n, len(langs)):
        for queue in queues.values():
            if queue and len(picked) < n:
                picked.append(queue.pop(0))
    return picked
