"""Scores of articles with the sentences that carry them: offsets into the stored text, and whose words they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from narratives.material import Material
from narratives.plugins.protocols import Reading
from narratives.scoring import stance_rows, tone_rows
from narratives.sentences import sentences_of
from narratives.settings import Settings
from narratives.space import Space
from narratives.statements import Statements

ARTICLES: list[dict[str, Any]] = [
    {
        "id": "a1",
        "title": "Curbs bite",
        "text": "The curbs are a success. Output will rise. “The curbs are a failure,” said Maria Keller.",
        "lang": "en",
        "published_at": None,
    },
    {
        "id": "a2",
        "title": "釹鐵硼",
        "text": "　ＮｄＦｅＢ出口增长。外交部發言人林劍說：「管制失败！」\n價格下跌，買家担忧。",
        "lang": "zh-Hant",
        "published_at": None,
    },
    {"id": "a3", "title": "Weather", "text": "Rain again today in the hills.", "lang": "en", "published_at": None},
]
CLAIM = Statements(
    "N0001",
    ("The curbs are a success",),
    ("出口管制成功",),
    ("The curbs are a failure", "管制失败"),
    ("Output", "出口"),
)


@pytest.fixture
def desk(tmp_path: Path, word_encoder: Any) -> tuple[Material, Space]:
    material = Material(tmp_path, Settings(), word_encoder)
    return material, Space.from_json({"": np.zeros(word_encoder.dimension)}, None)


def scored(desk: tuple[Material, Space], tone: Any, **how: Any) -> list[dict[str, Any]]:
    material, space = desk
    vectors = space.project(material.article_vectors(ARTICLES), ["en", "zh-Hant", "en"])
    return stance_rows(ARTICLES, CLAIM, (vectors, ["en", "zh-Hant", "en"]), space, material, tone, **how)


def test_evidence_is_one_to_three_sentences_of_the_stored_text(desk: Any, word_tone: Any) -> None:
    toned = tone_rows(ARTICLES, sentences_of(ARTICLES), word_tone, desk[0].encode)
    for row, *found in zip(ARTICLES, scored(desk, word_tone), toned, strict=True):
        for score in found:
            assert score["article_id"] == row["id"] and 1 <= len(score["evidence"]) <= 3
            for item in score["evidence"]:
                sentence = row["text"][item["start"] : item["end"]]
                assert sentence.strip() == sentence != "" and "\n" not in sentence
                if "speaker" in item:
                    assert row["text"][item["speaker_start"] : item["speaker_end"]] == item["speaker"]


def test_a_quotation_is_its_speakers_and_the_outlets_words_come_first(desk: Any, word_tone: Any) -> None:
    first, second, _ = tone_rows(ARTICLES, sentences_of(ARTICLES), word_tone, desk[0].encode)
    assert first["tone"] > 0, "the outlet's two sentences weigh more than the one that it quotes"
    assert "speaker" not in first["evidence"][0]
    (quoted,) = [item for item in second["evidence"] if "speaker" in item]
    assert (quoted["speaker"], quoted["quoted"]) == ("外交部發言人林劍", True)


def test_what_no_statement_covers_is_unclear_whoever_reads_it(desk: Any, word_tone: Any) -> None:
    class Sure:
        name, counts = "llm:sure", {"read": 0}

        def read(self, articles: Any, statements: Any) -> list[Reading | None]:
            return [Reading((1.0, 0.0, 0.0), ((4, 9),)), None, Reading((1.0, 0.0, 0.0))]

    plain, read = scored(desk, word_tone), scored(desk, word_tone, reader=Sure())
    assert plain[2]["verdict"] == read[2]["verdict"] == "unclear"
    assert (read[0]["verdict"], read[0]["stance"], read[0]["scorer"]) == ("supports", 1.0, "llm:sure")
    assert [(item["start"], item["end"]) for item in read[0]["evidence"]] == [(4, 9)]
    assert {**read[1], "evidence": []} == {**plain[1], "evidence": []} and read[1]["scorer"] != "llm:sure"
