"""Commands that look: `list`, `show` and `explain`."""

import json
from pathlib import Path

import pytest

from narratives.commands.screen import OK
from tests.narratives.commands.conftest import Run, refused


def test_list_shows_the_last_week(run: Run, finished: Path) -> None:
    code, out, _ = run("list", "--desk", finished)
    assert code == OK
    assert out.startswith("2025-W46: 1 story in no narrative\n")
    assert "中国稀土杠杆 / China leverage" in out and "scrap · drives" in out


def test_list_as_json_holds_figures_of_the_week_asked_for(run: Run, finished: Path) -> None:
    rows = json.loads(run("list", "--desk", finished, "--json")[1])
    assert [(row["id"], row["n_stories"], row["n_stories_before"]) for row in rows] == [
        ("N0002", 2, 0),
        ("N0001", 1, 2),
    ]
    earlier = json.loads(run("list", "--desk", finished, "--week", "2025-W45", "--json")[1])
    assert [(row["id"], row["n_stories"]) for row in earlier] == [("N0001", 2)], "N0002 was not yet born"
    assert rows[0]["stance"] is None, "too few stories for an average"


def test_a_week_that_was_not_processed(run: Run, finished: Path) -> None:
    refused(run("list", "--desk", finished, "--week", "2030-W01"), "2030-W01", "2025-W45 to 2025-W46")
    refused(run("list", "--desk", finished, "--week", "soon"), "2025-W46", "'soon'")


@pytest.mark.parametrize("wanted", ["N0001", "n0001", "china-leverage"])
def test_show_by_id_and_by_the_definitions_name(wanted: str, run: Run, finished: Path) -> None:
    code, out, _ = run("show", wanted, "--desk", finished)
    assert code == OK
    assert out.startswith("N0001  中国稀土杠杆 / China leverage")
    assert "China uses rare earths as leverage" in out and "2025-W46" in out
    assert "中国以稀土为杠杆" in out and "商务部宣布新的许" in out, "claim and evidence are in the original language"


def test_show_as_json(run: Run, finished: Path) -> None:
    said = json.loads(run("show", "N0002", "--desk", finished, "--json")[1])
    assert said["events"][0]["kind"] == "born"
    assert {row["article"] for row in said["evidence"]} and said["weeks"][0]["week"] == "2025-11-10"


def test_a_narrative_that_is_not_there(run: Run, finished: Path) -> None:
    refused(run("show", "N0999", "--desk", finished), "N0999", "narratives list --all")


def test_an_article_that_is_not_there(run: Run, finished: Path) -> None:
    refused(run("explain", "deadbeef", "--desk", finished), "deadbeef", "at least four characters")
