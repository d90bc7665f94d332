"""What a word has gathered it goes on gathering, through a desk in which nothing joins by its own likeness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.decisions import Decisions
from tests.narratives.test_bursts import desk_with, news, report
from tests.narratives.test_pipeline import run, write
from tests.narratives.test_young_story import article, homes, told

LATER = [report("later", 9, i, "cocoa") for i in range(3)]
SILENT = [report("silent", 9, i, "sugar") for i in range(3)]  # on the same market, without the word


@pytest.fixture
def desk(tmp_path: Path, word_encoder: Any, word_tone: Any) -> Any:
    """Sixteen reports of two weeks, gathered by “cocoa”."""
    rows = news(9) + [report("cocoa", week, i, "cocoa") for week in (7, 8) for i in range(8)]
    desk = desk_with(tmp_path, rows, word_encoder, word_tone, sibling=2.0, word_weight=0.0)
    assert set(homes(desk, "cocoa")) == {"N0001"}
    yield desk
    desk.close()


def add(desk: narratives.Desk, encoder: Any, tone: Any, rows: list[dict[str, str]]) -> None:
    run(desk, encoder, tone, [write(desk.folder / "more.jsonl", rows)])


def test_later_texts_that_bear_the_word_join_and_others_do_not(desk, word_encoder, word_tone) -> None:
    (row,) = desk.archive.rows(narratives.archive.schema.narrative)
    assert row["gathered_by"] == "cocoa"
    stranger = article("odd", 9, 0, ["cocoa", *(f"odd{n}" for n in range(12))])
    add(desk, word_encoder, word_tone, [*LATER, *SILENT, stranger])
    assert homes(desk, "later") == ["N0001"] * 3
    assert homes(desk, "silent") == [""] * 3 and homes(desk, "odd") == [""]


def test_without_its_word_the_narrative_takes_in_none_of_them(desk, word_encoder, word_tone) -> None:
    with desk.archive.begin() as connection:  # an archive of before the word was kept
        connection.execute(narratives.archive.schema.narrative.update().values(gathered_by=None))
    add(desk, word_encoder, word_tone, LATER)
    assert homes(desk, "later") == [""] * 3


@pytest.mark.parametrize("bearing", [2, 4])
def test_an_event_joins_whole_or_is_born_whole(desk, word_encoder, word_tone, monkeypatch, bearing) -> None:
    """Six texts that the cut holds together, of which some bear the word."""
    monkeypatch.setattr("narratives.gathered._OF_LEVEL", -1.0)  # however unlike
    event = [told("harbour", 9, i) for i in range(6)]
    for row in event[:bearing]:
        row["title"] = f"cocoa {row['title']}"
    add(desk, word_encoder, word_tone, event)
    assert set(homes(desk, "harbour")) == {"N0001" if bearing == 4 else "N0002"}


def test_what_the_analyst_keeps_out_stays_out(desk, word_encoder, word_tone) -> None:
    add(desk, word_encoder, word_tone, LATER)
    articles = desk.articles()
    (out,) = articles[articles["url"].str.endswith("/later/9/0")]["id"]
    Decisions(desk.archive, desk.zone).reject(out, "N0001")
    again = article("again", 10, 0, [*LATER[0]["title"].split(), *LATER[0]["text"].rstrip(".").split()[:-1], "anew"])
    add(desk, word_encoder, word_tone, [again])
    assert homes(desk, "later").count("N0001") == 2 and homes(desk, "again") == [""]
