"""What a notebook asks: search, neighbours, explanations, and what-if; none of it writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.search import question_words, word_scores

DEFINITION = """
id: memory
name: {en: Memory prices, zh: 存储价格}
claim: {en: dram and nand prices rise}
examples: [chip memory price server dram, nand phone demand maker contract, memory chip price contract]
counter_examples: [pit leach acid river village]
"""


@pytest.fixture(scope="module")
def desk(small_desk_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[narratives.Desk]:
    folder = tmp_path_factory.mktemp("asked") / "desk"
    shutil.copytree(small_desk_folder, folder)
    own = narratives.open(folder, read_only=True)
    yield own
    own.close()


def topic(url: str) -> str:
    return url.split("/")[3]


def test_a_question_finds_what_speaks_of_it(desk: narratives.Desk, word_encoder: Any) -> None:
    found = desk.search("dram memory price", n=10, encoder=word_encoder)
    assert [topic(url) for url in found["url"]] == ["chips"] * 10
    assert found["score"].is_monotonic_decreasing and found["score"].iloc[0] > 1
    assert set(found["shared"].iloc[0]) <= {"dram", "memory", "price"}
    with pytest.raises(ValueError, match="empty"):
        desk.search("  ", encoder=word_encoder)


def test_words_of_both_languages_are_looked_for_in_the_text() -> None:
    assert question_words("镝 export licence of the ministry") == ["镝", "export", "licence", "ministry"]
    texts = ["镝铽出口", "exports need a licence", "reexport", "nothing"]
    shares, shared = word_scores("镝 export", texts)
    assert shared == [("镝",), ("export",), (), ()]
    assert shares[0] == shares[1] > shares[2] == 0


def test_neighbours_are_other_stories_of_its_kind(desk: narratives.Desk) -> None:
    articles = desk.articles()
    own = articles[articles["url"].str.contains("/mine/2/")].iloc[0]
    near = desk.neighbours(own["url"], n=5)
    assert [topic(url) for url in near["url"]] == ["mine"] * 5
    assert own["id"] not in set(near["id"]) and near["cosine"].is_monotonic_decreasing
    with pytest.raises(ValueError, match="no article"):
        desk.neighbours("nothing")


def test_an_explanation_shows_itself(desk: narratives.Desk, word_encoder: Any) -> None:
    own = desk.articles().iloc[0]
    said = desk.explain(own["id"], "plants", encoder=word_encoder)
    assert "N0001" in {n.id for n in said.nearest}
    shown = said._repr_html_()
    assert own["title"] in shown and all(line.split("<")[0][:20] in shown for line in said.why)


def test_a_definition_is_tried_without_being_written(desk: narratives.Desk, word_encoder: Any) -> None:
    before = desk.archive.digest()
    trial = desk.try_definition(DEFINITION, encoder=word_encoder)
    assert desk.archive.digest() == before
    reached = trial.articles[trial.articles["score"] >= trial.articles["level"]]
    assert len(reached) and {topic_of(desk, i) for i in reached.head(10)["id"]} == {"chips"}
    assert sum(trial.taken.values()) == trial.articles["joins"].sum()
    assert trial.n_looked_at == 75
    chips = desk.articles().set_index("id").loc[reached["id"].iloc[0], "narrative"]
    alone = desk.try_definition(DEFINITION, instead_of=[chips], encoder=word_encoder)
    assert alone.taken[chips] > trial.taken.get(chips, 0)
    assert "nothing was changed" in trial._repr_html_()
    with pytest.raises(ValueError, match="name"):
        desk.try_definition({"id": "x"}, encoder=word_encoder)
    with pytest.raises(ValueError, match="one narrative"):
        desk.try_definition("just words", encoder=word_encoder)


def topic_of(desk: narratives.Desk, article: str) -> str:
    return topic(desk.articles().set_index("id").loc[article, "url"])


def test_a_worse_version_of_a_definition_is_seen_to_lose_articles(desk: narratives.Desk, word_encoder: Any) -> None:
    has = (desk.articles()["narrative"] == "N0001").sum()
    worse = {"id": "plants", "name": {"en": "Plants"}, "examples": ["weather sports music holiday"]}
    trial = desk.try_definition(worse, encoder=word_encoder)
    lost = trial.articles[~trial.articles["joins"] & (trial.articles["narrative"] == "N0001")]
    assert len(lost) == has > 0 and trial.own == "N0001"
    assert f"lose {has}" in trial._repr_html_()


@pytest.mark.slow
def test_settings_are_compared_on_a_copy(desk: narratives.Desk, word_encoder: Any) -> None:
    before = desk.archive.digest()
    same = desk.compare_settings({"discover.ended_weeks": 30}, encoder=word_encoder)
    assert same.articles.empty and same.agreement == 1.0
    other = desk.compare_settings({"discover": {"min_stories": 30}}, encoder=word_encoder)
    assert desk.archive.digest() == before
    share = other.figures.loc["share of stories in a narrative"]
    assert other.agreement < 1 and share["after"] != share["before"] and len(other.articles)


def test_a_setting_that_is_not_there_is_named(desk: narratives.Desk) -> None:
    for wrong in ({"discover.nothing": 1}, {"nothing": 1}, {}):
        with pytest.raises(ValueError, match="no setting"):
            desk.compare_settings(wrong, encoder=None)
