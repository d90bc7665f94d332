"""Tone toward the actors that an article names: in either script, in whole words, whoever speaks."""

from typing import Any

import pytest

from narratives.actor_tone import MAX_ACTORS, actor_names, actor_tone_rows
from narratives.definitions import Bilingual, Definition
from narratives.sentences import sentences_of


class ByTarget:
    """A real, tiny scorer: what stands right after the target decides."""

    name = "after-the-target"

    def score(self, texts: Any, encode: Any = None, targets: Any = None) -> Any:
        import numpy as np

        rows = []
        for text, target in zip(texts, targets, strict=True):
            after = text.partition(target)[2][:9]
            good, bad = ("wins" in after or "成功" in after), ("fails" in after or "失败" in after or "失敗" in after)
            rows.append([0.9, 0.1, 0.0] if bad else [0.0, 0.1, 0.9] if good else [0.0, 1.0, 0.0])
        return np.array(rows)


def rows_of(*texts: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    articles = [{"id": f"a{i}", "title": "", "text": text} for i, text in enumerate(texts)]
    return actor_tone_rows(articles, sentences_of(articles), names, ByTarget())


def test_one_article_speaks_differently_of_two_actors() -> None:
    found = rows_of("Lynas wins again. Iluka fails to deliver.", names=("Lynas", "Iluka"))
    assert {row["actor"]: row["tone"] for row in found} == {"Lynas": 0.9, "Iluka": -0.9}
    assert all(row["n_sentences"] == 1 and row["scorer"] == "after-the-target" for row in found)


def test_a_name_is_found_in_either_script_and_in_full_width_but_not_inside_a_word() -> None:
    found = rows_of("大陸的華盛頓失敗了。", "ＬＹＮＡＳ wins.", "Lynasco wins.", names=("华盛顿", "LYNAS", "Lynas"))
    assert [(row["article_id"], row["actor"], row["tone"]) for row in found] == [
        ("a0", "华盛顿", -0.9),
        ("a1", "LYNAS", 0.9),
    ]


def test_the_outlets_own_sentence_counts_more_than_a_quotation_and_the_quotation_has_its_speaker() -> None:
    text = "“Lynas fails everywhere,” said Maria Keller. Lynas wins a contract."
    (row,) = rows_of(text, names=("Lynas",))
    assert row["tone"] == pytest.approx((0.9 - 0.25 * 0.9) / 1.25, abs=1e-3)
    assert [item.get("speaker", "") for item in row["evidence"]] == ["", "Maria Keller"]
    first = row["evidence"][0]
    assert text[first["start"] : first["end"]] == "Lynas wins a contract."


def test_the_most_named_actors_are_enough() -> None:
    names = ("A Corp", "B Corp", "C Corp", "D Corp")
    found = rows_of("A Corp, B Corp and C Corp met. D Corp wins. D Corp left.", names=names)
    assert len(found) == MAX_ACTORS and found[0]["actor"] == "D Corp"


def test_nobody_named_is_no_row() -> None:
    assert rows_of("Rain again.", names=("Lynas",)) == [] == rows_of(names=("Lynas",))


def test_actors_are_those_of_the_definitions_once() -> None:
    a = Definition(id="a", name=Bilingual(en="A"), actors=("Lynas", "中国 "))
    b = Definition(id="b", name=Bilingual(en="B"), actors=("中国", ""))
    assert actor_names([a, b]) == ("Lynas", "中国")
