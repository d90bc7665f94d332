"""Model input and sentences: normal forms, quotations, abbreviations, offsets, long texts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings import model_input, split_sentences
from embeddings.transformer import TransformerEncoder


def pieces(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


def test_traditional_and_simplified_copies_have_one_input() -> None:
    assert model_input("稀土磁體價格上漲", "釹鐵硼") == model_input("稀土磁体价格上涨", "钕铁硼")


def test_forms_of_hong_kong_are_simplified_too() -> None:
    assert model_input("衞星與敍利亞", "綫上、裏面、爲甚麽") == model_input("卫星与叙利亚", "线上、里面、为甚么")


@pytest.mark.realdata
def test_traditional_forms_of_real_texts_have_their_input_or_nearly(
    shared_data: Path, bundled: TransformerEncoder
) -> None:
    import opencc

    articles = pd.read_json(shared_data / "stories_blurbs_zh_en.jsonl", lines=True)
    simplified = articles.loc[articles["lang"] == "zh", "text"].tolist()
    for name, n_least in (("s2t", 96), ("s2tw", 96), ("s2hk", 96), ("s2twp", 60)):
        convert = opencc.OpenCC(name).convert  # making one takes longer than converting all
        pairs = [(model_input("", text), model_input("", convert(text))) for text in simplified]
        other = [pair for pair in pairs if pair[0] != pair[1]]
        assert len(pairs) - len(other) >= n_least
        if other:  # words of Taiwan's own
            cosines = bundled.encode([a for a, _ in other]) * bundled.encode([b for _, b in other])
            assert cosines.sum(axis=1).min() > 0.98


def test_japanese_and_korean_keep_their_characters() -> None:
    assert "東京" in model_input("東京電力の発表", "磁石の価格が上がりました")
    assert "中國" in model_input("", "한국은 中國 수출 통제에 대응했다")


def test_a_title_alone_and_a_body_alone_are_enough() -> None:
    assert model_input("Only a title", "") == "Only a title"
    assert model_input("", " body ") == "body"
    assert model_input(" ", "") == ""


def test_a_body_that_repeats_its_title_gets_it_once() -> None:
    assert model_input("稀土涨价", "稀土涨价 今日报价") == "稀土涨价 今日报价"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("价格上涨。为什么？没人知道！", ["价格上涨。", "为什么？", "没人知道！"]),
        (
            "“我们不会退让。”商务部表示，态度明确。结束。",
            ["“我们不会退让。”商务部表示，态度明确。", "结束。"],
        ),
        ("他说：“够了。别再说了！”随后离开。", ["他说：“够了。别再说了！”", "随后离开。"]),
        ('"It is over. Go home!" Analysts left.', ['"It is over. Go home!"', "Analysts left."]),
        ('"We will wait," he said. Then he left.', ['"We will wait," he said.', "Then he left."]),
        (
            "Mr. Lee of Acme Inc. said so. It rose 3.5 percent.",
            ["Mr. Lee of Acme Inc. said so.", "It rose 3.5 percent."],
        ),
        ("Sold in the U.S. The law passed.", ["Sold in the U.S.", "The law passed."]),
        ("U.S. Steel rose. No. 1 fell.", ["U.S. Steel rose.", "No. 1 fell."]),
        ("稀土（如镨、钕。）出口。下一句", ["稀土（如镨、钕。）出口。", "下一句"]),
        ("Exports fell in May.中国出口下降。", ["Exports fell in May.", "中国出口下降。"]),
        ("first line\n- second line\r\n\r\nthird", ["first line", "- second line", "third"]),
        ("“从未结束。第二句。", ["“从未结束。", "第二句。"]),
        ("It’s “never closed. Another one.", ["It’s “never closed.", "Another one."]),
        (" \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert pieces(text) == sentences


def test_a_long_quotation_is_split_inside() -> None:
    quotation = "“" + "我们认为出口管制不会持续太久。" * 20 + "”"
    assert len(pieces(quotation)) == 20


def test_text_without_stops_is_cut() -> None:
    assert max(len(piece) for piece in pieces("稀土出口管制，" * 400)) <= 500


def test_twenty_thousand_words_take_no_time() -> None:
    text = "The ministry said that exports rose again in May. " * 2_500
    assert len(pieces(text)) == 2_500


@given(st.text(alphabet="ab A.!?。！？“”\"'’‘（）()…\n 中说，", max_size=80))
def test_spans_are_in_order_and_lose_only_white_space(text: str) -> None:
    spans = split_sentences(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    kept = "".join(span.of(text) for span in spans)
    assert kept.replace(" ", "") == "".join(text.split())
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)


def test_a_list_on_one_line_is_taken_apart_without_its_signs():
    text = "Core Insights - Prices rose 3-5 percent [1][9] - Output fell. It hurt. - Demand is 稀土 - 中国 is first"
    assert [span.of(text) for span in split_sentences(text)] == [
        "Core Insights",
        "Prices rose 3-5 percent [1][9]",
        "Output fell.",
        "It hurt.",
        "Demand is 稀土",
        "中国 is first",
    ]


def test_a_dash_or_two_is_no_list():
    text = "Price talk - The mine. He said - well - no."
    assert [span.of(text) for span in split_sentences(text)] == ["Price talk - The mine.", "He said - well - no."]
