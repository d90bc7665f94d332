"""What a message says: in which language, why, and where to look."""

from typing import Any

import pytest

from narratives.archive import Archive, schema
from narratives.message import compose
from tests.narratives.delivery.conftest import set_state, settings


def message(archive: Archive, language: str = "both") -> Any:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    return compose(archive, row, settings(language=language))


def test_the_message_says_what_why_and_where_to_look(archive: Archive) -> None:
    said = message(archive)
    assert said.title == "新叙事 / New narrative: 回收 · 拆解 / scrap · drives"
    assert said.body.splitlines()[:-1] == [
        "新叙事：“回收 · 拆解”（N0002，rare earths and magnets），2025-W46 首次出现。2 条独立报道，2 个来源。",
        "New narrative: “scrap · drives” (N0002, rare earths and magnets), first seen in 2025-W46. "
        "2 stories from 2 outlets.",
        "",
        "- 回收厂扩产 ＠everyone — 磁材在线, 2025-11-12",
        "  https://example.org/a1",
        "- Recycling [31mgrows ‹!channel› — Mekong Post, 2025-11-13",
        "  https://example.org/a2",
        "",
        "不属于任何已知叙事：最近的是“中国稀土杠杆”（N0001），得分 0.10，归入需 0.20。",
        "None of the known: the nearest is “China leverage” (N0001) with a score of 0.10, joining needs 0.20.",
        "细看 / Look closer: narratives alerts show A0001",
        "",
    ]


@pytest.mark.parametrize(("language", "absent"), [("en", "新叙事"), ("zh", "New narrative")])
def test_the_message_is_in_the_language_of_the_report(archive: Archive, language: str, absent: str) -> None:
    said = message(archive, language)
    assert absent not in said.title + said.body
    assert said.id == message(archive).id


def test_a_confirmed_alert_shows_what_joined(archive: Archive) -> None:
    set_state(archive, "confirmed")
    said = message(archive, "en")
    assert "2 stories from 2 outlets at its birth; 3 stories from 3 outlets now." in said.body
    assert "Old drives find buyers — Harbor Wire" in said.body
    assert (said.title, said.kind) == ("New narrative confirmed: scrap · drives", "success")


def test_the_word_that_gathered_it_is_told_in_both_languages(archive: Archive) -> None:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    said = compose(archive, {**row, "evidence": {**row["evidence"], "gathered_by": "samarium\u202e"}}, settings()).body
    assert "标题中的“samarium”此前几乎没有文章用过" in said
    assert "joining needs 0.20. “samarium” in headlines, which hardly any text held before" in said


def test_that_its_like_was_told_before_is_told_in_both_languages(archive: Archive) -> None:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    told = {"told_before": 0.91, "growth_times": 10.0}
    said = compose(archive, {**row, "evidence": {**row["evidence"], **told}}, settings()).body
    assert "达到其报道彼此相似度的 91%" in said and "are 91% as like it as its own stories" in said


def test_alerts_of_two_desks_have_different_ids(archive: Archive) -> None:
    (row,) = archive.rows(schema.alert, schema.alert.c.id == "A0001")
    other = {**row, "evidence": {**row["evidence"], "article_ids": ["b1", "b2"]}}
    assert compose(archive, row, settings()).id != compose(archive, other, settings()).id
