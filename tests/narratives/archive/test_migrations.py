"""Archives of earlier versions walk to the present one and keep their rows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    create_engine,
    false,
    inspect,
    select,
)

from narratives.archive import Archive, schema
from narratives.archive.migrations import SCHEMA_VERSION, add


def _old(place: Path, version: int) -> Path:
    """An archive as an earlier version made it, with an article in it."""
    scripts = [f"schema_v{min(version, 5)}.sql", *(["added_in_v8.sql"] if version >= 8 else [])]
    tables = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in scripts)
    with closing(sqlite3.connect(place)) as raw, raw:
        raw.executescript(tables)
        raw.execute("INSERT INTO meta VALUES ('schema_version', ?)", (json.dumps(version),))
        raw.execute(
            "INSERT INTO article VALUES ('a1', '', '晨报', '稀土', '正文', 'zh', '2025-11-15 02:16:00.000000', 480,"
            " '2025-11-15 03:00:00.000000', 'h', 's1', 'x.jsonl:1', 1, NULL, 0)"
        )
        raw.execute("PRAGMA journal_mode=WAL")
    return place


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return _old(tmp_path / "archive.sqlite", 1)


def _shape(connection: Connection) -> dict[str, Any]:
    found = inspect(connection)
    return {
        name: (
            {column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(name)},
            {index["name"]: index["column_names"] for index in found.get_indexes(name)},
            found.get_pk_constraint(name)["constrained_columns"],
        )
        for name in found.get_table_names()
    }


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_archive_of_an_earlier_version_ends_with_the_tables_of_a_new_one(version: int, tmp_path: Path) -> None:
    old = _old(tmp_path / "archive.sqlite", version)
    with Archive.open(old) as archive:
        assert archive.get_meta("schema_version") == SCHEMA_VERSION
        assert archive.check() == []
        assert archive.n_articles() == 1
    new = tmp_path / "new.sqlite"
    Archive.create(new).close()
    shapes = []
    for place in (old, new):
        engine = create_engine(f"sqlite:///{place}")
        with engine.connect() as connection:
            shapes.append(_shape(connection))
        engine.dispose()
    assert shapes[0] == shapes[1]


def test_a_column_is_added_once_with_its_default_and_its_index(first: Path) -> None:
    tables = MetaData()
    article = Table("article", tables, Column("id", String(16), primary_key=True))
    article.append_column(Column("pinned", Boolean, nullable=False, server_default=false()))
    Index("article_pinned", article.c.pinned)
    note = Table("note", tables, Column("id", String(16), primary_key=True))
    engine = create_engine(f"sqlite:///{first}")
    with engine.begin() as connection:
        for _ in range(2):
            add(connection, tables=(note,), columns={article: ("pinned",)})
        assert connection.execute(select(article.c.id, article.c.pinned)).all() == [("a1", False)]
        assert "article_pinned" in {index["name"] for index in inspect(connection).get_indexes("article")}
        assert inspect(connection).has_table("note")
    engine.dispose()


def test_articles_that_a_merge_left_without_a_narrative_of_their_own_get_it_back(tmp_path: Path) -> None:
    old = _old(tmp_path / "archive.sqlite", 6)
    with closing(sqlite3.connect(old)) as raw, raw:
        raw.executemany(
            "INSERT INTO narrative (id, origin, status, name_zh, name_en, keywords_zh, keywords_en, drafted, n_members,"
            " profile) VALUES (?, 'discovered', 'active', '', '', '[]', '[]', 0, 7, '{}')",
            [("N0001",), ("N0002",), ("N0003",)],
        )
        for new in ("a2", "a3"):
            raw.execute(
                f"INSERT INTO article SELECT '{new}', url, source, title, text, lang, published_at,"
                f" published_offset_minutes, ingested_at, content_hash, '{new}', origin, version, step_week, is_voice"
                " FROM article WHERE id = 'a1'"
            )
        raw.executemany(
            "INSERT INTO membership VALUES (?, ?, ?, ?, 0, 'assigned', '2025-11-10')",
            [
                *(("a1", "N0001", 0.2, 0), ("a1", "N0002", 0.5, 0)),  # fits the second best
                *(("a2", "N0003", 0.4, 1), ("a2", "N0001", 0.6, 0)),  # has one
                *(("a3", "N0001", 0.6, 0), ("a3", "N0002", 0.4, 0)),  # was scored in the second
            ],
        )
        # A correction made a3 a copy of a4, which is its reprint.
        raw.execute(
            "INSERT INTO article SELECT 'a4', url, 'Evening Post', title, text, lang, '2025-11-16 02:16:00.000000',"
            " 480, ingested_at, content_hash, 'a3', origin, version, step_week, is_voice FROM article WHERE id = 'a1'"
        )
        raw.execute("UPDATE article SET step_week = '2025-11-10', is_voice = id IN ('a1', 'a2')")
        raw.execute("UPDATE membership SET how = 'copy' WHERE article_id = 'a3'")
        raw.execute("INSERT INTO score VALUES ('a3', 'N0002', 0, 0, 1, 0, 0, 'unclear', '[]', 'draft')")
        raw.executemany(
            "INSERT INTO narrative_week VALUES (?, '2025-11-10', 1, '', 0, 0, 0, '{}')", [("N0002",), ("N0003",)]
        )
    with Archive.open(old) as archive:
        member = schema.membership
        own = [tuple(row.values())[:2] for row in archive.rows(member, member.c.primary, member.c.how == "assigned")]
        assert own == [("a1", "N0002"), ("a2", "N0003"), ("a3", "N0002")]
        assert [row["narrative_id"] for row in archive.rows(schema.narrative_week)] == ["N0003"]
        assert [row["n_members"] for row in archive.rows(schema.narrative)] == [0, 2, 1]
        assert {row["id"]: row["is_voice"] for row in archive.rows(schema.article)} == {
            "a1": True, "a2": True, "a3": True, "a4": False,
        }  # fmt: skip
        assert archive.check() == []


def test_scores_where_no_claim_is_measured_or_no_article_is_are_not_kept(tmp_path: Path) -> None:
    old = _old(tmp_path / "archive.sqlite", 7)
    with closing(sqlite3.connect(old)) as raw, raw:
        for narrative, verdict, scorer in (
            ("N0001", "supports", "statements-4"),
            ("N0002", "unclear", "draft"),
            ("N0003", "unclear", "no-claim"),
            ("N0004", "opposes", "analyst"),
            ("N0005", "opposes", "statements-4"),
        ):
            if narrative != "N0005":
                raw.execute("INSERT INTO membership VALUES ('a1', ?, .5, 1, 0, 'assigned', '2025-11-10')", (narrative,))
            raw.execute(
                "INSERT INTO score VALUES ('a1', ?, .2, .1, .7, .1, .7, ?, '[]', ?)", (narrative, verdict, scorer)
            )
    with Archive.open(old) as archive:
        assert [row["narrative_id"] for row in archive.rows(schema.score)] == ["N0001", "N0004"]
