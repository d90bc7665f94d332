"""What a weekly step works on and decides, passed from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from narratives.affinity import Batch, Known
from narratives.assign import MEMBER_POOL, Pool
from narratives.known import Seed
from narratives.latest import Latest
from narratives.space import Space
from narratives.sums import Cell


@dataclass
class Member:
    """A membership about to be written."""

    article_id: str
    narrative_id: str
    weight: float
    how: str
    primary: bool = True
    weak: bool = False  # placed by its neighbours: still in the pool, and counted in volume only


@dataclass
class Cluster:
    """A narrative that this step found: its id, founding stories, and what it lies nearest to."""

    id: str
    article_ids: tuple[str, ...]
    nearest: str
    nearest_score: float
    kinship: float = 0.0  # to the discovered narrative that it is most like
    parent: str = ""
    cohesion: float = 0.0
    n_parts: int = 1  # groups that it was put together of
    word: str = ""  # in their headlines, that gathered them, as they write it
    term: str = ""  # the same as terms are counted
    told_before: float = 0.0  # likeness of the nearest texts of the weeks before, as a share of its own
    bootstrap: bool = False
    reviewed: bool = False  # split off by a review: part of a known narrative, so no alert


@dataclass
class StepState:
    """All that a step works on and what it decides; the pipeline's stages fill it from top to bottom."""

    week: date
    arrivals: list[dict[str, Any]]  # every waiting article of the week
    voices: list[dict[str, Any]] = field(default_factory=list)  # one article a story
    copies: dict[str, str] = field(default_factory=dict)  # article -> its story's voice
    space: Space | None = None
    seeds: dict[str, Seed] = field(default_factory=dict)
    narratives: dict[str, dict[str, Any]] = field(default_factory=dict)  # rows of the table, by id
    known: list[Known] = field(default_factory=list)
    members: Latest = field(default_factory=Latest)  # latest stories of each living narrative
    cells: dict[str, list[Cell]] = field(default_factory=dict)  # what members add up to
    totals: dict[str, Cell | None] = field(default_factory=dict)  # of the cells that a narrative is known by
    added_up: set[str] = field(default_factory=set)  # narratives whose cells were made anew in this step
    pool: Batch | None = None
    cut: float = 0.0  # similarity at which groups are cut: the mean over some weeks of
    measured_cut: float = 0.0  # what this week's material says
    kept_back: int = 0  # articles that hang together, but nothing shows that they are new
    pool_level: Pool = MEMBER_POOL
    bootstrapping: bool = False  # this is the week of the first clustering
    bootstrapped: bool = False  # it, or an earlier week, was
    placed: list[Member] = field(default_factory=list)
    voted: list[Member] = field(default_factory=list)  # weak members
    moved: list[Member] = field(default_factory=list)  # taken from a narrative that split
    born: list[Cluster] = field(default_factory=list)
