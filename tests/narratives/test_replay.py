"""A desk's own history with planted births, an outage and a flood of reprints."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

import narratives
from narratives.pipeline import update
from narratives.replay.forced import Change, count_repairs, repairs
from narratives.replay.measures import Alert, Tracked, joined, measure
from narratives.replay.plant import Plan, load_plan, planted, replay
from narratives.replay.streams import Stream, Text
from narratives.replay.summary import LOWER_IS_BETTER, latest, table_of

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
    assert found.loc["IDF1", "narratives"] > max(0.75, found.loc["IDF1"].drop("narratives").max())
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
    [
        ("births: []", "needs births"),
        ("births: []\nmerges: [{narratives: [N1], week: 2}]", "merges"),
        ("births: [{narrative: N1, week: 0}]", "week"),
        ("births: [", "not valid YAML"),
    ],
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


def narrative_of(desk, topic) -> str:
    articles = desk.articles()
    return str(articles.loc[articles["url"].str.contains(f"/{topic}/"), "narrative"].mode()[0])


def test_what_is_merged_or_cut_by_force_is_mended_by_the_machine(desk, word_encoder, tmp_path):
    desk.settings = desk.settings.model_copy(
        update={"discover": desk.settings.discover.model_copy(update={"review_every": 1})}
    )
    mine, plant, scrap = (narrative_of(desk, topic) for topic in TOPICS)
    assert len({mine, plant, scrap}) == 3
    plan = Plan(merges=[{"narratives": [mine, plant], "week": 3}], splits=[{"narrative": scrap, "week": 3}])
    found = repairs(planted(desk, plan), word_encoder, tmp_path / "vectors", desk.settings)
    assert (found["forced merges"], found["forced splits"]) == (1, 1)
    assert (found["merges undone"], found["splits undone"]) == (1, 1)
    assert (found["wrong splits"], found["wrong merges"]) == (0, 0)
    assert 1 <= found["weeks to undo"] <= 3
    with pytest.raises(ValueError, match="N0099 has no stories"):
        planted(desk, Plan(splits=[{"narrative": "N0099", "week": 2}]))
    with pytest.raises(ValueError, match="there are 7 weeks"):
        planted(desk, Plan(splits=[{"narrative": scrap, "week": 7}]))


def test_a_split_with_the_wrong_members_or_too_late_undoes_nothing():
    texts = tuple(Text(str(i), "", "en", "", "a" if i < 8 else "b", 0, START) for i in range(16))
    stream = Stream(texts, {}, {}, 12)
    forced = Change("merge", 2, ("N1", "N2"), frozenset(range(8)), frozenset(range(8, 16)))

    def split(week, left):
        return Change("split", week, ("N1", "N3"), frozenset(range(16)) - left, left)

    right = count_repairs(stream, [forced], [split(4, frozenset(range(9, 16)))])
    assert (right["merges undone"], right["uncalled splits"], right["weeks to undo"]) == (1, 0, 2)
    crossed = count_repairs(stream, [forced], [split(4, frozenset(range(4, 12)))])
    assert (crossed["merges undone"], crossed["uncalled splits"]) == (0, 1)
    late = count_repairs(stream, [forced], [split(9, frozenset(range(8, 16)))])
    assert (late["merges undone"], late["uncalled splits"], late["wrong splits"]) == (0, 1, 0)
    torn = count_repairs(stream, [], [split(4, frozenset(range(12, 16)))])
    assert torn["uncalled splits"] == 1 and torn["wrong splits"] == 0
    same = Change("split", 4, ("N1", "N3"), frozenset(range(4)), frozenset(range(4, 8)))
    assert count_repairs(stream, [], [same])["wrong splits"] == 1


def test_stories_in_two_languages_are_joined_where_one_narrative_holds_half_of_each():
    langs = ["zh", "zh", "en", "en"] * 2
    texts = tuple(Text(str(i), "", lang, "", "ab"[i // 4], 0, START) for i, lang in enumerate(langs))
    stream = Stream(texts, {"a": 0, "b": 0}, {"a": 5, "b": 5}, 1, in_both=frozenset("ab"))
    assert joined(stream, ["1", "", "1", "1", "2", "2", "3", "3"]) == 0.5
    assert joined(stream, ["1", "1", "", "", "", "", "", ""]) == 0.0


def test_the_best_baseline_is_the_best_by_mean_and_the_difference_is_paired():
    keys = {"stream": "en", "digest": "d"}
    rows = [
        {**keys, "seed": seed, "tracker": tracker, "IDF1": high, "FA": low}
        for seed in (0, 1, 2)
        for tracker, high, low in (
            ("a", 0.5 + seed / 10, 0.2),
            ("b", 0.4 + seed / 10, 0.1),
            ("ours", 0.7 + seed / 10, 0.1),
        )
    ]
    table = table_of(latest(rows), ("a", "b"))
    assert table.loc["IDF1", "ours - best"] == "+0.20 [0.20, 0.20] a"
    assert table.loc["FA", "ours - best"] == "+0.00 [0.00, 0.00] b"
    with pytest.raises(ValueError, match="another stream"):
        latest([*rows, {**keys, "seed": 0, "tracker": "ours", "digest": "e"}])


def test_an_alert_on_a_story_that_begins_in_the_background_is_not_false_where_somebody_has_read_it():
    beside = ["", "", "fire", "fire", "", "fire", "fire", "", ""]
    texts = tuple(Text("t", str(i), "en", "s", "a" if i < 2 else "", 0, START, one) for i, one in enumerate(beside))
    alerts = [Alert(0, rows, True, rows != (7, 8)) for rows in ((0, 1), (2, 3, 4), (5, 6), (7, 8))]
    tracked = Tracked([""] * len(texts), {}, alerts)
    found = measure(Stream(texts, {"a": 0}, {"a": 5}, 2), tracked)
    assert (found["FA"], found["FA conf."]) == (1.5, 1.0)
    assert (found["FA read"], found["FA read conf."]) == (1.0, 0.5)  # the second alert on the fire, and one on nothing
    assert found["alerted 5+"] == found["confirmed 5+"] == 1.0
    assert {name for name in found if name.startswith("FA")} <= set(LOWER_IS_BETTER)
    unread = tuple(replace(text, beside="") for text in texts)
    assert "FA read" not in measure(Stream(unread, {"a": 0}, {"a": 5}, 2), tracked)


def test_where_some_labels_are_subjects_stories_are_measured_apart():
    told = [("fire", ""), ("fire", ""), ("gold", ""), ("gold", ""), ("gold", "strike"), ("", "strike"), ("", "")]
    texts = tuple(Text("t", str(i), "en", "s", story, 0, START, beside) for i, (story, beside) in enumerate(told))
    homes = Tracked(["N1", "N1", "N2", "N3", "N4", "N4", "N1"], dict.fromkeys(("N1", "N2", "N3", "N4"), 0))
    stream = Stream(texts, {"fire": 0, "gold": 0}, {"fire": 5, "gold": 5}, 1)
    assert "IDF1 stories" not in measure(stream, homes)
    apart = measure(replace(stream, subjects=frozenset({"gold"})), homes)
    assert apart["IDF1 stories"] == 1.0 > apart["IDF1 told"]
    assert (apart["stories found 5+"], apart["subjects found 5+"], apart["found 5+"]) == (1.0, 0.0, 0.5)
    assert apart["stories alerted 5+"] == 0.0
    assert apart["IDF1 stories, whole"] == pytest.approx(8 / 9)  # a text of nothing lies with the fire
    told_of = replace(homes, alerts=[Alert(0, (0, 1), True, False)])
    assert measure(replace(stream, subjects=frozenset({"gold"})), told_of)["stories alerted 5+"] == 1.0
    lost = replace(homes, narrative=["N1", "", *homes.narrative[2:]])
    assert measure(replace(stream, subjects=frozenset({"gold"})), lost)["IDF1 stories"] == pytest.approx(6 / 7)


def test_texts_placed_by_their_neighbours_have_figures_of_their_own():
    at = START
    stories = ["a", "a", "b", "b", "a", "b", ""]
    texts = tuple(Text("t", "b", "en", "s", story, 0, at) for story in stories)
    stream = Stream(texts, {"a": 0}, {"a": 3}, 1)
    homes = ["N1", "N1", "N2", "N2", "N1", "N1", "N2"]
    found = measure(stream, Tracked(homes, {"N1": 0, "N2": 0}, weak=frozenset({4, 5, 6})))
    assert found["weak"] == 3
    assert found["weak right"] == pytest.approx(1 / 3)
    assert found["weak single"] == pytest.approx(1 / 3)
