"""Does a narrative live in one language only, and would chance do that?

Each of its stories is compared with the mix of languages of the week in which it was published: the chance that all are
in one language is the product of that language's shares (binomial where the mix does not change). Stories count, not
copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from narratives.language import base_language

UNLIKELY = 0.01
_SECOND = 0.05  # share of the second language that makes an archive bilingual
_PRIOR = 20  # stories that the mix of the whole archive counts beside that of a week

Story = tuple[str, date, str]  # narrative or "", week, language


def one_language(stories: Iterable[Story]) -> dict[str, tuple[str, float]]:
    """Narratives that are told in one language only, though the archive is told in two or more.

    Parameters
    ----------
    stories
        Narrative ("" for none), week and language of every story of the archive, once each.

    Returns
    -------
    Narrative -> its language and the chance of that under the archive's mix, where it is below 1 %.

    >>> day = date(2025, 9, 1)
    >>> mixed = [("", day, "zh"), ("", day, "en")] * 20
    >>> one_language([*mixed, *[("N1", day, "en")] * 8, *[("N2", day, "zh")] * 2])
    {'N1': ('en', 0.0097)}
    """
    every: Counter[str] = Counter()
    by_week: dict[date, Counter[str]] = {}
    own: dict[str, list[tuple[date, str, int]]] = {}
    for (narrative, week, tag), n in Counter(stories).items():
        lang = base_language(tag)
        every[lang] += n
        by_week.setdefault(week, Counter())[lang] += n
        if narrative:
            own.setdefault(narrative, []).append((week, lang, n))
    total = sum(every.values())
    if len(every) < 2 or every.most_common(2)[1][1] < _SECOND * total:
        return {}
    found = {}
    for narrative in sorted(own):
        langs = {lang for _, lang, _ in own[narrative]}
        if len(langs) > 1:
            continue
        lang = langs.pop()
        chance = 1.0
        for week, _, n in sorted(own[narrative]):
            chance *= _share(by_week[week], every, lang, total) ** n
        if chance < UNLIKELY:
            found[narrative] = lang, round(chance, 4)
    return found


def _share(week: Mapping[str, int], every: Mapping[str, int], lang: str, total: int) -> float:
    return (week.get(lang, 0) + _PRIOR * every[lang] / total) / (sum(week.values()) + _PRIOR)
