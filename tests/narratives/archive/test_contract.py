"""The archive's contract, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from narratives.archive import Archive, ArchiveBusy
from narratives.ingest import ingest_paths
from narratives.settings import Settings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)


def _rows() -> list[dict[str, Any]]:
    body = "稀土永磁材料的出口许可证自本月起恢复发放，欧洲的汽车零部件厂家称库存已经见底。行业协会表示还要等。" * 3
    english = "Carmakers said that their stocks of magnets would last for six weeks at the most. " * 4
    return [
        {"title": "一", "text": body, "date": "2025-11-10T08:00:00+08:00", "url": "https://a/1", "source": "甲"},
        {"title": "二", "text": "转载：" + body, "date": "2025-11-11T08:00:00+08:00", "url": "https://a/2"},
        {"title": "One \x00 \ud800", "text": english, "date": "2025-11-12T08:00:00Z", "url": "https://a/3"},
        {"title": "no date", "url": "https://a/4"},
        {
            "title": "一",
            "text": body + "更正。",
            "date": "2025-11-10T08:00:00+08:00",
            "url": "https://a/1",
            "source": "甲",
        },
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "in.jsonl"
    made.write_text("\n".join(json.dumps(row) for row in _rows()), encoding="utf-8")
    return made


def test_articles_come_in_once_and_corrections_supersede(place: str, file: Path) -> None:
    with Archive.create(place) as archive:
        counts = ingest_paths(archive, [file], Settings(), now=NOW).counts
        assert counts == {
            "read": 5, "accepted": 3, "superseded": 1, "repeated": 0, "quarantined": 1, "reprints": 1
        }  # fmt: skip
        before = archive.digest()
        again = ingest_paths(archive, [file], Settings(), now=NOW + timedelta(days=1)).counts
        assert (again["repeated"], again["quarantined"]) == (4, 1) and archive.digest() == before
        frame = archive.articles_frame().set_index("url")
        assert frame.loc["https://a/1", "version"] == 2
        assert frame.loc["https://a/2", "story"] == frame.loc["https://a/1", "id"]
        assert frame.loc["https://a/3", "title"] == "One \ufffd"
        assert str(frame["published_at"].dtype) == "datetime64[us, UTC]"
        assert frame.loc["https://a/1", "published_offset_minutes"] == 480
        assert frame["lang"].tolist() == ["zh", "zh", "en"]
        only = archive.articles_frame(since=datetime(2025, 11, 12, tzinfo=UTC), ids=frame["id"].tolist())
        assert len(only) == 1 and archive.articles_frame(waiting=True)["id"].size == 3
        assert len(archive.quarantine_frame()) == 1


def test_an_archive_is_opened_again_as_it_was_left(place: str, file: Path) -> None:
    with Archive.create(place) as archive:
        ingest_paths(archive, [file], Settings(), now=NOW)
        archive.set_meta("means", {"zh": [0.25, -1.5], "n": 3})
        archive.set_feed_state("https://f", etag="x", n_failures=0)
        before = archive.digest()
    with pytest.raises(FileExistsError):
        Archive.create(place)
    with Archive.open_or_create(place) as archive:
        assert archive.digest() == before
        assert archive.get_meta("means") == {"zh": [0.25, -1.5], "n": 3}
        assert archive.feed_state("https://f")["etag"] == "x"
        archive.set_feed_state("https://f", n_failures=2)
        assert archive.feed_state("https://f")["n_failures"] == 2 and archive.feed_state("https://g") == {}


def test_foreign_keys_hold(place: str) -> None:
    from sqlalchemy.exc import IntegrityError

    with Archive.create(place) as archive, pytest.raises(IntegrityError), archive.begin() as connection:
        connection.execute(text("INSERT INTO reprint_signature (article_id, signature) VALUES ('none', 'x')"))


def test_one_writer_at_a_time(place: str) -> None:
    with Archive.create(place) as first, Archive.open(place) as second:
        with first.lock("a"), first.lock("b"), pytest.raises(ArchiveBusy, match="try again"), second.lock("c"):
            pass
        with second.lock("c"):
            pass


def test_the_same_input_gives_the_same_archive_on_both(place: str, file: Path, tmp_path: Path) -> None:
    digests = []
    for where in (str(tmp_path / "other.sqlite"), place):
        with Archive.create(where) as archive:
            ingest_paths(archive, [file], Settings(), now=NOW)
            digests.append(archive.digest())
    assert digests[0] == digests[1]
