"""Every development stream is what its docstring says: births at their rates, dates in order, truth that fits."""

from __future__ import annotations

import importlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def builders() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        return importlib.import_module("benchmarks.replay_streams")


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["en", "zh", "1987", "mixed", "general"])
def test_a_stream_is_what_it_says(name: str, builders: ModuleType, shared_data: Path) -> None:
    stream = builders.STREAMS[name](shared_data, 1)
    assert stream == builders.STREAMS[name](shared_data, 1)
    assert stream.texts != builders.STREAMS[name](shared_data, 2).texts
    assert list(stream.texts) == sorted(stream.texts, key=lambda text: text.published_at)
    for text in stream.texts:
        assert (text.title or text.body) and text.source and text.lang
        assert text.week == (text.published_at - stream.start) // timedelta(weeks=1) < stream.n_weeks
    assert set(stream.rate.values()) == {3, 5, 10}
    by_week = {story: Counter(t.week for t in stream.texts if t.story == story) for story in stream.born}
    for story, counts in by_week.items():
        assert min(counts) == stream.born[story] >= 2
        assert max(counts.values()) <= stream.rate[story]
        assert counts[stream.born[story]] == stream.rate[story]
    known = {text.story for text in stream.texts} - {""} - set(stream.born)
    assert all(any(t.story == story and t.week == 0 for t in stream.texts) for story in known)
    assert {story for forced in stream.forced for story in forced.stories} <= known
    assert {forced.kind for forced in stream.forced} == {"merge", "split"}
    if name == "1987":
        read = [text for text in stream.texts if text.beside]
        assert len({text.beside for text in read}) >= 20 and not any(text.story in stream.born for text in read)
        assert stream.subjects < known | set(stream.born) and len(stream.subjects & set(stream.born)) == 6
        assert all(story.startswith("stories_en_headlines") for story in set(stream.born) - stream.subjects)
    for story in stream.in_both:
        assert {text.lang[:2] for text in stream.texts if text.story == story} == {"zh", "en"}


def test_a_story_takes_no_chinese_text_that_begins_like_another(builders: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    said = "杭州保姆纵火案今日开庭，法庭宣布另行择期审理。" * 5
    lines = [
        f'{{"title": "{i}", "text": "{said}{i}", "lang": "{lang}", "story": "a"}}' for i, lang in enumerate(["zh"] * 3)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert len(builders.load_stories([file])[0]["set/a"]) == 1
