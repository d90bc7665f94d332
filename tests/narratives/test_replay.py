"""A desk's own history with planted births, an outage and a flood of reprints."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone

import pytest

import narratives
from narratives.pipeline import update
from narratives.replay.plant import Plan, load_plan, planted, replay

TOPICS = {
    "mine": "mine ore pit leach acid river village kachin truck border",
    "plant": "magnet plant texas furnace alloy pentagon loan worker output line",
    "scrap": "scrap motor shredder hydrogen powder recycle disk buyer bins yard",
}
START = datetime(2025, 8, 25, 9, 0, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def desk(tmp_path, word_encoder, word_tone):
    rows = []
    for week in range(7):
        for topic, words in TOPICS.items():
            for i in range(7):
                rng = random.Random(f"{topic}{week}{i}")
                text = " ".join(rng.choices(words.split(), k=14)) + f" detail{rng.randrange(9999)}."
                at = START + timedelta(weeks=week, hours=rng.randrange(100))
                url = f"https://example.org/{topic}/{week}/{i}"
                rows.append({"title": text[:25], "text": text, "source": f"Wire {i % 3}", "url": url, "lang": "en"})
                rows[-1]["published_at"] = at.isoformat()
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
    own = narratives.init(tmp_path / "desk", tmp_path / "none.yaml")
    own.ingest([file])
    update(own.archive, own.settings, [], own.material(word_encoder), word_tone)
    return own


def scrap_of(desk) -> str:
    articles = desk.articles()
    return str(articles.loc[articles["url"].str.contains("/scrap/"), "narrative"].mode()[0])


def test_a_hidden_narrative_is_found_again_where_it_was_planted(desk, word_encoder):
    before = desk.archive.digest()
    plan = Plan(births=[{"narrative": scrap_of(desk), "week": 3, "per_week": 6}])
    found = replay(desk, plan, word_encoder)
    assert found.loc["found 6", "narratives"] == 1
    assert found.loc["late", "narratives"] <= 1
    assert found.loc["IDF1", "narratives"] > 0.9
    assert {"single pass", "weekly, merged", "refit, matched"} < set(found.columns)
    assert desk.archive.digest() == before


def test_an_outage_takes_a_source_away_and_a_flood_adds_copies(desk):
    birth = {"narrative": scrap_of(desk), "week": 3}
    plain = planted(desk, Plan(births=[birth]))
    assert min(text.week for text in plain.texts if text.story == birth["narrative"]) == 3
    out = planted(desk, Plan(births=[birth], outages=[{"source": "Wire 0", "week": 2, "weeks": 2}]))
    silent = {text.week for text in out.texts if text.source == "Wire 0"}
    assert not silent & {2, 3} and silent & {1, 4}
    flood = planted(desk, Plan(births=[birth], floods=[{"week": 4, "copies": 30}]))
    assert len(flood.texts) == len(plain.texts) + 30
    assert len({text.body for text in flood.texts}) == len({text.body for text in plain.texts})


@pytest.mark.parametrize(
    ("plan", "why"),
    [("births: []", "births"), ("births: [{narrative: N1, week: 0}]", "week"), ("births: [", "not valid YAML")],
)
def test_a_plan_that_is_none_is_refused_by_name(tmp_path, plan, why):
    file = tmp_path / "births.yaml"
    file.write_text(plan, encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        load_plan(file)


def test_a_narrative_without_stories_and_a_week_beyond_the_last_are_refused(desk):
    with pytest.raises(ValueError, match="N0099 has no stories"):
        planted(desk, Plan(births=[{"narrative": "N0099", "week": 2}]))
    with pytest.raises(ValueError, match="there are 7 weeks"):
        planted(desk, Plan(births=[{"narrative": scrap_of(desk), "week": 9}]))
