"""Routine series: price tables, statistical releases, daily quotes. New each week, and nothing new.

Two headlines are of one series when they are equal after numbers, dates and the words for up and down are masked.
A series is told by its regular return: a template that was there before the newborn's time and on several days since.
Headlines of a real story, however alike, begin with the story. One that begins now is told by a form that is filled in:
a headline that stands word for word, numbers too, over different texts on several days; or the same few words after
different openings and with different numbers, as when one firm after another posts its price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from statistics import mean, median, pstdev

from narratives.language import to_simplified, words

_LEAST_DAYS = 3  # a template on so many different days is a series
_LEAST_TAIL_DAYS = 6  # the same for what follows the first number, or for the last words: the name before may change
_TAIL_WORDS = 3
_LEAST_SPAN_DAYS = 12
_LEAST_TAIL_CHARS = 6
_LEAST_FILLED, _FILLED_WORDS = 3, 3  # a form of so many words running, filled in so many ways
_IRREGULAR = 0.75  # spread of the gaps between the days, as a share of their mean
_MASK, _TAIL = "#", "…"

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
_NUMBERS = re.compile(
    rf"""
    \b(?:{_MONTHS}|nov(?:ember)?|dec(?:ember)?)\b
    | \b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b | \b(?:1st|2nd|3rd|4th|first|second|third|fourth)\b
    | \b(?:q[1-4]|h[12]|[1-4]q)\b
    | 星期[一二三四五六日天] | 周[一二三四五六日] | [上下本]周 | [上下本]月
    | 今[日天] | 昨[日天] | 早盘 | 午盘 | 收盘 | 开盘
    | [一二三四]季度 | [上下]半年 | [一二三四五六七八九十百千万亿〇零两]+(?=[年月日号元个点吨%])
    | [-+−]?\d[\d.,:/\-]*(?:st|nd|rd|th|%|pct|mln|bln|[ap]m\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b(?:up|down|higher|lower|rises?|rose|falls?|fell|gains?|slips?|steady|unchanged|flat|mixed|drops?|climbs?)\b"
    r"|上涨|下跌|上调|下调|持平|回落|回升|走高|走低|微涨|微跌|小幅|大幅|暂稳|稳定|涨|跌",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d[\d.,]*")
_BREAKS = re.compile(r"[^\w#]+")
_RANGES = re.compile(rf"{_MASK}(?:\s*(?:(?:to|至|到)\s+)?{_MASK})*\s*")  # one figure, also where it is one to another
_UNITS = re.compile(
    r"(?<=#)(?:\s*(?:年|月|日|号|时|点|元|吨|个|%|pct|percent|mln|bln|million|billion|dlrs?|marks?|stg)(?![a-z]))+"
)


@dataclass(frozen=True)
class Headline:
    """A title, who brought it, and the day."""

    title: str
    source: str
    day: date

    @cached_property
    def names(self) -> frozenset[str]:
        """Of its series: `template_names` of the title."""
        return frozenset(template_names(self.title))


@dataclass(frozen=True)
class Series:
    """What a group has of routine: `share` of its stories whose headline is one of a series, and the largest one.

    `template` is the masked headline, `n_days` the days on which it was seen, `every_days` the median gap between
    them.
    """

    share: float
    template: str = ""
    n_days: int = 0
    every_days: float = 0.0


def template(title: str) -> str:
    """A headline without what changes from issue to issue; "" where too little is left to tell anything.

    >>> template("氧化镨钕 11月17日报价：55.2万元/吨，上涨0.5万元")
    '氧化镨钕 # 报价 #'
    >>> template("U.K. MONEY MARKET GIVEN 103 MLN STG ASSISTANCE")
    'u k money market given # assistance'
    """
    plain = (title if title.isascii() else to_simplified(title)).casefold()
    text = _MOVES.sub(f" {_MASK} ", _NUMBERS.sub(f" {_MASK} ", plain))
    text = _UNITS.sub(" ", _BREAKS.sub(" ", text))
    text = _RANGES.sub(f"{_MASK} ", text)
    text = " ".join(text.split())
    letters = sum(len(word) if word[0].isascii() else 3 * len(word) for word in text.split() if word != _MASK)
    return text if letters >= 9 else ""


class Habits:
    """On which days series were seen, of all sources and of each: one look at many headlines for many newborns.

    Parameters
    ----------
    members
        Headlines of all the newborn that will be asked about.
    """

    def __init__(self, members: Iterable[Headline]) -> None:
        members = list(members)
        self.days: dict[str, set[date]] = {}
        self.by_source: dict[tuple[str, str], set[date]] = {}
        self.names = frozenset(name for member in members for name in member.names)
        self.sources = frozenset(member.source for member in members)

    def see(self, headlines: Iterable[Headline]) -> None:
        """Headlines of the weeks before; those of the members may be among them."""
        for headline in headlines:
            for name in self.names & headline.names:
                self.add(name, headline.source if headline.source in self.sources else None, headline.day)

    def add(self, name: str, source: str | None, day: date) -> None:
        """One of the series that are asked about was seen, of a source that is asked about or of another one."""
        self.days.setdefault(name, set()).add(day)
        if source is not None:
            self.by_source.setdefault((name, source), set()).add(day)


def routine_share(members: Sequence[Headline], before: Iterable[Headline] | Habits, since: date) -> Series:
    """How much of a newborn is routine.

    A headline is routine where its template, from any source, was seen on three days or more over twelve days or
    more, regularly, and on one of them before `since`; or from one source on three days, regularly; or where it
    shares a template with a headline that several of the newborn's stories have word for word, on three days or more;
    or where three of its words running stand in the headlines of several stories, after three openings or more and
    with as many different numbers.

    Parameters
    ----------
    members
        Of the newborn, one headline a story.
    before
        Headlines of the weeks before, members too; as `Habits` where several newborns are asked about.
    since
        Day from which on the newborn's recent stories count.

    Raises
    ------
    ValueError
        Habits that were noted for other newborns only.
    """
    habits = before if isinstance(before, Habits) else Habits(members)
    if not isinstance(before, Habits):
        habits.see(before)
    if any(not member.names <= habits.names for member in members):
        raise ValueError(f"habits of {len(habits.names)} series were noted, and not of all that the newborn has")
    if not members:
        return Series(0.0)
    days: dict[str, set[date]] = {}
    by_source: dict[tuple[str, str], set[date]] = {}
    for member in members:
        for name in member.names:
            days.setdefault(name, set(habits.days.get(name, ()))).add(member.day)
            key = name, member.source
            by_source.setdefault(key, set(habits.by_source.get(key, ()))).add(member.day)
    found, forms = dict[str, int](), _forms(members)
    for member, form in zip(members, _filled_in(members), strict=True):
        for name in sorted(member.names, key=lambda name: (name.startswith(_TAIL), name)):
            returns = _returns(days[name], since, name) or _returns(by_source[name, member.source], None, name)
            if returns or name in forms:
                found[name] = found.get(name, 0) + 1
                break
        else:
            if form:
                found[form] = found.get(form, 0) + 1
                days.setdefault(form, set()).add(member.day)
    if not found:
        return Series(0.0)
    largest = min(found, key=lambda name: (-found[name], name))
    ordered = sorted(days[largest])
    gaps = [(b - a).days for a, b in pairwise(ordered)]
    return Series(
        round(sum(found.values()) / len(members), 4), largest, len(ordered), float(median(gaps)) if gaps else 0.0
    )


def _forms(members: Iterable[Headline]) -> set[str]:
    """Names of headlines that stand over different stories on three days or more, word for word."""
    days: dict[str, set[date]] = {}
    for member in members:
        days.setdefault(" ".join(_BREAKS.sub(" ", member.title.casefold()).split()), set()).add(member.day)
    return {name for title, own in days.items() if len(own) >= _LEAST_DAYS for name in template_names(title)}


def _filled_in(members: Sequence[Headline]) -> list[str]:
    """For each headline the form that it fills in beside others, "" for none.

    Of 2,488 draws of five to twelve headlines of a labelled English story five had forms in half of them or more, four
    of which are of statistical releases; of 64 of a Chinese event none.
    """
    held: dict[str, list[tuple[int, str, tuple[str, ...]]]] = {}
    for row, member in enumerate(members):
        plain = to_simplified(member.title)
        said, figures = words(_FIGURE.sub(" ", plain)), tuple(_FIGURE.findall(plain))
        for start in range(1, len(said) - _FILLED_WORDS + 1):
            form = " ".join(said[start : start + _FILLED_WORDS])
            held.setdefault(form, []).append((row, said[0], figures))
    found = [""] * len(members)
    for form, own in sorted(held.items(), key=lambda item: (len(item[1]), item[0])):  # the commonest last: it stays
        openings, numbers = {opening for _, opening, _ in own}, {figures for _, _, figures in own if figures}
        if min(len(openings), len(numbers)) >= _LEAST_FILLED:
            for row, _, _ in own:
                found[row] = f"{_TAIL}{form}{_TAIL}"
    return found


def template_names(title: str) -> set[str]:
    """The template of a headline, its tail from the first number on, and its last three words.

    >>> sorted(template_names("ACME CORP 4TH QTR NET SETS RECORD"))
    ['acme corp # qtr net sets record', '…# qtr net sets record', '…net sets record']
    """
    return _names(template(title))


def _names(whole: str) -> set[str]:
    if not whole:
        return set()
    _, mask, tail = whole.partition(_MASK)
    words = whole.split()
    names = {whole} if len(words) <= _TAIL_WORDS else {whole, _TAIL + " ".join(words[-_TAIL_WORDS:])}
    return names | {_TAIL + mask + tail} if len(tail) >= _LEAST_TAIL_CHARS else names


def _returns(days: set[date], since: date | None, name: str) -> bool:
    """Seen regularly, for long enough, and (with `since`) before that day."""
    ordered = sorted(days)
    if len(ordered) < (_LEAST_TAIL_DAYS if name.startswith(_TAIL) else _LEAST_DAYS):
        return False
    gaps = [(b - a).days for a, b in pairwise(ordered)]
    if pstdev(gaps) > _IRREGULAR * mean(gaps):
        return False
    return (ordered[-1] - ordered[0]).days >= _LEAST_SPAN_DAYS and (since is None or ordered[0] < since)


def outlet(source: str, known: Mapping[str, str] | None = None) -> str:
    """The owner's name in a source's: editions and channels of one outlet are one voice.

    >>> outlet("Reuters UK"), outlet("www.reuters.com"), outlet("新浪财经"), outlet("新浪科技"), outlet("第一财经")
    ('reuters', 'reuters', '新浪', '新浪', '第一财经')
    """
    name = to_simplified(source).casefold().strip()
    return (known or {}).get(name) or _stripped(name)


_SITE = re.compile(r"^(?:https?://)?(?:www|m|news|finance|en|cn|edition)\.|\.(?:com|co|org|net|cn|uk|in|au)(?=$|[./])")
_EDITION = re.compile(
    r"[\s(\-–|:]+(?:uk|us|usa|u\.s\.|india|canada|australia|africa|asia|europe|china|international|online|blogs?|"
    r"edition|mobile|video|subscription|registration)\)*$"
)
_CHANNEL = re.compile(r"(?:客户端|频道|公众号|官方微博|微博|视频|财经|科技)$")
_OWN_NAMES = {"第一", "中国", "每日", "东方", "中央", "华尔街", "全球", "国际", "北京", "上海"}


def _stripped(name: str) -> str:
    while True:
        shorter = _EDITION.sub("", _SITE.sub("", name)).strip(" .")
        channel = _CHANNEL.sub("", shorter)
        if len(channel) >= 2 and channel not in _OWN_NAMES:
            shorter = channel
        if shorter == name or not shorter:
            return name
        name = shorter
