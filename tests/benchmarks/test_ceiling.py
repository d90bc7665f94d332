"""What counts as held by the tree of texts, at whatever level."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from narratives.replay.streams import START, Stream, Text

ROOT = Path(__file__).resolve().parent.parent.parent
TWO_STORIES = np.kron(np.eye(2), np.full((6, 6), 0.5))


@pytest.fixture(scope="module")
def ceiling() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        return importlib.import_module("benchmarks.ceiling")


@pytest.mark.parametrize(
    ("own", "held"),
    [
        ([1] * 6 + [0] * 6, True),
        ([1] * 3 + [0] * 3 + [1] * 3 + [0] * 3, True),  # half of the story in one node, which is half the story's
        ([1] * 2 + [0] * 4 + [1] * 2 + [0] * 4, False),
        ([0] * 12, False),
    ],
)
def test_a_node_holds_a_story_if_half_of_each_is_the_others(ceiling: ModuleType, own: list[int], held: bool) -> None:
    assert ceiling.held_by_a_node(TWO_STORIES, np.array(own, dtype=bool)) is held


def test_fewer_than_five_texts_are_no_node(ceiling: ModuleType) -> None:
    alike = np.kron(np.eye(5), np.full((2, 2), 0.5))
    assert not ceiling.held_by_a_node(alike, np.arange(10) < 2)


def test_the_topics_for_an_answer_are_those_of_the_file_and_of_a_planted_text_its_story(
    ceiling: ModuleType, tmp_path: Path
) -> None:
    said = {"title": "OPEC MEETS", "text": "Oil. " * 100, "lang": "en", "topic": "crude"}
    (tmp_path / "stream_en_1987.jsonl").write_text(json.dumps(said) + "\n", encoding="utf-8")
    told = [("OPEC MEETS", said["text"][:300], ""), ("Fire", "", "fire"), ("OPEC MEETS", "of another day", "opec")]
    texts = tuple(Text(title, body, "en", "s", story, 0, START) for title, body, story in told)
    assert ceiling.topics_of(Stream(texts, {}, {}, 1), tmp_path) == ["crude", "fire", "opec"]
