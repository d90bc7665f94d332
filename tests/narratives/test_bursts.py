"""A subject told in many ways is gathered by the word that its headlines share, if nobody used it before."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narratives
from narratives.agreement import disagreements
from narratives.bursts import Head, bursts, hanging_together, in_writing
from narratives.commands.alerts import reasons
from narratives.terms import article_terms
from tests.narratives.test_pipeline import run, write
from tests.narratives.test_young_story import article, desk_of, homes, stranger, told

MARKET = [f"market{i}" for i in range(22)]
P_VALUE = 0.0025


def heads(lang: str, n: int, *terms: str, recent: bool = True) -> list[Head]:
    return [Head(lang, set(terms), recent)] * n


def spoken(n: int, **held: int) -> dict[str, Any]:
    return {"en": {"n": n, "terms": held}}


def found(said: list[Head], past: list[dict[str, Any]], volume: float = 100.0) -> list[str]:
    return [burst.term for burst in bursts(said, past, {"en": volume, "zh": volume}, 5, P_VALUE)]


def test_a_word_bursts_where_hardly_any_text_held_it_and_older_texts_come_along() -> None:
    said = heads("en", 8, "cocoa", "price") + heads("en", 2, "cocoa", recent=False)
    (burst,) = bursts(said, [spoken(100, price=9), spoken(100, price=7), spoken(100)], {"en": 100.0}, 5, P_VALUE)
    assert burst.term == "cocoa" and burst.rows.tolist() == list(range(10))


def test_what_doubles_is_no_new_word_and_few_texts_are_not_enough() -> None:
    past = [spoken(100, price=9)] * 3
    assert found(heads("en", 36, "price"), past) == []
    assert found(heads("en", 4, "cocoa"), past) == []
    assert found(heads("en", 5, "cocoa"), past[:1]) == []  # after one week five are chance
    assert found(heads("en", 5, "cocoa"), past) == ["cocoa"]


def test_where_little_was_read_before_little_is_new() -> None:
    assert found(heads("en", 6, "cocoa"), [spoken(100)] * 3) == ["cocoa"]
    assert found(heads("en", 6, "cocoa"), [spoken(10)] * 3) == []  # a tenth of the texts of today
    assert found(heads("zh", 9, "可可"), [spoken(100)] * 3) == []  # the first weeks of a language


def test_those_of_most_texts_come_first() -> None:
    said = heads("en", 6, "cocoa", "bean") + heads("en", 3, "cocoa")
    assert found(said, [spoken(100)] * 4) == ["cocoa", "bean"]


def alike(n: int, level: float) -> np.ndarray:
    return np.full((n, n), level) + (1 - level) * np.eye(n)


def test_the_fewer_the_more_alike_they_have_to_be() -> None:
    assert hanging_together(alike(5, 0.30), 0.34, 5).tolist() == []
    assert hanging_together(alike(5, 0.35), 0.34, 5).tolist() == list(range(5))
    assert hanging_together(alike(8, 0.30), 0.34, 5).tolist() == list(range(8))
    assert hanging_together(alike(90, 0.21), 0.34, 5).tolist() == list(range(90))
    assert hanging_together(alike(90, 0.19), 0.34, 5).tolist() == []  # a month's name, in ninety headlines


def test_a_stranger_that_has_the_word_is_left_out() -> None:
    pairs = alike(7, 0.5)
    pairs[3, :] = pairs[:, 3] = 0.05
    assert hanging_together(pairs, 0.34, 5).tolist() == [0, 1, 2, 4, 5, 6]
    assert hanging_together(alike(4, 0.9), 0.34, 5).tolist() == []


def test_the_word_is_written_as_the_headlines_write_it() -> None:
    said = [article_terms(title, "") for title in ("Subsidies in the north end", "Why subsidies remain", "No subsidy")]
    assert in_writing("subsidie", said) == "subsidies"
    said = [article_terms(title, "") for title in ("魏则西事件续：医院停诊", "百度回应魏则西事件", "魏则西之后")]
    assert in_writing("魏则", said) == "魏则西"


# -- through a desk ------------------------------------------------------------------------------------------------


def report(kind: str, week: int, i: int, word: str) -> dict[str, str]:
    """Of one subject: the word, ten of 22 that everybody has, and two that nobody else has."""
    rng = random.Random(f"{kind}{week}{i}")
    own = f"{kind}{week}x{i}"
    return article(kind, week, i, [word, f"{own}a", *rng.sample(MARKET, 10), f"{own}b"])


def news(n_weeks: int) -> list[dict[str, str]]:
    return [stranger(week, i) for week in range(n_weeks) for i in range(40)]


def desk_with(folder: Path, rows: list[dict[str, str]], encoder: Any, tone: Any, **changed: float) -> narratives.Desk:
    desk = desk_of(folder / "desk", **changed)
    run(desk, encoder, tone, [write(folder / "news.jsonl", rows)])
    return desk


@pytest.mark.parametrize(("p_value", "born"), [(P_VALUE, True), (0.0, False)])
def test_a_subject_is_born_whose_texts_are_no_event(tmp_path, word_encoder, word_tone, p_value, born) -> None:
    """Parts of a story are not put together here (`sibling`): what the cut takes apart stays apart but for the word."""
    rows = news(9) + [report("cocoa", week, i, "cocoa") for week in (7, 8) for i in range(8)]
    desk = desk_with(tmp_path, rows, word_encoder, word_tone, burst_p_value=p_value, sibling=2.0)
    assert set(homes(desk, "cocoa")) == ({"N0001"} if born else {""})
    evidence = list(desk.alerts()["evidence"])
    assert [one["gathered_by"] for one in evidence] == (["cocoa"] if born else [])
    assert any("“cocoa” in headlines" in line for one in evidence for line in reasons(one)) == born
    desk.close()


def test_of_many_texts_a_part_is_looked_at_and_all_are_gathered(tmp_path, word_encoder, word_tone, monkeypatch) -> None:
    monkeypatch.setattr("narratives.bursts._MOST_ASKED", 20)
    rows = news(9) + [report("cocoa", 8, i, "cocoa") for i in range(35)]
    desk = desk_with(tmp_path, rows, word_encoder, word_tone, sibling=2.0)
    (evidence,) = desk.alerts()["evidence"]
    assert (evidence["gathered_by"], evidence["n_stories"]) == ("cocoa", 35)
    desk.close()


@pytest.mark.parametrize(("n_goods", "born"), [(2, True), (5, False)])
def test_it_is_not_born_where_the_like_has_always_come_under_other_words(
    tmp_path, word_encoder, word_tone, n_goods, born
) -> None:
    """So many reports of the same market a week, each week of another good."""
    rows = news(9) + [report("goods", week, i, f"good{week}") for week in range(9) for i in range(n_goods)]
    rows += [report("cocoa", week, i, "cocoa") for week in (7, 8) for i in range(8)]
    desk = desk_with(tmp_path, rows, word_encoder, word_tone, sibling=2.0)
    assert set(homes(desk, "cocoa")) == ({"N0001"} if born else {""})
    desk.close()


@pytest.mark.parametrize(("p_value", "n_narratives"), [(P_VALUE, 1), (0.0, 2)])
def test_an_event_that_mostly_bears_the_word_becomes_part(
    tmp_path, word_encoder, word_tone, p_value, n_narratives
) -> None:
    """Six reports of ten out of twelve words are an event; the other sixteen tell of the market at large."""
    rng = random.Random(0)
    said = [["cocoa", f"event{i}", *rng.sample(MARKET[:12], 10), f"last{i}"] for i in range(6)]
    said[5][0] = "trade"  # the sixth is of the event, and does not bear the word
    events = [article("event", 8, i, words) for i, words in enumerate(said)]
    rows = news(9) + events + [report("cocoa", week, i, "cocoa") for week in (7, 8) for i in range(8)]
    desk = desk_with(tmp_path, rows, word_encoder, word_tone, burst_p_value=p_value, sibling=2.0)
    assert len({*homes(desk, "event"), *homes(desk, "cocoa")}) == n_narratives
    assert set(homes(desk, "event")) == {"N0001"}
    desk.close()


def test_what_a_young_narrative_took_in_is_not_gathered_again(tmp_path, word_encoder, word_tone) -> None:
    """The second wing joins the first, though all of its headlines hold a new word; nothing has two homes."""
    second = [told("strike", 8, i) for i in range(6)]
    for row in second:
        row["title"] = f"walkout {row['title']}"
    rows = news(9) + [told("harbour", 7, i) for i in range(6)] + second
    desk = desk_with(tmp_path, rows, word_encoder, word_tone)
    (home,) = set(homes(desk, "harbour") + homes(desk, "strike"))
    assert home and len(desk.narratives()) == 1
    assert list(disagreements(desk.archive, desk.settings.discover.max_members)) == []
    desk.close()
