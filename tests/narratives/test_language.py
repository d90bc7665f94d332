"""Languages, scripts and words."""

from __future__ import annotations

import pytest

from narratives.characters import folded
from narratives.language import declared_language, detect_language, words


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("中国控制了全球大部分稀土供应和加工", "zh"),
        ("中國控制了全球大部分稀土供應和加工，美國廠商表示憂慮", "zh-Hant"),
        ("稀土", "zh"),
        ("China's rare earth exports to the United States fell again in October.", "en"),
        ("Magnet plant opens", "en"),
        ("美国财政部长在2025年11月7日去了eVAC Magnetics工厂视察", "zh"),
        ("Core Insights - 稀土 prices are driven by a structural transformation in demand", "en"),
        ("レアアースの輸出規制が自動車メーカーに影響を与えている", "ja"),
        ("희토류 수출 규제가 자동차 업계에 영향을 미치고 있다", "ko"),
        ("Die Preise für Seltene Erden sind im Oktober erneut gestiegen, sagte ein Händler.", "de"),
        ("Les prix des terres rares ont encore augmenté en octobre, selon un négociant.", "fr"),
        ("Kerajaan Malaysia mengumumkan kerjasama dengan syarikat Korea Selatan untuk membina kilang", "ms"),
        ("", "und"),
        ("2025-11-15 02:16 !!!", "und"),
        ("𠀀𠀁𠀂", "zh"),
    ],
)
def test_languages(text: str, tag: str) -> None:
    found = detect_language(text)
    assert found == tag or (tag == "ms" and found in ("ms", "id"))


@pytest.mark.parametrize(
    ("declared", "text", "tag"),
    [
        ("zh", "中國稀土價格", "zh-Hant"),
        ("zh-CN", "中国稀土价格", "zh"),
        ("Chinese", "中国稀土价格", "zh"),
        ("zho", "Rare earth prices rose", "en"),
        ("en-US", "Rare", "en"),
        ("English", "Rare", "en"),
        ("xx", "中国稀土价格", "zh"),
        ("", "中国稀土价格", "zh"),
    ],
)
def test_declarations_are_used_and_not_believed_against_the_text(declared: str, text: str, tag: str) -> None:
    assert declared_language(declared, text) == tag


def test_words_of_both_scripts_are_the_same() -> None:
    assert words("稀土價格上漲") == words("稀土价格上涨")
    assert words("The F-35 needs NdFeB.") == ["the", "f-35", "needs", "ndfeb"]
    assert words("") == []


def test_folding_forgets_typography_and_keeps_letters_and_digits() -> None:
    def text(value: str) -> str:
        return bytes(folded(value).astype("<u4")).decode("utf-32-le")

    assert text("Ｎｄ－Ｆｅ　１５％ Café — “稀土價格”！😀") == "ndfe15cafe稀土价格"
    assert text("\x00\ud800") == ""
