import json
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "data" / "training"


@pytest.mark.parametrize(("lang", "least"), [("zh", 600), ("en", 300)])
def test_tone_sentences_are_many_distinct_and_labelled_toward_a_target_in_them(lang: str, least: int):
    rows = [json.loads(line) for line in (FOLDER / f"tone_{lang}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({r["text"] for r in rows}) >= least
    assert len({r["id"] for r in rows}) == len(rows)
    assert {r["lang"] for r in rows} == {lang}
    assert all(r["target"] in r["text"] for r in rows)
    labels = Counter(r["label"] for r in rows)
    assert set(labels) == {"negative", "neutral", "positive"} and min(labels.values()) > 0.2 * len(rows)
    assert {d for r in rows for d in r["difficulty"]} == {"reported", "irony", "negation", "numbers", "mixed"}
    assert len({r["subject"] for r in rows}) >= 20


@pytest.mark.parametrize(
    ("name", "least"),
    [("tone_en_news", 800), ("tone_zh_news", 900), ("tone_zh_markets", 1_600), ("tone_en_markets", 250)],
)
def test_news_sentences_are_many_distinct_and_labelled_toward_a_target_in_them(name: str, least: int):
    rows = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({r["text"] for r in rows}) >= least
    assert len({r["id"] for r in rows}) == len(rows)
    assert all(r["target"] and r["target"] in r["text"] for r in rows)
    labels = Counter(r["label"] for r in rows)
    assert set(labels) == {"negative", "neutral", "positive"} and min(labels.values()) > 0.15 * len(rows)


def test_no_sentence_stands_in_two_files():
    files = [
        {json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()}
        for path in sorted(FOLDER.glob("tone_*.jsonl"))
    ]
    assert len(set().union(*files)) == sum(len(texts) for texts in files)


def test_the_readme_gives_the_true_numbers():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in sorted(FOLDER.glob("tone_*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        n_sentences = len({json.loads(line)["text"] for line in lines})
        assert f"| `{path.name}` | ({n_sentences} sentences, {len(lines)} rows)" in text


def test_many_narratives_have_statements_and_texts_of_all_three_kinds():
    from narratives.definitions import load_definitions

    known = {d.id: d for d in load_definitions(FOLDER / "stance_many_definitions.yaml")}
    lines = (FOLDER / "stance_many.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(known) >= 60 and {r["target"] for r in rows} == set(known)
    assert len({r["id"] for r in rows}) == len({r["text"] for r in rows}) == len(rows)
    assert min(Counter((r["target"], r["label"]) for r in rows).values()) >= 3
    assert {len({r["label"] for r in rows if r["target"] == name}) for name in known} == {3}
    assert all(min(len(d.pro), len(d.con), len(d.neutral)) >= 3 and d.actors for d in known.values())
    first = {json.loads(line)["target"] for line in (FOLDER / "stance.jsonl").read_text(encoding="utf-8").splitlines()}
    assert not first & set(known)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(rows)} texts" in text and f"{len(known)} further" in text
