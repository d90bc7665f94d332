"""A replay of one's own archive: some of its narratives are hidden, and told again from a week that is known.

What the archive holds in narratives serves as the truth for all others, so identity is measured against the archive's
own history, and an alert on anything but a planted birth counts as false although it may be news: an upper bound.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from narratives.replay.streams import Forced, Stream, Text, with_flood, with_outage

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.desk import Desk


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Birth(_Part):
    """A narrative of the archive (its id) that is told again from `week` (0 is the archive's first) on."""

    narrative: str
    week: int = Field(ge=1)
    per_week: int = Field(5, ge=1, le=100)


class Outage(_Part):
    """A source that says nothing for some weeks."""

    source: str
    week: int = Field(ge=0)
    weeks: int = Field(1, ge=1)


class Flood(_Part):
    """Copies of one text of a week, each under an outlet of its own."""

    week: int = Field(ge=0)
    copies: int = Field(100, ge=1, le=10_000)


class Merge(_Part):
    """Two narratives of the archive that are made one by force at the end of `week`: the machine has to part them."""

    narratives: tuple[str, str]
    week: int = Field(ge=0)


class Split(_Part):
    """A narrative of the archive that is cut in two by force at the end of `week`: the machine has to join it."""

    narrative: str
    week: int = Field(ge=0)


class Plan(_Part):
    """What is planted: the whole of a `births.yaml`."""

    births: list[Birth] = []
    merges: list[Merge] = []
    splits: list[Split] = []
    outages: list[Outage] = []
    floods: list[Flood] = []

    @model_validator(mode="after")
    def _something(self) -> Plan:
        if not (self.births or self.merges or self.splits):
            raise ValueError("nothing is planted: it needs births, merges or splits")
        return self

    def forced(self) -> tuple[Forced, ...]:
        merges = [Forced(merge.week, merge.narratives) for merge in self.merges]
        return (*merges, *(Forced(split.week, (split.narrative,)) for split in self.splits))


def load_plan(path: Path) -> Plan:
    """Read a `births.yaml`.

    Raises
    ------
    ValueError
        It is no such file; the message names the place.
    """
    import yaml

    try:
        return Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise ValueError(f"{path}: " + "; ".join(lines)) from error


def planted(desk: Desk, plan: Plan) -> Stream:
    """The desk's stories as a stream, with the plan's narratives told in other weeks than they were.

    Raises
    ------
    ValueError
        A narrative of the plan has no stories, or its week lies after the archive's last.
    """
    stories = desk.articles().query("is_first").sort_values(["published_at", "id"], kind="stable")
    if stories.empty:
        raise ValueError("the archive holds no stories yet")
    monday, last = min(stories["week"]), max(stories["week"])
    start = datetime.combine(monday, time(0, 30), tzinfo=desk.zone)
    n_weeks = (last - monday).days // 7 + 1
    texts = [
        Text(
            str(row["title"]),
            str(row["text"]),
            str(row["lang"]),
            str(row["source"]),
            str(row["narrative"]),
            (row["week"] - monday).days // 7,
            row["published_at"].to_pydatetime(),
        )
        for row in stories.to_dict("records")
    ]
    born: dict[str, int] = {}
    rate: dict[str, int] = {}
    for birth in plan.births:
        own = [text for text in texts if text.story == birth.narrative]
        if not own:
            raise ValueError(f"{birth.narrative} has no stories in this archive")
        if birth.week >= n_weeks:
            raise ValueError(f"{birth.narrative} is to begin in week {birth.week}, but there are {n_weeks} weeks")
        texts = [text for text in texts if text.story != birth.narrative]
        for i, text in enumerate(own):
            week = birth.week + i // birth.per_week
            if week < n_weeks:
                at = start + timedelta(weeks=week, hours=8 + 150 * (i % birth.per_week) / birth.per_week)
                texts.append(replace(text, week=week, published_at=at))
        born[birth.narrative], rate[birth.narrative] = birth.week, birth.per_week
    told = {text.story for text in texts}
    for forced in plan.forced():
        if lacking := [name for name in forced.stories if name not in told]:
            raise ValueError(f"{', '.join(lacking)} has no stories in this archive")
        if forced.week >= n_weeks:
            raise ValueError(f"week {forced.week} is to end in a {forced.kind}, but there are {n_weeks} weeks")
    texts.sort(key=lambda text: (text.published_at, text.title))
    stream = Stream(tuple(texts), born, rate, n_weeks, start, forced=plan.forced())
    for outage in plan.outages:
        stream = with_outage(stream, outage.source, outage.week, outage.weeks)
    for flood in plan.floods:
        stream = with_flood(stream, flood.week, flood.copies)
    return stream


def replay(desk: Desk, plan: Plan, encoder: Encoder | None = None) -> pd.DataFrame:
    """Measures of the pipeline with the desk's settings and definitions, beside the baselines.

    Returns
    -------
    One row a measure (`measures.measure`), one column a tracker; with merges and splits also what became of them
    (`forced.count_repairs`), from a run of its own: what is forced would spoil the measures of identity.
    """
    import pandas as pd

    from narratives.replay.baselines import BASELINES
    from narratives.replay.forced import repairs
    from narratives.replay.measures import measure
    from narratives.replay.tracker import pipeline, vectors_of

    stream = planted(desk, plan)
    vectors = vectors_of(stream, desk.material(encoder))
    runs = {"narratives": pipeline(stream, encoder, desk.folder / "vectors", desk.settings, desk.definitions)}
    runs |= {name: track(stream, vectors) for name, track in BASELINES.items()}
    found = {name: measure(stream, tracked) for name, tracked in runs.items()}
    if stream.forced:
        found["narratives"] |= repairs(stream, encoder, desk.folder / "vectors", desk.settings, desk.definitions)
    return pd.DataFrame(found)
