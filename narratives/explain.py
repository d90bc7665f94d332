"""Why an article is where it is: its scores to the nearest narratives, their levels, the words they share.

Scores are those of today: centres move as articles come in, so a member's score may differ from the one it
joined with. An article is left out of its own narrative's centre and words, or it would be near to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives import weeks
from narratives.affinity import Batch, Known, WordOverlap, across, actor_scores
from narratives.archive import schema
from narratives.known import make_known, seed_texts
from narratives.language import base_language
from narratives.settings import DiscoverSettings
from narratives.space import same_model
from narratives.state import StepState
from narratives.step import Step

if TYPE_CHECKING:
    from embeddings import Encoder
    from narratives.desk import Desk

_BACKGROUND = 1_500  # stories of its week that word frequencies are counted over


@dataclass(frozen=True)
class Nearness:
    """An article and one narrative: `score` is the sum of `cosine`, `words` and `actors`, weighted.

    `level` is what a single article must reach, `shared` the words that weigh most.
    """

    id: str
    name: str
    score: float
    level: float
    cosine: float
    words: float
    actors: float
    shared: tuple[str, ...]

    @property
    def reached(self) -> bool:
        return self.score >= self.level


@dataclass(frozen=True)
class Explanation:
    """Where an article is, how it came there, what lies nearest, and the reasons in sentences.

    `nearest` is ordered by score; it always holds the article's own narrative and the one asked for.
    """

    article: str
    title: str
    source: str
    lang: str
    published_at: datetime
    step_week: date | None
    voice: str
    narrative: str
    name: str
    how: str
    joined: date | None
    nearest: tuple[Nearness, ...]
    counter_example: str
    counter_score: float
    why: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Every field by name; each of `nearest` says also whether it is reached."""
        return {**asdict(self), "nearest": [{**asdict(n), "reached": n.reached} for n in self.nearest]}

    def _repr_html_(self) -> str:
        import pandas as pd

        place = f"{self.narrative} {self.name}" if self.narrative else "no narrative"
        head = f"<p><b>{escape(self.title)}</b><br>{escape(self.source)}, {self.published_at:%Y-%m-%d}, {self.lang}: "
        columns = ["id", "name", "score", "level", "reached", "cosine", "words", "actors", "shared"]
        rows = pd.DataFrame([{**asdict(n), "reached": n.reached} for n in self.nearest], columns=columns)
        rows["shared"] = [", ".join(words) for words in rows["shared"]]
        why = "".join(f"<li>{escape(line)}</li>" for line in self.why)
        table = rows.to_html(index=False, border=0, float_format="{:.2f}".format)
        return f"{head}in {escape(place)}</p><ul>{why}</ul>{table}"


def explain_article(
    desk: Desk, article: str, narrative: str | None = None, n_nearest: int = 4, encoder: Encoder | None = None
) -> Explanation:
    """Score an article against every living narrative, as an update would.

    Parameters
    ----------
    article
        Its id.
    narrative
        An id that is compared too, however far it lies.
    n_nearest
        How many narratives are told of, at least.

    Raises
    ------
    ValueError
        There is no such article, the narrative has ended or was merged, or the settings name another model than the
        one that the history was encoded with.
    """
    rows = desk.archive.rows(schema.article, schema.article.c.id == article)
    if not rows:
        raise ValueError(f"there is no article {article!r}")
    row = rows[0]
    voice = _voice(desk, row)
    membership = _membership(desk, article)
    material = desk.material(encoder)
    same_model(desk.archive, material.encoder)
    said = seed_texts(desk.definitions, material)
    step = Step(desk.archive, desk.settings, desk.definitions, said, material)
    week = row["step_week"] or desk.archive.last_step() or weeks.monday_of(row["published_at"], desk.zone)
    state = StepState(week, [])
    step.take_in(state)
    step.know(state)
    assert state.space is not None
    batch = material.batch([voice], state.space)
    own = str(membership["narrative_id"]) if membership else ""
    known = [_without(k, state, batch.ids[0], step) if k.id == own else k for k in state.known]
    words = WordOverlap(material.batch(_of_week(desk, voice), state.space), [k.profile for k in known])
    names = {i: _name(desk, r) for i, r in state.narratives.items()}
    all_near = _nearness(batch, known, words, names, step.settings.discover)
    if narrative and narrative not in {n.id for n in all_near}:
        raise ValueError(f"{narrative} takes no articles any more (merged, ended, or without members)")
    shown = tuple(n for i, n in enumerate(all_near) if i < n_nearest or n.id in (own, narrative))
    counter, counter_score = _counter(batch, state, step)
    return Explanation(
        article=article,
        title=row["title"],
        source=row["source"],
        lang=row["lang"],
        published_at=row["published_at"],
        step_week=row["step_week"],
        voice=voice["id"],
        narrative=own,
        name=names.get(own, ""),
        how=str(membership["how"]) if membership else "",
        joined=membership["week"] if membership else None,
        nearest=shown,
        counter_example=counter,
        counter_score=counter_score,
        why=tuple(_reasons(own, row["step_week"] is None, all_near, counter_score, step.settings.discover)),
    )


def _voice(desk: Desk, row: dict[str, Any]) -> dict[str, Any]:
    """The article that speaks for its story; the article itself where none was processed yet."""
    table = schema.article
    found = desk.archive.rows(table, table.c.story_id == row["story_id"], table.c.is_voice)
    return found[0] if found else row


def _membership(desk: Desk, article: str) -> dict[str, Any] | None:
    table = schema.membership
    found = desk.archive.rows(table, table.c.article_id == article, table.c.primary)
    return found[0] if found else None


def _of_week(desk: Desk, voice: dict[str, Any]) -> list[dict[str, Any]]:
    """Stories of the article's step, itself among them."""
    table = schema.article
    rows = (
        []
        if voice["step_week"] is None
        else desk.archive.rows(table, table.c.step_week == voice["step_week"], table.c.is_voice)
    )
    return [*(r for r in rows[:_BACKGROUND] if r["id"] != voice["id"]), voice]


def _without(known: Known, state: StepState, article: str, step: Step) -> Known:
    """The narrative as it would be had it never had this article."""
    members = state.members.get(known.id)
    if members is None or article not in members.ids:
        return known
    others = members.take([i for i, member in enumerate(members.ids) if member != article])
    seed = state.seeds.get(state.narratives[known.id]["slug"] or "")
    if not len(others) and seed is None:
        return known
    new = make_known(known.id, others, seed, step.settings.discover, pool=state.pool_level)
    new.floor, new.group_floor = known.floor, known.group_floor
    return new


def _nearness(
    batch: Batch, known: Sequence[Known], words: WordOverlap, names: dict[str, str], settings: DiscoverSettings
) -> list[Nearness]:
    """One article to every narrative, the nearest first."""
    lang = base_language(batch.langs[0])
    own_words = words.vector(lang, dict.fromkeys(batch.terms[0], 1.0))
    found = []
    for k in known:
        cosine = float(batch.vectors[0] @ k.centre) * float(across(batch.langs, [k], settings)[0, 0])
        overlap = settings.word_weight * float(words.with_profile(batch, k.profile)[0])
        actors = settings.actor_weight * float(actor_scores(batch, k.actors)[0])
        counts = k.profile[lang]["terms"] if lang in k.profile else {}
        weights = {t: w * own_words[t] for t, w in words.vector(lang, counts).items() if t in own_words}
        shared = sorted(weights, key=lambda term: (-weights[term], term))[:8]
        found.append(
            Nearness(
                k.id,
                names.get(k.id, ""),
                round(cosine + overlap + actors, 4),
                round(k.level(settings), 4),
                round(cosine, 4),
                round(overlap, 4),
                round(actors, 4),
                tuple(shared),
            )
        )
    return sorted(found, key=lambda n: (-n.score, n.id))


def _counter(batch: Batch, state: StepState, step: Step) -> tuple[str, float]:
    """The nearest counter-example of any definition and its cosine."""
    assert state.space is not None
    rows = step.said.rows("counter")
    if not len(rows):
        return "", 0.0
    vectors = state.space.project(step.said.vectors[rows], [step.said.langs[i] for i in rows])
    cosines = vectors @ batch.vectors[0]
    best = int(np.argmax(cosines))
    return step.said.texts[rows[best]], round(float(cosines[best]), 4)


def _name(desk: Desk, row: dict[str, Any]) -> str:
    zh_first = desk.settings.report.language == "zh"
    names = (row["name_zh"], row["name_en"]) if zh_first else (row["name_en"], row["name_zh"])
    return str(names[0] or names[1] or row["id"])


def _reasons(
    narrative: str, is_waiting: bool, near: Sequence[Nearness], counter_score: float, settings: DiscoverSettings
) -> list[str]:
    """Sentences that say what the numbers mean."""
    if not near:
        return ["There is no narrative yet that it could join."]
    best = near[0]
    own = next((n for n in near if n.id == narrative), None)
    if own is not None:
        figures = f"{own.score:.2f} against {own.level:.2f}"
        if own.reached:
            lines = [f"It reaches the level of {own.id} by itself: {figures}."]
        else:
            lines = [
                f"By itself it stays below the level of {own.id} today ({figures}): it came in with a group of "
                "similar articles, which is judged by its mean, or the narrative has moved since."
            ]
        if best.id != own.id:
            lines.append(
                f"{best.id} lies nearer today ({best.score:.2f}); an article keeps the narrative it joined, "
                "unless that splits or the analyst decides otherwise."
            )
        return lines
    reached = next((n for n in near if n.reached), None)
    if reached and counter_score >= best.score:
        return ["It reaches a level, but a counter-example is as near as any narrative, so it joins none."]
    if reached and is_waiting:
        return [
            f"The next update would put it into {reached.id}, unless articles like it make up a group of their own."
        ]
    if reached:
        return [
            f"Today it would reach the level of {reached.id} ({reached.score:.2f} against {reached.level:.2f}); when "
            "it was last looked at it did not, or it was judged with a group of similar articles that did not."
        ]
    n, w = settings.min_stories, settings.buffer_weeks
    unless = ", unless their like has come all along" if settings.grain == "events" else ""
    return [
        f"It reaches no level: the nearest is {best.id} with {best.score:.2f} of {best.level:.2f} needed.",
        f"An article in no narrative stays a candidate for {w} weeks; {n} stories alike become a narrative "
        f"of their own{unless}.",
    ]
