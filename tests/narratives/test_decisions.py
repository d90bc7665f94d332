"""Decisions: on record, in effect at once, refused where they make no sense, and taken back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.agreement import disagreements
from narratives.archive import ArchiveBusy, schema
from narratives.cli import main
from narratives.decisions import Decisions
from narratives.rulings import Rulings


@pytest.fixture
def desk(small_desk_folder: Path, tmp_path: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    own = narratives.open(tmp_path / "desk")
    yield own
    assert list(disagreements(own.archive, own.settings.discover.max_members)) == []
    own.close()


def home(desk: narratives.Desk, topic: str) -> str:
    """The narrative that holds most of a topic."""
    articles = desk.articles()
    own = articles[articles["url"].str.contains(f"/{topic}/") & (articles["narrative"] != "")]
    return str(own["narrative"].mode()[0])


def ids(desk: narratives.Desk, topic: str) -> list[str]:
    articles = desk.articles()
    return list(articles[articles["url"].str.contains(f"/{topic}/") & (articles["narrative"] != "")]["id"])


def where(desk: narratives.Desk) -> dict[str, str]:
    return dict(desk.articles().set_index("id")["narrative"])


def contents(desk: narratives.Desk) -> dict[str, Any]:
    """What a reader sees, without the decisions themselves."""
    rows = {t.name: desk.archive.rows(t) for t in (schema.membership, schema.event)}
    kept = ("id", "status", "merged_into", "name_zh", "name_en", "born_week", "last_week", "drafted")
    rows["narrative"] = [{k: r[k] for k in kept} for r in desk.archive.rows(schema.narrative)]
    rows["event"] = [{k: v for k, v in r.items() if k != "id"} for r in rows["event"]]
    return rows


def test_a_name_shows_everywhere_at_once_and_goes_back(desk: narratives.Desk) -> None:
    mine = home(desk, "mine")
    before = contents(desk)
    decision = desk.rename(mine, zh="克钦矿", en="Kachin mines")
    row = desk.narratives().set_index("id").loc[mine]
    assert (row["name_zh"], row["name_en"]) == ("克钦矿", "Kachin mines")
    event = desk.events().iloc[-1]
    assert (event["kind"], event["narrative"], event["detail"]["after"]["en"]) == ("renamed", mine, "Kachin mines")
    second = desk.rename(mine, en="Mines")
    assert list(desk.events()["kind"]).count("renamed") == 1
    desk.undo(second)
    assert desk.narratives().set_index("id").loc[mine, "name_en"] == "Kachin mines"
    desk.undo(decision.id)
    assert contents(desk) == before
    assert list(desk.decisions()["kind"]) == ["rename", "rename", "undo", "undo"]
    assert list(desk.decisions()["undone"]) == [True, True, False, False]


def test_a_pinned_article_moves_with_its_score_gone_and_back(desk: narratives.Desk) -> None:
    mine, plant = home(desk, "mine"), home(desk, "plant")
    article = ids(desk, "mine")[0]
    before = contents(desk)
    decision = desk.pin(article[:9], plant)
    assert where(desk)[article] == plant
    assert decision.article == article
    row = desk.articles().set_index("id").loc[article]
    assert row["verdict"] == ""
    desk.undo(decision)
    assert where(desk)[article] == mine
    assert contents(desk) == before


def test_a_rejected_article_leaves_and_comes_back(desk: narratives.Desk) -> None:
    mine = home(desk, "mine")
    article = ids(desk, "mine")[0]
    before = contents(desk)
    decision = desk.reject(article, mine)
    assert where(desk)[article] != mine
    desk.undo(decision)
    assert contents(desk) == before


def test_a_merged_id_means_the_narrative_it_went_into_until_that_is_taken_back(desk: narratives.Desk) -> None:
    mine, chips = home(desk, "mine"), home(desk, "chips")
    before = contents(desk)
    moved = set(ids(desk, "chips"))
    decision = desk.merge(chips, mine)
    assert {where(desk)[i] for i in moved} == {mine}
    assert desk.narratives().set_index("id").loc[chips, "merged_into"] == mine
    assert desk.rename(chips, en="Both").narrative == mine
    with pytest.raises(ValueError, match="itself"):
        desk.merge(chips, mine)
    desk.undo(2)
    desk.undo(decision)
    assert contents(desk) == before


def test_a_found_narrative_joins_a_named_one(desk: narratives.Desk) -> None:
    chips = home(desk, "chips")
    with pytest.raises(ValueError, match="there are: plants"):
        desk.same_as(chips, "factories")
    plants = desk.narratives().set_index("slug").loc["plants", "id"]
    with pytest.raises(ValueError, match="named narrative itself"):
        desk.same_as("plants", "plants")
    before = contents(desk)
    decision = desk.same_as(chips, "plants")
    assert {where(desk)[i] for i in ids(desk, "chips")} == {plants}
    desk.undo(decision)
    assert contents(desk) == before


def test_a_split_makes_a_narrative_of_whole_stories(desk: narratives.Desk) -> None:
    mine = home(desk, "mine")
    chosen = ids(desk, "mine")[:4]
    with pytest.raises(ValueError, match="1 story"):
        desk.split(mine, chosen[:1])
    with pytest.raises(ValueError, match=f"not in {mine}"):
        desk.split(mine, [*chosen, ids(desk, "chips")[0]])
    with pytest.raises(ValueError, match="nothing would stay"):
        desk.split(mine, ids(desk, "mine"))
    before = where(desk)
    decision = desk.split(mine, chosen, en="Trucks")
    new = decision.detail["into"]
    row = desk.narratives().set_index("id").loc[new]
    assert (row["name_en"], row["n_stories"], row["status"]) == ("Trucks", 4, "active")
    assert {where(desk)[i] for i in chosen} == {new}
    kinds = desk.events()
    assert {"split", "born"} == set(kinds[kinds["detail"].map(lambda d: d.get("decision") == 1)]["kind"])
    desk.undo(decision)
    assert where(desk) == before
    assert desk.narratives().set_index("id").loc[new, "merged_into"] == mine


def test_a_label_is_the_articles_verdict_until_it_is_taken_back(desk: narratives.Desk) -> None:
    table = schema.score
    scored = desk.archive.rows(table, table.c.narrative_id == home(desk, "plant"))
    article, narrative = scored[0]["article_id"], scored[0]["narrative_id"]
    decision = desk.label_stance(article, narrative, "opposes")
    row = desk.articles().set_index("id").loc[article]
    assert (row["verdict"], row["stance"], row["confidence"]) == ("opposes", -1.0, 1.0)
    desk.undo(decision)
    again = desk.archive.rows(table, table.c.article_id == article, table.c.narrative_id == narrative)
    assert again == scored[:1]
    with pytest.raises(ValueError, match="supports, opposes, reports"):
        desk.label_stance(article, narrative, "for")


def test_a_draft_is_confirmed_once(desk: narratives.Desk) -> None:
    mine = home(desk, "mine")
    decision = desk.confirm(mine)
    assert not desk.narratives().set_index("id").loc[mine, "drafted"]
    with pytest.raises(ValueError, match="no draft"):
        desk.confirm(mine)
    desk.undo(decision)
    assert desk.narratives().set_index("id").loc[mine, "drafted"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda d: d.rename("N0099", en="x"), "no narrative 'N0099'"),
        (lambda d: d.rename("N0001"), "a new name is needed"),
        (lambda d: d.pin("nothing", "N0001"), "no article 'nothing'"),
        (lambda d: d.reject("", "N0001"), "no article ''"),
        (lambda d: d.merge("N0001", "N0099"), "no narrative 'N0099'"),
        (lambda d: d.undo(7), "no decision 7"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    desk: narratives.Desk, act: Callable[[narratives.Desk], Any], said: str
) -> None:
    before = desk.archive.digest()
    with pytest.raises(ValueError, match=said):
        act(desk)
    assert desk.archive.digest() == before


def test_a_decision_waits_for_no_update_but_says_that_one_runs(desk: narratives.Desk) -> None:
    other = narratives.open(desk.folder)
    with other.archive.lock("narratives update"), pytest.raises(ArchiveBusy, match="narratives update"):
        desk.rename("N0001", en="x")
    other.close()


def test_the_command_line_writes_the_same_records(desk: narratives.Desk, capsys: pytest.CaptureFixture[str]) -> None:
    mine, place = home(desk, "mine"), ["--desk", str(desk.folder)]
    assert main(["decide", "rename", mine, "--en", "Mines", *place]) == 0
    assert main(["decide", "reject", mine, *ids(desk, "mine")[:2], *place]) == 0
    assert main(["decide", "undo", "2", *place]) == 0
    assert main(["decide", "undo", "2", *place]) == 1
    assert "taken back already" in capsys.readouterr().err
    assert main(["decide", "list", *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and "taken back" in lines[2]
    frame = desk.decisions()
    assert list(frame["kind"]) == ["rename", "not_this", "not_this", "undo"]
    assert list(frame["narrative"]) == [mine] * 4


def test_a_merge_inside_another_is_undone_by_itself(desk: narratives.Desk) -> None:
    decisions, topics = Decisions(desk.archive, desk.zone), ("mine", "plant", "chips")
    mine, plant, chips = (home(desk, topic) for topic in topics)
    before = desk.articles().set_index("id")["narrative"]
    inner = decisions.merge(mine, plant)
    decisions.merge(plant, chips)
    decisions.undo(inner)
    now = desk.articles().set_index("id")["narrative"]
    assert (now[before == mine] == mine).all() and (now[before == plant] == chips).all()
    assert Rulings.load(desk.archive).home.keys().isdisjoint(desk.articles().set_index("id")["story"][before == mine])
