"""A small processed desk, made once a session and copied by whoever changes it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.pipeline import update

TOPICS = {
    "mine": "mine ore pit leach acid river village kachin truck border",
    "plant": "magnet plant texas furnace alloy pentagon loan worker output line",
    "chips": "chip memory price server dram nand phone demand maker contract",
    "scrap": "scrap motor shredder hydrogen powder recycle disk rotor buyer dealer",
}
START = datetime(2025, 8, 25, 9, 0, tzinfo=timezone(timedelta(hours=8)))
DEFINITIONS = """
narratives:
  - id: plants
    name: {en: Plants, zh: 工厂}
    claim: {en: magnet plant output rises}
    pro: [magnet plant texas furnace output, plant worker line output, furnace alloy loan output, plant pentagon loan]
    con: [plant furnace fails, worker line stops, loan refused, alloy furnace broken]
    neutral: [plant in texas, furnace alloy, pentagon plant]
"""


def small_story(topic: str, week: int, i: int) -> dict[str, str]:
    """A short text of words of one topic, different from all others."""
    rng = random.Random(f"{topic}{week}{i}")
    words = rng.choices(TOPICS[topic].split(), k=14) + [f"detail{rng.randrange(9999)}" for _ in range(3)]
    return {
        "title": " ".join(words[:5]),
        "text": " ".join(words[5:]) + ".",
        "source": f"Wire {i % 3}",
        "url": f"https://example.org/{topic}/{week}/{i}",
        "published_at": (START + timedelta(weeks=week, hours=rng.randrange(100))).isoformat(),
    }


@pytest.fixture(scope="session")
def add_stories(word_encoder: Any, word_tone: Any) -> Callable[..., None]:
    """Takes stories into a desk and processes them: `add_stories(desk, [(topic, week, n), …])`."""

    def add(desk: narratives.Desk, wanted: list[tuple[str, int, int]]) -> None:
        rows = [small_story(topic, week, i) for topic, week, n in wanted for i in range(n)]
        name = "-".join(f"{topic}{week}" for topic, week, _ in wanted)[:60]
        file = desk.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        desk.ingest([file])
        update(desk.archive, desk.settings, desk.definitions, desk.material(word_encoder), word_tone)

    return add


@pytest.fixture(scope="session")
def small_desk_folder(tmp_path_factory: pytest.TempPathFactory, add_stories: Callable[..., None]) -> Path:
    """Five weeks of three topics, one of them defined."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    desk = narratives.init(folder / "desk", folder / "definitions.yaml")
    add_stories(desk, [(topic, week, 5) for week in range(5) for topic in ("mine", "plant", "chips")])
    desk.close()
    return folder / "desk"


# -- where archives may be made: a file, and a real PostgreSQL server from a PyPI wheel


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an archive may be made; nothing is there yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "archive.sqlite")
        return
    yield request.getfixturevalue("postgres")
