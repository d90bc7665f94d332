"""Subjects that nobody wrote of before, found by the word that their headlines have in common.

Groups are cut where texts tell of one event. A subject that comes up (a metal, a law, a person) is told of in many ways
at once: its texts are hardly more alike than strangers and fall apart at that level. What they share is a word in the
headline that stood in next to no text before. So here the other way round: words that burst first, then the texts
that bear them, if they are alike enough for so few, and if the like of them has not come before
(`narratives.novelty`). With it the births found on a newswire of 1987 into which commodities were planted went from
.68 to .75, among 2,000 texts a week of everything from .84 to .88, at as many false alarms (`benchmarks.replay`,
`1987` and `general`).

References
----------
Fung et al., Parameter free bursty events detection in text streams, 2005 (clusters of bursting features); Kleinberg,
Bursty and hierarchical structure in streams, 2002.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from narratives import weeks
from narratives.affinity import WordOverlap, scores
from narratives.assign import Group
from narratives.discover import similarities
from narratives.growth import growth
from narratives.keywords import SWALLOWED, holds
from narratives.term_sums import Profile, counted_under
from narratives.terms import Term, article_terms, written

if TYPE_CHECKING:
    from narratives.state import StepState
    from narratives.step import Step

_RECENT_WEEKS = 2
_BEFORE = 0.1  # or less of today's rate: what doubles is no new word
_LEAST = 0.6  # of the cut: less alike they are no subject, however many
_STRAY = 0.3  # of the cut: a text less alike to the others has the word by chance
_MOST_ASKED = 600  # texts of one word whose pairs are looked at: of more an evenly thinned part
_MOSTLY = 0.5  # from this share of its texts on a group is part of the subject whose word they bear


class Head(NamedTuple):
    """A text's headline: the language that it is counted under, its terms, and whether it is of the last two weeks."""

    lang: str
    terms: Collection[str]
    recent: bool


class Burst(NamedTuple):
    """A term and the rows of the texts whose headline holds it."""

    term: str
    rows: np.ndarray


def bursts(
    heads: Sequence[Head], before: Sequence[Profile], volume: Mapping[str, float], min_texts: int, p_value: float
) -> list[Burst]:
    """Terms in the headlines of so many recent texts or more that hardly any text held before.

    Parameters
    ----------
    heads
        Of the texts in no narrative.
    before
        What all texts of each earlier week spoke of, as `term_sums.Texts` counts them.
    volume
        Language -> texts a week of the last two weeks: where fewer came before, less was to be seen.
    p_value
        Of the term's growth, at most.

    Returns
    -------
    Those of most texts first.

    Example
    -------
    >>> heads = [Head("en", {"cocoa", "price"}, True)] * 6 + [Head("en", {"price"}, False)] * 6
    >>> past = [{"en": {"n": 50, "terms": {"price": 9}}}] * 3
    >>> [(burst.term, len(burst.rows)) for burst in bursts(heads, past, {"en": 50.0}, 5, 0.0025)]
    [('cocoa', 6)]
    """
    found = []
    for lang in sorted({head.lang for head in heads}):
        parts = [profile[lang] for profile in before if lang in profile]
        now = Counter(term for head in heads if head.recent and head.lang == lang for term in head.terms)
        often = {term: n for term, n in now.items() if n >= min_texts}
        if not parts or not often:
            continue
        share = min(1.0, sum(part["n"] for part in parts) / len(parts) / max(volume.get(lang, 0.0), 1.0))
        for term, n in often.items():
            grown = growth(n, [part["terms"].get(term, 0) for part in parts], share, _RECENT_WEEKS)
            is_new = grown.usual * _RECENT_WEEKS <= _BEFORE * n
            if is_new and grown.p_value is not None and grown.p_value <= p_value:
                rows = [i for i, head in enumerate(heads) if head.lang == lang and term in head.terms]
                found.append((grown.p_value, Burst(term, np.array(rows))))
    found.sort(key=lambda one: (-len(one[1].rows), one[0], one[1].term))
    return [burst for _, burst in found]


def hanging_together(similarity: np.ndarray, cut: float, min_texts: int) -> np.ndarray:
    """Which texts that share a word tell of one subject.

    Those least like the others go while they are strangers to them. What is left has to be the more alike the fewer
    they are: on average as much as texts of one event are (`cut`) where they are `min_texts`, and less in proportion
    to the root of their number, as a mean over more texts is the surer, down to what parts of one story have.

    Parameters
    ----------
    similarity : (n, n)
        Of the texts that hold the term.

    Returns
    -------
    Rows, none where they do not hang together.
    """
    rows = np.arange(len(similarity))
    alike = np.round(similarity, 6)  # so that the last bit of a product cannot decide
    np.fill_diagonal(alike, 0.0)
    while len(rows) >= min_texts:
        means = alike.sum(axis=1) / (len(rows) - 1)
        least = int(means.argmin())
        if means[least] >= _STRAY * cut:
            asked = max(_LEAST, (min_texts / len(rows)) ** 0.5) * cut
            return rows if means.mean() >= asked else rows[:0]
        stays = np.arange(len(rows)) != least
        rows, alike = rows[stays], alike[np.ix_(stays, stays)]
    return rows[:0]


def in_writing(term: str, said: Sequence[Mapping[str, Term]]) -> str:
    """A term as headlines write it, or the longest phrase that it seldom stands without there.

    >>> said = [article_terms(title, "") for title in ("Puerto Rico's bonds fall", "Fitch cuts Puerto Rico")]
    >>> in_writing("rico", said)
    'Puerto Rico'
    """
    held = [terms for terms in said if term in terms]
    n_with = Counter(phrase for terms in held for phrase in terms if holds(phrase, term))
    often = [phrase for phrase, n in n_with.items() if n >= SWALLOWED * len(held)]
    longest = max(often, key=lambda phrase: (len(phrase), phrase), default=term)
    forms: Counter[str] = Counter()
    for terms in held:
        forms.update(terms[longest].forms if longest in terms else {})
    return written(longest, forms)


class Bursts:
    """Gathers subjects in one step.

    Parameters
    ----------
    words
        Knows the words of the pool and of the known narratives.
    """

    def __init__(self, step: Step, state: StepState, words: WordOverlap) -> None:
        self.step, self.state, self.words, self.settings = step, state, words, step.settings.discover

    def gather(
        self, born: Sequence[Group], left: np.ndarray, is_new: Callable[[np.ndarray], bool]
    ) -> tuple[list[Group], list[Group]]:
        """The groups that are born apart from any burst, and the gathered ones, with what was born and mostly bears
        their word.

        The texts of a subject are no event: at the cut they are apart, so it counts as put together of parts.

        Parameters
        ----------
        left : (n_pool,) bool
            Texts of the pool that are in no narrative.
        is_new
            Whether the like of some rows of those left has not come before.
        """
        state, settings, rows_left = self.state, self.settings, np.flatnonzero(left)
        apart, gathered = list(born), list[Group]()
        if not settings.burst_p_value or not len(rows_left):
            return apart, gathered
        assert state.pool is not None
        told = self.step.rows_of([state.pool.ids[i] for i in rows_left])
        said = [article_terms(row["title"], "") for row in told]
        heads = self._heads(told, said)
        recent = np.array([head.recent for head in heads], dtype=bool)
        is_open = np.ones(len(heads), dtype=bool)
        for burst in bursts(heads, *self._before(), settings.min_stories, settings.burst_p_value):
            own = burst.rows[is_open[burst.rows]]
            if len(own) < settings.min_stories:
                continue
            asked = own[:: -(-len(own) // _MOST_ASKED)]
            pairs = similarities(state.pool.take(rows_left[asked]), self.words, settings)
            together = asked[hanging_together(pairs, state.cut, settings.min_stories)]
            own = np.setdiff1d(own, np.setdiff1d(asked, together)) if len(together) else together
            if recent[own].sum() < settings.min_stories or not is_new(own):
                continue
            is_part = [np.isin(rows_left[own], group.rows).sum() >= _MOSTLY * len(group.rows) for group in apart]
            parts = [group for group, is_in in zip(apart, is_part, strict=True) if is_in]
            others = [group for group, is_in in zip(apart, is_part, strict=True) if not is_in]
            if len(parts) == 1 and np.isin(rows_left[own], parts[0].rows).all():
                continue  # an event whose word it is
            rows = np.unique(np.concatenate([rows_left[own], *(group.rows for group in parts)]))
            rows = np.setdiff1d(rows, np.concatenate([rows[:0], *(group.rows for group in [*others, *gathered])]))
            if len(rows) >= settings.min_stories:
                is_open[own], apart = False, others
                word = in_writing(burst.term, [said[i] for i in own])
                group = self._group(rows, max(2, sum(group.n_parts for group in parts)))
                gathered.append(group._replace(word=word, term=burst.term))
        return apart, gathered

    def _heads(self, told: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Term]]) -> list[Head]:
        """Headlines of articles (`lang`, `published_at`) with their terms."""
        published = weeks.mondays_of([row["published_at"] for row in told], self.step.zone)
        return [
            Head(counted_under(row), terms.keys(), week >= self._since)
            for row, terms, week in zip(told, said, published, strict=True)
        ]

    def _before(self) -> tuple[list[Profile], dict[str, float]]:
        """What the weeks before the last two spoke of, and how many texts a week these two have in each language."""
        spoken = self.step.spoken(self.state.week)
        volume = Counter(counted_under(row) for row in self.state.voices)
        for week, profile in spoken.items():
            if week >= self._since:
                volume.update({lang: part["n"] for lang, part in profile.items()})
        before = [profile for week, profile in sorted(spoken.items()) if week < self._since]
        return before, {lang: n / _RECENT_WEEKS for lang, n in volume.items()}

    @property
    def _since(self) -> date:
        return self.state.week - (_RECENT_WEEKS - 1) * weeks.WEEK

    def _group(self, rows: np.ndarray, n_parts: int) -> Group:
        """A group with the known narrative that it is most like."""
        state = self.state
        assert state.pool is not None
        if not state.known:
            return Group(rows, "", 0.0, n_parts)
        together = scores(state.pool.take(rows), state.known, self.words, self.settings).mean(axis=0)
        return Group(rows, state.known[int(together.argmax())].id, float(together.max()), n_parts)
