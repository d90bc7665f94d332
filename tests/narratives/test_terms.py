"""Terms of a text, their counts, keywords and names."""

from __future__ import annotations

from typing import Any

import pytest

from narratives import stop_words
from narratives.keywords import alike, keywords_of, mmr, ranked_terms
from narratives.naming import name_from
from narratives.term_sums import Tally, add_up, commonest, count, texts_of
from narratives.terms import article_terms, runs


def article(title: str, text: str = "", lang: str = "en", source: str = "Wire") -> dict[str, Any]:
    return {"title": title, "text": text, "lang": lang, "source": source}


KACHIN = [
    article("Kachin State mines change hands", "Rebels hold the mines in Kachin State.", source="A"),
    article("Who taxes the trucks of Kachin State?", "The KIA said that mines pay, and trucks too.", source="B"),
    article("Mines in Kachin State reopen", "The KIA and its mines were not named.", source="C"),
]
SCRAP = [
    article("Old drives yield magnets", "A plant in Texas takes magnets out of hard drives.", source="A"),
    article("Magnets from hard drives", "Recycling is small, said a maker of hard drives.", source="B"),
    article("A magnet, twice", "The hard drives of Texas.", source="C"),
]
EVERY = texts_of([count(KACHIN), count(SCRAP)])


def test_a_phrase_ends_at_punctuation_a_stop_word_or_a_verb() -> None:
    found = article_terms("Magnet makers wait, Kachin State announces rules for Kuala Lumpur", "")
    assert "magnet maker" in found and "kachin state" in found and "kuala lumpur" in found
    assert not {"wait kachin", "state announces", "rule for", "announces"} & set(found)


def test_chinese_phrases_join_neighbouring_words_also_single_characters() -> None:
    found = article_terms("魏则西事件：百度的责任", "")
    assert {"魏则西事件", "百度", "责任"} <= set(found)
    assert not any("的" in term for term in found)


def test_traditional_characters_count_as_simplified_ones() -> None:
    assert set(article_terms("緬甸稀土礦區", "")) == set(article_terms("缅甸稀土矿区", ""))


def test_a_possessive_ends_a_run() -> None:
    found = [[token.norm for token in run] for run in runs("China's grip, and aid")]
    assert found == [["china"], ["grip"], ["and", "aid"]]


def test_a_word_that_never_stands_alone_is_known() -> None:
    found = article_terms("Kuala Lumpur", "It is in Kuala Lumpur. The Lynas plant is there, and Lynas.")
    assert not found["kuala"].whole and found["kuala lumpur"].whole and found["lyna"].whole


def test_counts_are_of_texts_titles_and_outlets() -> None:
    part = count(KACHIN)["en"]
    assert part["n"] == 3 and part["outlets"] == 3
    assert part["terms"]["kachin state"] == [3, 3, 2, 3]
    assert (
        part["terms"]["kia"][0] == 2
        and part["forms"]["kia"] == "KIA"
        and part["forms"]["kachin state"] == "Kachin State"
    )


def test_counts_of_two_halves_add_up_to_those_of_all() -> None:
    whole, halves = count(KACHIN), add_up([count(KACHIN[:1]), count(KACHIN[1:])])
    assert halves == whole


def test_only_the_commonest_terms_are_kept() -> None:
    kept = commonest({"a": [3, 0, 0, 1], "b": [1, 1, 1, 1], "c": [1, 0, 1, 1]}, 2)
    assert list(kept) == ["a", "b"]


def test_keywords_are_phrases_as_written_and_say_a_thing_once() -> None:
    terms = keywords_of(count(KACHIN), EVERY).terms("en", 5)
    assert terms[0] == "Kachin State" and "KIA" in terms and "mines" in terms
    assert not {"Kachin", "State", "mine"} & set(terms)
    assert all(alike(a, b) < 1 for i, a in enumerate(terms) for b in terms[:i])


def test_what_all_material_speaks_of_is_no_keyword() -> None:
    rows = [article(f"Texas and a plant {word}", "") for word in ("alpha", "beta", "gamma")]
    others = [article(f"Texas and a river {word}", "") for word in ("delta", "omega", "sigma", "kappa")]
    ranked = dict(ranked_terms(count(rows)["en"], texts_of([count(rows), count(others)])["en"]))
    alone = dict(ranked_terms(count(rows)["en"], texts_of([count(rows)])["en"]))
    assert set(ranked) == {"plant", "texa"}
    assert ranked["plant"] / ranked["texa"] > alone["plant"] / alone["texa"]


def test_mmr_prefers_what_is_unlike_what_was_chosen() -> None:
    ranked = [("a", 1.0), ("b", 0.9), ("c", 0.5)]
    near = {frozenset("ab"): 0.9}
    chosen = mmr(ranked, lambda x, y: near.get(frozenset((x, y)), 0.0), 2, 0.5)
    assert [term for term, _ in chosen] == ["a", "c"]
    assert mmr([], alike, 3) == []


def test_a_name_has_phrases_and_leaves_out_what_is_said_little() -> None:
    assert name_from(count(KACHIN), EVERY, "en") == "Kachin State · mines"
    assert name_from(count(SCRAP), EVERY, "en") == "magnets · hard drives"
    assert name_from(count(SCRAP), EVERY, "zh") == ""


def test_a_name_avoids_what_another_is_called() -> None:
    free = name_from(count(KACHIN), EVERY, "en")
    assert name_from(count(KACHIN), EVERY, "en", taken=[free]) != "" and free.startswith("Kachin State")
    other = name_from(count(KACHIN), EVERY, "en", taken=["Kachin State · trucks"])
    assert not other.startswith("Kachin State")


def test_a_term_of_one_outlet_is_no_name() -> None:
    rows = [
        article("Erie Times reports floods", "Floods in the valley.", source="A"),
        article("Erie Times reports floods again", "Floods rise.", source="A"),
        article("Floods in the valley", "Rain.", source="B"),
    ]
    assert "Erie" not in name_from(count(rows), EVERY, "en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_gives_no_name_and_no_keywords(lang: str) -> None:
    assert name_from({}, EVERY, lang) == "" and keywords_of({}, EVERY).terms(lang, 3) == []


def test_a_tally_of_all_articles_says_what_they_say_counted_together():
    tally = Tally()
    for row in reversed(KACHIN):
        tally.add(row, article_terms(row["title"], row["text"]))
    assert tally.profile() == count(KACHIN) == tally.profile()
    assert tally.profile(3)["en"]["terms"] == count(KACHIN, 3)["en"]["terms"]


def test_the_stop_words_are_those_of_scikit_learn_and_ours() -> None:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    assert stop_words._of_scikit_learn() == ENGLISH_STOP_WORDS
    assert all(map(stop_words.is_stop_word, ENGLISH_STOP_WORDS))
