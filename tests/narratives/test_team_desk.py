"""A desk whose archive is a PostgreSQL database: the same history, shared by several desks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

import narratives
from narratives.archive import ArchiveReadOnly, schema
from narratives.desk import address_of, init, is_desk
from narratives.settings import Settings


def _history(desk: narratives.Desk) -> dict[str, list[dict[str, Any]]]:
    """What the archive says, without where the input lay and when it was read."""
    hidden = ("origin", "ingested_at")
    tables = (schema.article, schema.narrative, schema.membership, schema.tone, schema.event, schema.step)
    return {
        table.name: [{k: v for k, v in row.items() if k not in hidden} for row in desk.archive.rows(table)]
        for table in tables
    }


@pytest.mark.postgres
def test_a_desk_works_the_same_on_a_database(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add_stories: Callable[..., None]
) -> None:
    stories = [(topic, week, 5) for week in range(4) for topic in ("mine", "plant", "chips")]
    parts = urlsplit(postgres)
    monkeypatch.setenv("DATABASE", parts.path.lstrip("/"))
    address = postgres.replace(f"/{parts.path.lstrip('/')}", "/${DATABASE}")
    said, frames = [], []
    for name, archive in (("own", ""), ("team", address)):
        desk = init(tmp_path / name, archive=archive)
        add_stories(desk, stories)
        said.append(_history(desk))
        found = desk.narratives()
        frames.append((desk.articles(), found, desk.articles(found["id"].iloc[-1], desk.weeks()[-1])))
        desk.close()
    assert said[0] == said[1] and min(map(len, said[0].values())) > 0
    for own, team in zip(*frames, strict=True):
        pd.testing.assert_frame_equal(own.drop(columns="origin"), team.drop(columns="origin"))
        assert len(own)
    # A colleague's desk joins, and sees the same.
    colleague = init(tmp_path / "colleague", archive=address)
    assert _history(colleague) == said[1]
    assert "${DATABASE}" in (tmp_path / "colleague" / "narratives.toml").read_text()
    colleague.close()
    assert is_desk(tmp_path / "colleague") and not (tmp_path / "colleague" / "archive.sqlite").exists()
    reader = narratives.open(tmp_path / "colleague", read_only=True)
    with pytest.raises(ArchiveReadOnly):
        reader.archive.set_meta("a", 1)
    reader.close()
    with pytest.raises(FileExistsError, match="already"):
        init(tmp_path / "colleague", archive=address)


def test_a_password_stays_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate({"archive": {"url": "postgresql://me:${NEWS_PASSWORD}@db/news"}})
    monkeypatch.setenv("NEWS_PASSWORD", "p@ss/word")
    assert address_of(settings) == "postgresql://me:p%40ss%2Fword@db/news"
    assert "p@ss" not in settings.model_dump_json()
    monkeypatch.delenv("NEWS_PASSWORD")
    with pytest.raises(ValueError, match="NEWS_PASSWORD, which is not set"):
        address_of(settings)


def test_an_address_of_anything_else_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="archive"):
        init(tmp_path / "desk", archive="mysql://db/news")
    assert not (tmp_path / "desk").exists()
