"""Through a desk: the parts of a story that is told loosely are born as one, and go where the story is."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

import narratives
from narratives.decisions import Decisions
from tests.narratives.test_pipeline import START, run, write

SAID = [f"said{i}" for i in range(8)]  # what both wings say
WINGS = {"harbour": [f"harbour{i}" for i in range(6)], "strike": [f"strike{i}" for i in range(6)]}


def article(kind: str, week: int, i: int, words: list[str]) -> dict[str, str]:
    at = START + timedelta(weeks=week, hours=i)
    return {
        "title": " ".join(words[:4]),
        "text": " ".join(words[4:]) + ".",
        "source": f"Wire {i % 3}",
        "url": f"https://example.org/{kind}/{week}/{i}",
        "published_at": at.isoformat(),
    }


def told(wing: str, week: int, i: int) -> dict[str, str]:
    """A text of one wing: nearly all of its words, those of both, and two that nobody else has."""
    rng = random.Random(f"{wing}{week}{i}")
    words = [*rng.sample(WINGS[wing], 5), *rng.sample(SAID, 7), f"own{wing}{week}{i}a", f"own{wing}{week}{i}b"]
    return article(wing, week, i, words)


def stranger(week: int, i: int) -> dict[str, str]:
    return article("alone", week, i, [f"alone{week}x{i}x{n}" for n in range(12)])


def desk_of(folder: Path, **changed: float) -> narratives.Desk:
    folder.mkdir()
    (folder / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
    desk = narratives.init(folder / "desk", folder / "none.yaml")
    # Nothing joins by its own likeness; the two wings are a little less than .6 as like each
    # other as each is within.
    high = {"floor": 0.95, "group_floor": 0.9, "sibling": 0.55}
    discover = desk.settings.discover.model_copy(update={"event_level": 0.6, "group_word_weight": 0.0} | high | changed)
    desk.settings = desk.settings.model_copy(update={"discover": discover})
    return desk


def homes(desk: narratives.Desk, wing: str) -> list[str]:
    articles = desk.articles()
    return list(articles[articles["url"].str.contains(f"/{wing}/")]["narrative"])


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return write(tmp_path / "before.jsonl", [stranger(0, i) for i in range(120)])


def test_two_wings_of_one_week_are_born_as_one(tmp_path, before, word_encoder, word_tone):
    week = write(tmp_path / "week.jsonl", [told(wing, 1, i) for wing in WINGS for i in range(6)])
    found = {}
    for name, sibling in (("one", 0.55), ("two", 2.0)):
        desk = desk_of(tmp_path / name, sibling=sibling, came_before=2.0)  # no past is known yet
        run(desk, word_encoder, word_tone, [before])
        run(desk, word_encoder, word_tone, [week])
        found[name] = homes(desk, "harbour"), homes(desk, "strike"), len(desk.alerts())
        desk.close()
    harbour, strike, _ = found["two"]  # the cut takes them apart
    assert len(set(harbour)) == len(set(strike)) == 1 and "" not in {*harbour, *strike} and harbour[0] != strike[0]
    harbour, strike, n_alerts = found["one"]
    assert set(harbour) == set(strike) and len(set(harbour)) == 1 and n_alerts == 1 < found["two"][2]


@pytest.mark.parametrize("kept_out", [False, True])
def test_a_second_wing_goes_to_the_young_narrative_but_for_what_the_analyst_keeps_out(
    tmp_path, before, word_encoder, word_tone, kept_out
):
    desk = desk_of(tmp_path / "later")
    run(desk, word_encoder, word_tone, [before])
    run(desk, word_encoder, word_tone, [write(tmp_path / "1.jsonl", [told("harbour", 1, i) for i in range(6)])])
    (young,) = set(homes(desk, "harbour"))
    desk.ingest([write(tmp_path / "2.jsonl", [told("strike", 2, i) for i in range(7)])])
    out = told("strike", 2, 3)["url"]
    if kept_out:  # with it goes what is more like it than like the members: the whole wing
        Decisions(desk.archive, desk.zone).reject(out, young)
    run(desk, word_encoder, word_tone, [])
    (strike,) = set(homes(desk, "strike"))
    assert strike and (strike == young) != kept_out
    assert set(homes(desk, "harbour")) == {young}
    desk.close()
