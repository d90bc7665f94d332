"""The parts of a weekly report, as frozen records: built once, rendered as HTML, Markdown and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reports.records import Estimate, Link, Momentum, Movement, Sentence, Shift, Span, WeekPoint, Words


@dataclass(frozen=True)
class Quote:
    """A scored sentence (`sentence`) inside its context (`before`, `after`), in the language it was written
    in."""

    article: str
    title: str
    source: str
    lang: str
    date: str
    url: str
    before: str
    sentence: str
    after: str
    side: str  # supports, opposes, positive, negative
    score: float
    confidence: float | None
    speaker: str = ""  # whom the article quotes with it, "" where it speaks itself


@dataclass(frozen=True)
class Headline:
    """One story as a line: title, outlet, day, address (empty unless http or https)."""

    article: str
    title: str
    source: str
    lang: str
    date: str
    url: str
    n_copies: int
    narrative: str = ""


@dataclass(frozen=True)
class Telling:
    """How one language tells a narrative, over the last four weeks."""

    lang: str  # zh, en, or another tag
    n_stories: int
    n_stories_week: int
    stance: Estimate
    tone: Estimate
    terms: tuple[str, ...]
    headline: Headline | None


@dataclass(frozen=True)
class SourceCount:
    """An outlet's stories and reprints of a narrative over the last four weeks."""

    source: str
    n_stories: int
    n_reprints: int
    n_stories_week: int


@dataclass(frozen=True)
class LifeEvent:
    """A dated event of a narrative's life, in words."""

    week: str
    kind: str
    text: Words
    narrative: str
    other: str = ""


@dataclass(frozen=True)
class Near:
    """Another narrative, the similarity to it (cosine of centres, or an alert's score), and its level for articles."""

    narrative: str
    name: Words
    cosine: float
    level: float | None = None


@dataclass(frozen=True)
class RulePart:
    """One part of the alert rule: what it found, what it needs at least, and whether that was so."""

    name: str
    found: float | None
    needed: float | None
    passed: bool


@dataclass(frozen=True)
class AlertNote:
    """An alert as the reader needs it: state, figures, why it is none of the known, the stories behind it."""

    id: str
    narrative: str
    name: Words
    week: str
    tier: str
    state: str
    settled: str
    acknowledged: bool
    statistic: float | None
    threshold: float | None
    p_value: float | None
    n_stories: int | None
    n_sources: int | None
    cohesion: float | None
    nearest: tuple[Near, ...]
    why: Words | None
    rule: tuple[RulePart, ...]
    stories: tuple[Headline, ...]


@dataclass(frozen=True)
class NarrativeRow:
    """One line of the table of all narratives."""

    id: str
    anchor: str
    name: Words
    named: bool  # by a person; else the name is made of words of its articles
    origin: str
    status: str
    born: str
    has_section: bool
    now: WeekPoint
    movement: Movement
    momentum: Momentum
    compared: int | None
    compared_share: float | None
    has_stance: bool  # stance is measured: somebody wrote a claim
    languages: tuple[tuple[str, int], ...]  # language, stories of the last four weeks
    lead_source: str
    series: tuple[int, ...]
    one_language: str = ""  # that of all its stories, where the archive's mix would hardly give that


@dataclass(frozen=True)
class Theme:
    """A group of narratives that lie near each other; its name is made of words of their articles."""

    id: str
    name: Words
    narratives: tuple[Link, ...]  # without an anchor where the report has no section
    n_stories: int


@dataclass(frozen=True)
class DraftSentence:
    """A sentence drafted by a language model, and the articles that it cites."""

    text: Words
    cites: tuple[Headline, ...]


@dataclass(frozen=True)
class Draft:
    """What a language model drafted for a narrative and what of it was kept; `n_dropped` sentences failed a check."""

    name: Words | None
    sentences: tuple[DraftSentence, ...]
    n_dropped: int
    model: str


@dataclass(frozen=True)
class NarrativeSection:
    """Everything about one narrative."""

    row: NarrativeRow
    slug: str
    claim: Words | None
    drafted: bool
    keywords: Words
    points: tuple[WeekPoint, ...]
    shifts: tuple[Shift, ...]
    quotes: tuple[Quote, ...]
    stories: tuple[Headline, ...]
    n_stories_hidden: int
    sources: tuple[SourceCount, ...]
    tellings: tuple[Telling, ...]
    life: tuple[LifeEvent, ...]
    near: tuple[Near, ...]
    drift: float | None
    cohesion: float | None
    full: bool = True
    draft: Draft | None = None


@dataclass(frozen=True)
class Unassigned:
    """The articles that belong to no narrative."""

    n_stories: int
    share: float
    mean4: float | None
    series: tuple[int, ...]
    examples: tuple[Headline, ...]
    n_kept_back: int  # waiting stories that hang together, but nothing shows that they are new


@dataclass(frozen=True)
class FeedNote:
    """An outlet that sent unusually few or many articles."""

    source: str  # "" is all of them together
    kind: str  # silent, doubled, started
    n_articles: int
    usual: float  # median a week before
    text: Words


@dataclass(frozen=True)
class AlertRecord:
    """How alerts turned out so far: settled ones, those that later stories confirmed, their share (0 to 1)."""

    n_settled: int
    n_confirmed: int
    precision: Span
    n_open: int
    n_held: int


@dataclass(frozen=True)
class Intake:
    """What came in, and how good it is."""

    n_articles: int
    n_stories: int
    n_reprints: int
    last_stories: int | None
    mean4_stories: float | None
    languages: tuple[tuple[str, int], ...]
    n_sources: int
    total_articles: int
    total_stories: int
    n_weeks: int
    n_weak: int
    quarantine: tuple[tuple[str, int, str, str], ...]  # reason, open records, a message, an origin
    n_recovered: int
    feeds: tuple[FeedNote, ...]
    same_language_share: float | None
    largest_source: tuple[str, float] | None  # outlet, share of the week's articles
    alerts: AlertRecord


@dataclass(frozen=True)
class MapPoint:
    """An article of the week in the picture of the map."""

    x: float
    y: float
    narrative: str
    title: str
    source: str
    date: str
    url: str


@dataclass(frozen=True)
class WeeklyReport:
    """The whole report of one week. The same desk gives the same report."""

    subject: Words
    week: date
    label: str
    last_day: date
    timezone: str
    compare: str
    summary: tuple[Sentence, ...]
    alerts: tuple[AlertNote, ...]
    born: tuple[str, ...]
    grew: tuple[str, ...]
    faded: tuple[str, ...]
    turned: tuple[Shift, ...]
    ended: tuple[LifeEvent, ...]
    rows: tuple[NarrativeRow, ...]
    sections: tuple[NarrativeSection, ...]
    quiet: tuple[NarrativeRow, ...]
    unassigned: Unassigned
    intake: Intake
    map: tuple[MapPoint, ...]
    lineage: tuple[LifeEvent, ...]
    labels: tuple[str, ...]
    weeks: tuple[date, ...]
    min_stories: int
    made_at: str
    versions: tuple[tuple[str, str], ...]
    themes: tuple[Theme, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
