"""Feed health: which source fell silent, doubled, or began, from the archive's own weekly volume of each.

A source is compared with itself: the median of the weeks before and their robust spread (median absolute
deviation, never less than that of a Poisson count). A narrative that is born the week in which its source doubled
says something of the feed, and perhaps nothing of the world.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from narratives.weeks import WEEK, mondays_of, share_passed

if TYPE_CHECKING:
    from narratives.archive import Archive

_BASELINE_WEEKS = 12
_LEAST_WEEKS = 4  # weeks a source must have been watched before anything is said of it
_Z = 3.5  # Iglewicz and Hoaglin's bound for an outlier by the median absolute deviation
_SILENT_Z = 2.0  # zero is as far down as a count can go
_LEAST_EXTRA = 5  # so many articles more than usual, or missing, are worth a notice
_REGULAR_WEEKS = 4  # heard in each of this many weeks: expected in the next
_SILENT_WEEKS = 1.8  # two, of which the last may want its Sunday
_GONE_WEEKS = 8  # after so long the source is no longer expected

_SAID = {
    "silent": {
        "zh": "{source} 已连续 {n_weeks} 周没有文章（平时每周约 {usual:g} 篇）。",
        "en": "{source} has been silent for {weeks}, where about {usual:g} articles a week are usual.",
    },
    "doubled": {
        "zh": "{source} 本周有 {n_articles} 篇文章，平时每周约 {usual:g} 篇。",
        "en": "{source} brought {n_articles} articles, where about {usual:g} a week are usual.",
    },
    "started": {
        "zh": "{source} 是新来源：本周首次出现，有 {n_articles} 篇文章。",
        "en": "{source} is new: {n_articles} articles in the first week in which it was heard.",
    },
}
_ALL = {"zh": "所有来源", "en": "every source"}


@dataclass(frozen=True)
class Notice:
    """What is unusual about one source in one week.

    `source` is "" for all of them together; `kind` is silent, doubled or started; `n_articles` with reprints;
    `usual` the median a week before; `z` the robust z (nan where a source started); `n_weeks` how long it has
    lasted.
    """

    week: date
    source: str
    kind: str
    n_articles: int
    usual: float
    z: float
    n_weeks: int = 1

    def said(self, lang: str) -> str:
        """One sentence in zh or en."""
        weeks = f"{self.n_weeks} week{'' if self.n_weeks == 1 else 's'}"
        facts = {"n_articles": self.n_articles, "usual": self.usual, "n_weeks": self.n_weeks, "weeks": weeks}
        text = _SAID[self.kind][lang].format(source=self.source or _ALL[lang], **facts)
        return text[0].upper() + text[1:]


def robust_z(n: float, before: Sequence[int]) -> float:
    """Distance from the median in robust standard deviations.

    >>> round(robust_z(30, [10, 12, 9, 11, 10]), 1), round(robust_z(0, [10, 12, 9, 11, 10]), 1)
    (6.3, -3.2)

    References
    ----------
    Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
    """
    middle = median(before)
    spread = 1.4826 * median(abs(x - middle) for x in before)
    return (n - middle) / max(spread, math.sqrt(max(middle, 1.0)))


def feed_notices(
    counts: Mapping[str, Mapping[date, int]], weeks: Sequence[date], week: date, covered: float = 1.0
) -> list[Notice]:
    """What is unusual in one week.

    Parameters
    ----------
    counts
        Source -> Monday -> articles published in that week, reprints too. Sources without a name are left out.
    weeks
        Mondays that were processed, in order; later ones than `week` are not looked at.
    covered
        Share of `week` that has passed, 0 to 1: on a Tuesday nobody is silent yet.

    Example
    -------
    >>> from datetime import timedelta
    >>> mondays = [date(2025, 9, 1) + timedelta(weeks=i) for i in range(6)]
    >>> counts = {"Wire": dict(zip(mondays, [6, 7, 6, 5, 6, 0])), "Post": dict.fromkeys(mondays, 4)}
    >>> [(notice.source, notice.kind) for notice in feed_notices(counts, mondays, mondays[-1])]
    [('Wire', 'silent')]
    """
    past = [w for w in weeks if w <= week]
    if week not in past or len(past) <= _LEAST_WEEKS:
        return []
    named = {source: by_week for source, by_week in counts.items() if source.strip()}
    total = [sum(by_week.get(w, 0) for by_week in named.values()) for w in past]
    everything = _looked_at("", total, past, covered)
    if everything is not None and everything.kind == "silent":
        return [everything]
    found = []
    for source in sorted(named):
        heard = [i for i, w in enumerate(past) if named[source].get(w, 0)]
        if not heard:
            continue
        own, since = [named[source].get(w, 0) for w in past[heard[0] :]], past[heard[0] :]
        if len(own) == 1 and own[0] >= _LEAST_EXTRA:
            found.append(Notice(week, source, "started", own[0], 0.0, math.nan))
        elif (notice := _looked_at(source, own, since, covered)) is not None:
            found.append(notice)
    return found


def latest_notices(archive: Archive, zone: ZoneInfo, done: Sequence[date], week: date) -> list[Notice]:
    """`feed_notices` of a week from an archive's own articles; reads the weeks that it needs and no text.

    Parameters
    ----------
    done
        Mondays that were processed.
    """
    from sqlalchemy import select

    from narratives.archive import schema

    article = schema.article
    since = week - (_BASELINE_WEEKS + _GONE_WEEKS + 1) * WEEK
    query = select(article.c.source, article.c.published_at).where(
        article.c.step_week.is_not(None),
        article.c.published_at >= datetime(since.year, since.month, since.day),
        article.c.published_at < datetime(week.year, week.month, week.day) + WEEK + timedelta(days=1),
    )
    counts: dict[str, dict[date, int]] = {}
    latest = None
    with archive.reading() as connection:
        found = [(source, at) for source, at in connection.execute(query)]
    for (source, at), monday in zip(found, mondays_of([at for _, at in found], zone), strict=True):
        if since < monday <= week:
            by_week = counts.setdefault(source, {})
            by_week[monday] = by_week.get(monday, 0) + 1
            latest = at if latest is None else max(latest, at)
    covered = share_passed(week, latest, zone) if latest is not None else 1.0
    return feed_notices(counts, [monday for monday in done if monday > since], week, covered)


def _looked_at(source: str, own: Sequence[int], weeks: Sequence[date], covered: float) -> Notice | None:
    """A notice on the last of these weekly counts, where there is something to notice."""
    n_silent = next((i for i, n in enumerate(reversed(own)) if n), len(own))
    before = own[: len(own) - max(n_silent, 1)][-_BASELINE_WEEKS:]
    if len(before) < _LEAST_WEEKS:
        return None
    usual = float(median(before))
    z = round(robust_z(own[-1], before), 2)
    if n_silent:
        silence = n_silent - 1 + covered
        missing = silence * usual >= _LEAST_EXTRA and z <= -_SILENT_Z * covered
        regular = silence >= _SILENT_WEEKS and all(before[-_REGULAR_WEEKS:])
        if n_silent > _GONE_WEEKS:
            return None
        if missing or regular:
            return Notice(weeks[-1], source, "silent", 0, usual, z, n_silent)
    elif own[-1] >= 2 * usual and own[-1] - usual >= _LEAST_EXTRA and z >= _Z:
        return Notice(weeks[-1], source, "doubled", own[-1], usual, z)
    return None
