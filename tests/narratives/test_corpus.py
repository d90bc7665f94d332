"""What is wrong with a corpus is said before it is processed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from narratives.archive import Archive, schema
from narratives.corpus import examine_corpus, unknown_languages
from narratives.settings import Settings


def _said(folder: Path, **changes: Any) -> list[str]:
    """What is found in 20 waiting articles that are sound but for the changes; a function is given the number."""
    rows = []
    for i in range(20):
        at = datetime(2025, 11, 10, 1, 17) + timedelta(hours=7 * i)
        row = {"id": f"a{i}", "title": f"t{i}", "text": "x", "source": f"S{i % 4}", "lang": "zh", "published_at": at}
        row |= {"ingested_at": at, "content_hash": "h", "story_id": f"a{i}", "origin": "x:1"}
        rows.append(row | {name: made(i) for name, made in changes.items()})
    with Archive.create(folder / "archive.sqlite") as archive:
        with archive.begin() as connection:
            connection.execute(insert(schema.article), rows)
        return [f"{found.level} {found.area}: {found.text}" for found in examine_corpus(archive, Settings())]


def test_a_sound_corpus_gives_nothing_to_say(tmp_path: Path) -> None:
    assert _said(tmp_path) == []


def test_an_empty_archive_gives_nothing_to_say(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive.sqlite") as archive:
        assert list(examine_corpus(archive, Settings())) == []


def test_blank_titles_are_counted(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, title=lambda i: " " if i < 3 else "t")
    assert said == "note titles: 3 of 20 articles have no title"


def test_dates_without_a_time_are_seen_in_the_desks_zone(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, published_at=lambda i: datetime(2025, 11, 1 + i, 16 if i < 12 else 0))
    assert said.startswith("note dates: 12 of 20 articles are dated exactly midnight")


def test_one_source_above_half_is_named(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, source=lambda i: "晨报" if i < 11 else f"S{i}")
    assert "55% of the articles come from 晨报" in said


def test_a_language_that_the_encoder_was_not_trained_on_is_a_problem(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, lang=lambda i: "yo" if i < 6 else "zh-Hant")
    assert said.startswith("problem languages: 6 of 20 articles are in 'yo', which the encoder does not know")


def test_a_few_strays_are_no_problem(tmp_path: Path) -> None:
    assert _said(tmp_path, lang=lambda i: "yo" if i < 4 else "und") == []


def test_another_model_is_asked_how_much_it_has_no_word_for(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "rare", "earth", "prices", "rise"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "model")
    samples = {"en": ["Rare earth prices rise"], "zh": ["稀土价格上涨"], "und": ["？？"]}
    assert unknown_languages(str(tmp_path / "model"), samples) == {"zh": "it has no word for 100% of the tokens"}
    assert unknown_languages("some/model-on-a-hub", samples) == {}
