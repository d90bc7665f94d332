"""The small records that a weekly report is made of: words in two languages, figures with intervals, changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Words:
    """One text in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True)
class Link:
    """A place in the report: `anchor` is the id of an element, `label` what it is called."""

    anchor: str
    label: Words


@dataclass(frozen=True)
class Sentence:
    """One of the week's sentences, with the places in the report that prove it."""

    text: Words
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """A mean of stance or tone over stories (-1 to 1) with its 95 % interval; `mean` is None where `n` is
    too few."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class WeekPoint:
    """One narrative in one week. `share` is of the week's stories (0 to 1); `reach` counts reprints too."""

    week: date
    label: str
    n_stories: int
    reach: int
    share: float
    stance: Estimate
    tone: Estimate


@dataclass(frozen=True)
class Movement:
    """This week's volume against before.

    `last` and `mean4` are stories in the week before and the mean of up to four weeks before (None if there
    are none). `p_value` is of a two-sided test that the narrative's share is the same as in those weeks;
    `clear` says that it survives the false discovery rate over all narratives of the week.
    """

    n_stories: int
    last: int | None
    mean4: float | None
    p_value: float | None
    direction: str  # new, grew, faded, steady
    clear: bool = False


@dataclass(frozen=True)
class Span:
    """A figure with its 95 % interval; all None where it cannot be told."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Momentum:
    """Share of the last two weeks' stories less that of the four weeks before (-1 to 1), with a 95 % interval.

    `n_now` and `n_before` are the narrative's stories in the two periods; None where there are no weeks before.
    """

    value: float | None
    low: float | None
    high: float | None
    n_now: int
    n_before: int


@dataclass(frozen=True)
class Shift:
    """Change of the mean stance or tone (`what`) against the four weeks before, taken together.

    `change` = `within` (what the same outlets changed) + `mix` (what other outlets brought). `note` is "", "too few"
    (then there is no figure) or "no common source" (then there are no parts). `p_value` is of a permutation test,
    None where the move is too small to be tested; `clear` says that it survives the false discovery rate.
    """

    narrative: str
    what: str
    before: float | None
    after: float | None
    n_before: int
    n_after: int
    change: Span
    within: Span
    mix: Span
    note: str
    p_value: float | None
    clear: bool = False
