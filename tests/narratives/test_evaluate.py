import json
from pathlib import Path

import numpy as np
import pytest

from narratives.evaluate import evaluate_tone, read_labelled
from narratives.evaluate_stance import evaluate_stance, match_statements, weak_statements
from narratives.lexicon import lexicon_labels
from narratives.statements import Statements
from narratives.tone import ToneScorer

SIDES = np.eye(16)[:4]


def vector_of(text: str) -> np.ndarray:
    """A toy encoder: 好/good and 坏/bad point opposite ways, everything shares a topic."""
    v = 2 * SIDES[0] + 0.01 * np.eye(16)[4 + len(text) % 12]
    v = v + SIDES[1] * (("good" in text) - ("bad" in text))
    v = v + SIDES[2] * ("report" in text)
    return v / np.linalg.norm(v)


def encode(texts: list[str]) -> np.ndarray:
    return np.stack([vector_of(t) for t in texts])


def labelled_stance(n: int = 12) -> list[dict]:
    kinds = [("it is good", "favor"), ("it is bad", "against"), ("they report", "neutral")]
    return [
        {"id": str(i), "text": f"{kinds[i % 3][0]} {'x' * i}", "target": "Mine", "label": kinds[i % 3][1], "lang": "en"}
        for i in range(3 * n)
    ]


STATEMENTS = Statements(
    "mine", ("the mine is good",), ("good",), ("bad", "bad thing"), ("report", "a report"), ("Mine",)
)


def test_stance_of_a_labelled_file_is_scored_beside_its_baselines():
    result = evaluate_stance(labelled_stance(), encode, [STATEMENTS])
    by_name = {row["scorer"]: row for row in result.table}
    assert set(by_name) == {"statements-4", "majority", "lexicon", "target only", "plain similarity"}
    ours = by_name["statements-4"]
    assert ours["macro_f1"] > 0.9 > by_name["majority"]["macro_f1"]
    assert ours["low"] <= ours["macro_f1"] <= ours["high"]
    assert len(result.predictions) == result.n_rows == 36
    assert "macro-F1" in result.as_text() and json.loads(json.dumps(result.as_dict()))["kind"] == "stance"


def test_rows_given_as_labels_are_not_measured():
    result = evaluate_stance(labelled_stance(), encode, [STATEMENTS], n_labels=6, n_seeds=2)
    assert len(result.predictions) == 30
    assert result.table[0]["scorer"] == "statements-4+6" and result.table[0]["n"] == 30


def test_rows_may_be_asked_for_as_the_label_command_asks():
    result = evaluate_stance(labelled_stance(), encode, [STATEMENTS], n_labels=6, n_seeds=2, ask="useful")
    assert result.table[0]["n"] == 30
    assert any("as `narratives label` asks" in note for note in result.notes)


def test_rows_of_another_target_are_unclear_and_the_curve_shows_it():
    strange = [
        {**row, "id": f"s{row['id']}", "text": f"zz {row['text']}", "target": "Dam"} for row in labelled_stance()
    ]
    dam = Statements("dam", ("zz the dam is good",), ("zz good",), ("zz bad", "zz bad thing"), ("zz report",), ("Dam",))
    result = evaluate_stance([*labelled_stance(), *strange], encode, [STATEMENTS, dam])
    curve = result.curves["unclear, from the likest tenth to the unlikest"]
    assert curve[-1][1] > curve[0][1]


def test_without_a_definition_the_weak_mode_says_so():
    result = evaluate_stance(labelled_stance(), encode)
    assert any("Weak mode" in note and "Mine" in note for note in result.notes)
    assert weak_statements("开放二胎").decidable and weak_statements("the mine").decidable


def test_a_target_finds_its_statements_by_claim_actor_or_further_name():
    assert match_statements("mine", [STATEMENTS], [()]) is STATEMENTS
    assert match_statements("The mine is good.", [STATEMENTS], [()]) is STATEMENTS
    assert match_statements("pit", [STATEMENTS], [("Pit",)]) is STATEMENTS
    assert match_statements("harbour", [STATEMENTS], [()]) is None


def test_tone_of_a_labelled_file_is_scored_beside_its_baselines():
    rows = [
        {"id": "1", "lang": "en", "text": "The firm collapsed in fraud.", "target": "The firm", "label": "negative"},
        {
            "id": "2",
            "lang": "en",
            "text": "The firm won praise for its record.",
            "target": "The firm",
            "label": "positive",
        },
        {"id": "3", "lang": "zh", "text": "公司公告：会议将于周三召开。", "target": "公司", "label": "neutral"},
    ]
    result = evaluate_tone(rows, ToneScorer.load(device="cpu"), encode)
    ours = result.table[0]
    assert ours["slice"] == "all" and ours["accuracy"] == 1
    assert {"majority", "lexicon", "target only", "plain similarity"} <= {r["scorer"] for r in result.table}
    assert {r["slice"] for r in result.table} == {"all", "en", "zh"}


def test_entities_become_one_row_each_and_bad_lines_are_named(tmp_path: Path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"title": "A up, B down", "entities": {"A": "positive", "B": "negative"}}\n', encoding="utf-8")
    assert [(r["target"], r["label"]) for r in read_labelled(path)] == [("A", "positive"), ("B", "negative")]
    for bad, message in (("{", "f.jsonl:1: not JSON"), ('{"text": "x"}', "needs a `label`"), ("", "no labelled row")):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read_labelled(path)


def test_an_unknown_label_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="got 'maybe'"):
        evaluate_stance([{"text": "x", "target": "y", "label": "maybe"}], encode)


def test_the_word_list_knows_both_languages():
    assert lexicon_labels(["Profit rose", "公司亏损", "Monday"]).tolist() == [2, 0, 1]
