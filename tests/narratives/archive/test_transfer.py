"""Backup, export and import come back without loss."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.archive.transfer import FORMATS, backup, export_articles, import_articles
from narratives.ingest import ingest_paths
from narratives.settings import Settings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def full(tmp_path: Path) -> Archive:
    rows = [
        {
            "title": "“引号”, comma",
            "text": 'line one\nline "two", 稀土\n',
            "date": "2025-11-15T02:16:00+08:00",
            "source": "a",
        },
        {"title": "NA", "text": "null", "date": "2025-11-15T02:16:00.123456Z", "url": "https://x/1?a=1&b=2"},
        {"title": "<script>", "text": "", "date": "2025-11-15T02:16:00-05:30", "source": "00123"},
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    archive = Archive.create(tmp_path / "full.sqlite")
    assert ingest_paths(archive, [file], Settings(), now=NOW).counts["accepted"] == 3
    return archive


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_exported_comes_back_the_same(full: Archive, tmp_path: Path, suffix: str) -> None:
    assert export_articles(full, tmp_path / f"out{suffix}") == 3
    with Archive.create(tmp_path / "again.sqlite") as again:
        assert import_articles(again, tmp_path / f"out{suffix}") == (3, 0)
        assert import_articles(again, tmp_path / f"out{suffix}") == (0, 3)
        assert again.digest() == full.digest()
        assert again.articles_frame().equals(full.articles_frame())


def test_an_export_never_overwrites(full: Archive, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        export_articles(full, target)
    with pytest.raises(ValueError, match="an export ends in"):
        export_articles(full, tmp_path / "out.xlsx")
    assert target.read_text() == "mine"


def test_an_empty_archive_exports_and_imports(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "a.sqlite") as archive:
        assert export_articles(archive, tmp_path / "a.parquet") == 0
        assert import_articles(archive, tmp_path / "a.parquet") == (0, 0)


def test_a_file_that_is_no_export_adds_nothing(full: Archive, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,title\n1,a\n")
    with pytest.raises(ValueError, match="no export of articles"):
        import_articles(full, tmp_path / "x.csv")
    assert full.n_articles() == 3


def test_a_backup_is_an_archive_of_its_own(full: Archive, tmp_path: Path) -> None:
    copy = backup(full, tmp_path / "safe" / "copy.sqlite")
    with Archive.open(copy) as other:
        assert other.digest() == full.digest() and other.check() == []
    with pytest.raises(FileExistsError):
        backup(full, copy)
    assert sorted(path.name for path in copy.parent.iterdir() if path.suffix == ".sqlite") == ["copy.sqlite"]
