"""Names, keywords and representative articles of a narrative, in Chinese and in English."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from narratives.language import words

_HAN = re.compile(r"[\u3400-\u9fff]")
_NUMBER = re.compile(r"[\d.,%-]+")
# Words of two and more characters that say nothing of a subject; single characters are never keywords.
_CHINESE_STOP_WORDS = frozenset(
    "记者 表示 认为 一个 一些 一家 一种 已经 可以 可能 我们 他们 你们 自己 "
    "没有 不是 不会 不能 目前 这个 这些 这样 那个 那些 今年 去年 明年 公司 "
    "进行 以及 因为 所以 如果 但是 不过 同时 其中 对于 关于 需要 成为 通过 "
    "之后 之前 以后 以前 并且 而且 或者 还是 仍然 就是 只是 只有 只要 什么 "
    "怎么 如何 为何 为什么 时候 现在 正在 问题 方面 部分 情况 报道 消息 指出 "
    "称为 称之为 介绍 透露 显示 分析 人士 此前 近日 日前 本周 上周 周一 周二 "
    "周三 周四 周五 周六 周日 星期 今天 昨天 明天 左右 以上 以下 不少 很多 "
    "更多 许多 所有 任何 每个 其他 另外 此外 还有 也是 都是 而是 真正 非常 "
    "十分 比较 相关 有关 包括 由于 根据 按照 为了 随着 之间 之一 的话 来说 "
    "一样 一次 两个 三个 这里 那里 起来 出来 下来 过去 来自 当地 方式 最后 "
    "至少 超过 大约 约为 亿元 万元 美元 元人民币 一名 一位 一直 一旦 不再 "
    "不得 不同 为止 也许 事情 东西 于是 仅仅 从而 依然 倒是 几乎 却是 反而 "
    "否则 告诉 多数 多年 如今 尤其 并非 应该 总是 接受 提供 是否 有些 然而 "
    "甚至 看到 知道 确实 继续 能够 虽然 要求 觉得 说法 说话 负责人 采访 难以 "
    "首先 其次 面对 部门 开始 时间 一半 一天 一年 年前 年来 月底 上午 下午 "
    "晚上 至今 出现 希望 发现 未来 机构 企业".split()
)
_ENGLISH_STOP_WORDS = frozenset(
    "according ago also among april august back big billion called came cent come companies company could "
    "day days december did didn't does doesn't doing don't dr early eight even february first five four "
    "friday get goes going good got high i'm including isn't it's january july june just keep kept know "
    "last late later like long low made make makes many march may might million monday month months mr "
    "mrs ms much near need needs new next nine november october official officials old one people per "
    "percent put reuters s said saturday say say-so says second september set seven six small soon "
    "spokesman spokesperson spokeswoman still sunday t take taken ten than that's then there thing things "
    "third three thursday today told tomorrow took tuesday two u.s us use used using want wants wasn't "
    "way wednesday week weeks well would year years yesterday yet".split()
)


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _ENGLISH_STOP_WORDS | _CHINESE_STOP_WORDS


def is_stop_word(word: str) -> bool:
    """A word that says nothing of a subject, in lower case.

    >>> is_stop_word("the"), is_stop_word("记者"), is_stop_word("magnet")
    (True, True, False)
    """
    return word in _stop_words()


def content_words(text: str) -> list[str]:
    """Words that can be keywords: no stop words, no numbers, no single letters or characters.

    >>> content_words("克钦邦的稀土车辆被征税, the KIA said on Monday")
    ['克钦邦', '稀土', '车辆', '征税', 'kia']
    """
    stop = _stop_words()
    return [word for word in words(text) if len(word) > 1 and word not in stop and not _NUMBER.fullmatch(word)]


def count_terms(text: str) -> Counter[str]:
    """Each content word of a text once, and pairs of neighbouring English words.

    Presence, not frequency: one long article must not name a narrative by itself.
    """
    found = content_words(text)
    plain = text.casefold()
    pairs = (f"{a} {b}" for a, b in itertools.pairwise(found) if not _HAN.search(a + b) and f"{a} {b}" in plain)
    return Counter(dict.fromkeys((*found, *pairs), 1))


@dataclass(frozen=True)
class Keywords:
    """Terms of a narrative with their weights, best first, a list a language."""

    zh: tuple[tuple[str, float], ...]
    en: tuple[tuple[str, float], ...]

    def terms(self, lang: str, n: int) -> list[str]:
        return [term for term, _ in (self.zh if lang == "zh" else self.en)[:n]]


def class_tfidf(
    classes: Mapping[str, Counter[str]], n_documents: Mapping[str, int], n_terms: int = 12
) -> dict[str, Keywords]:
    """Keywords by class-based TF-IDF: frequent in the class, rare in the others.

    Parameters
    ----------
    classes
        Class id -> number of its documents that hold a term. Give the unassigned as a class too.
    n_documents
        Class id -> its number of documents.
    n_terms
        Terms a language.

    Returns
    -------
    A term's weight is `share_in_class * log(1 + mean_share / share_overall)`, so that classes of different size
    compare. Terms of a single document are left out where the language has others; a term that is part of a
    heavier one is not repeated.

    References
    ----------
    Grootendorst, BERTopic, 2022 (arXiv:2203.05794), equation 2, over document shares instead of word counts.
    """
    total = sum(n_documents.values())
    overall: Counter[str] = Counter()
    for counts in classes.values():
        overall.update(counts)
    found = {}
    for name, counts in classes.items():
        n = n_documents[name]
        weights = {
            term: (count / n) * math.log(1 + (count / n) / ((overall[term] + 1) / (total + 1)))
            for term, count in counts.items()
        }
        ranked = sorted(weights.items(), key=lambda item: (-item[1], -len(item[0].split()), item[0]))
        shared = [(term, weight) for term, weight in ranked if counts[term] >= 2]
        # A language with few of the texts may have no term twice: then what other narratives speak of as well.
        spoken = [(term, weight) for term, weight in ranked if overall[term] >= 3]
        found[name] = Keywords(
            zh=_without_parts(shared, True, n_terms) or _without_parts(spoken, True, n_terms),
            en=_without_parts(shared, False, n_terms) or _without_parts(spoken, False, n_terms),
        )
    return found


def _without_parts(ranked: list[tuple[str, float]], chinese: bool, n: int) -> tuple[tuple[str, float], ...]:
    """The first n terms of a language, none of them a part of another."""
    kept: list[tuple[str, float]] = []
    for term, weight in ranked:
        if bool(_HAN.search(term)) != chinese:
            continue
        parts = set(term.split())
        if any(term in other or other in term or (parts & set(other.split())) for other, _ in kept):
            continue
        kept.append((term, round(weight, 6)))
        if len(kept) == n:
            break
    return tuple(kept)


def name_from(keywords: Keywords, lang: str, n: int = 3) -> str:
    """A discovered narrative's working name: its first keywords.

    >>> name_from(Keywords(zh=(("克钦", 1.0), ("镝", .5)), en=()), "zh")
    '克钦 · 镝'
    """
    return " · ".join(keywords.terms(lang, n))


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
