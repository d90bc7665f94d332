"""Unusual articles through the whole room: two languages in one, a title alone, twenty thousand words."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from embeddings import LanguageRemoval, encode_articles, model_input
from embeddings.transformer import TransformerEncoder

ZH = "中国商务部宣布对中重稀土和钕铁硼磁体实施出口管制，汽车制造商警告生产线可能停工。"
EN = "China's commerce ministry put export controls on heavy rare earths and magnets; carmakers warn of stoppages."
OTHER = [
    ("zh", "球队昨晚在主场三比一获胜，提前两轮赢得联赛冠军，球迷走上街头庆祝。"),
    ("en", "The team won three to one at home last night and took the league title two rounds early."),
    ("zh", "央行宣布下调基准利率二十五个基点，以支持房地产市场和消费。"),
    ("en", "The central bank cut its key rate by a quarter point to support housing and consumption."),
]


def removed(encoder: TransformerEncoder, articles: list[tuple[str, str, str]]) -> np.ndarray:
    """Language-free vectors of (lang, title, text)."""
    frame = pd.DataFrame(articles, columns=["lang", "title", "text"])
    removal = LanguageRemoval.shipped(encoder.fingerprint)
    return removal.transform(encode_articles(frame, encoder), frame["lang"].tolist())


def test_no_encoder_means_the_default_one(bundled: TransformerEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.articles.load_encoder", lambda: bundled)
    frame = pd.DataFrame({"title": [""], "text": [EN]})
    assert encode_articles(frame).tobytes() == encode_articles(frame, bundled).tobytes()


@pytest.mark.parametrize("declared", ["zh", "en"])
def test_a_mixed_article_lies_with_its_matter_whichever_language_is_declared(
    bundled: TransformerEncoder, declared: str
) -> None:
    mixed = (declared, "商务部对稀土磁体实施出口管制", EN)
    others = [(lang, "", text) for lang, text in OTHER]
    vectors = removed(bundled, [mixed, ("zh", "", ZH), ("en", "", EN), *others])
    to_mixed = vectors[1:] @ vectors[0]
    assert to_mixed[:2].min() > to_mixed[2:].max() + 0.1


def test_a_title_alone_lies_with_its_article_in_either_language(bundled: TransformerEncoder) -> None:
    others = [(lang, "", text) for lang, text in OTHER]
    vectors = removed(bundled, [("zh", "中国收紧稀土磁体出口", ""), ("zh", "", ZH), ("en", "", EN), *others])
    to_title = vectors[1:] @ vectors[0]
    assert to_title[:2].min() > to_title[2:].max() + 0.1


def test_twenty_thousand_words_are_read_as_far_as_the_model_reads(bundled: TransformerEncoder) -> None:
    text = f"{EN} " * 1_400
    assert len(text.split()) > 20_000
    started = time.process_time()
    long = bundled.encode([model_input("", text)])[0]
    assert time.process_time() - started < 20
    beginning = bundled.encode([model_input("", text[:6_000])])[0]
    assert long @ beginning > 0.9999


def test_control_characters_and_lone_surrogates_do_no_harm(bundled: TransformerEncoder) -> None:
    texts = [model_input("\x00\u200b稀土", "\ufeff磁体\r\n"), model_input("\ud800 broken", "🧲" * 50)]
    assert np.isfinite(bundled.encode(texts)).all()
