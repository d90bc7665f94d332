"""A stream of texts whose births are known, and what can be done to it: an outage of a source, a flood of reprints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

START = datetime(2025, 1, 6, 0, 30, tzinfo=timezone(timedelta(hours=8)))  # a Monday


@dataclass(frozen=True)
class Text:
    """One text of a stream; `story` is "" for single texts, `week` counts from 0.

    `beside` names a story that begins in the background, where somebody has read it: nobody is asked to find it, but an
    alert that tells of it is not false.
    """

    title: str
    body: str
    lang: str
    source: str
    story: str
    week: int
    published_at: datetime
    beside: str = ""


@dataclass(frozen=True)
class Forced:
    """At the end of `week` the narratives of two stories are made one, or that of one story is cut in two.

    What is forced is wrong by its making: the machine has to see it and to propose the contrary.
    """

    week: int
    stories: tuple[str, ...]

    @property
    def kind(self) -> str:
        """merge (of two stories) or split (of one)."""
        return "merge" if len(self.stories) == 2 else "split"


@dataclass(frozen=True)
class Stream:
    """Texts in order of time, and the planted stories: story -> week of its first text, and texts a week.

    `start` is the Monday on which week 0 begins. `in_both` names the planted stories that are told in two languages;
    `subjects` the stories, planted or known, whose labels say what is spoken of and not what happened; `forced` is
    carried out by `forced.repairs` alone.
    """

    texts: tuple[Text, ...]
    born: dict[str, int]
    rate: dict[str, int]
    n_weeks: int
    start: datetime = START
    in_both: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    forced: tuple[Forced, ...] = ()


def with_outage(stream: Stream, source: str, week: int, n_weeks: int) -> Stream:
    """The stream without what a source told in some weeks.

    Raises
    ------
    ValueError
        The source tells nothing in those weeks.
    """
    lost = [text.source == source and week <= text.week < week + n_weeks for text in stream.texts]
    if not any(lost):
        raise ValueError(f"no text of {source!r} in the weeks {week} to {week + n_weeks - 1}")
    return replace(stream, texts=tuple(t for t, gone in zip(stream.texts, lost, strict=True) if not gone))


def with_flood(stream: Stream, week: int, n_copies: int) -> Stream:
    """The stream with copies of the longest single text of a week (else of any), each under an outlet of its own.

    Raises
    ------
    ValueError
        There is no text in that week.
    """
    of_week = [text for text in stream.texts if text.week == week]
    if not of_week:
        raise ValueError(f"no text in week {week}")
    first = max([t for t in of_week if not t.story] or of_week, key=lambda t: (len(t.title) + len(t.body), t.title))
    end = stream.start + timedelta(weeks=week + 1, minutes=-60)
    copies = [
        replace(first, source=f"Copy {i}", story="", published_at=min(first.published_at + timedelta(minutes=i), end))
        for i in range(1, n_copies + 1)
    ]
    texts = sorted([*stream.texts, *copies], key=lambda text: (text.published_at, text.title, text.source))
    return replace(stream, texts=tuple(texts))
