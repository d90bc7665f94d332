"""A whole archive as files, and back without loss: every table, on both databases, in every format."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from narratives.archive import Archive, ArchiveError, schema
from narratives.archive.migrations import SCHEMA_VERSION
from narratives.archive.whole import FORMATS, export_archive, import_archive, kind_of

_TEXTS = (
    "",
    "NA",
    "null",
    r"\N",
    r"\\N",
    'a "quoted", comma',
    "two\nlines\r\nand a\ttab",
    "<script>稀土</script>",
    "0012",
    "𠀀",
)
_VALUES: dict[str, tuple[Any, ...]] = {
    "instant": (datetime(2025, 11, 15, 2, 16, 0, 123456), datetime(1999, 1, 1), datetime(2025, 2, 28, 23, 59, 59)),
    "day": (date(2025, 11, 10), date(2024, 2, 29)),
    "bytes": (b"", b"\x00\xff\n,", bytes(range(256))),
    "structure": ({}, [], {"zh": ["稀土", None, 0.1], "n": {"a": 1e-17}}, [True, "x"]),
    "boolean": (True, False),
    "integer": (0, -7, 2_000_000_000),
    "number": (0.0, 0.1 + 0.2, -1e-300, 1 / 3),
}


def _row(table: Table, n: int) -> dict[str, Any]:
    """A row of awkward values; every third optional one is missing."""
    row: dict[str, Any] = {}
    for k, column in enumerate(table.columns):
        kind = kind_of(column)
        if column.foreign_keys or column.primary_key:
            place = next(iter(column.foreign_keys)).column if column.foreign_keys else column
            inner = place.table is table and not column.primary_key
            # The first narratives refer to the last one.
            row[column.name] = _key(place, 9 if inner else n) if not inner or n < 3 else None
        elif column.nullable and (n + k) % 3 == 0:
            row[column.name] = None
        elif kind == "text":
            length = getattr(column.type, "length", None)
            said = _TEXTS[(n + k) % len(_TEXTS)]
            row[column.name] = (f"{n}-{said}" if column.unique else said)[:length]
        else:
            row[column.name] = _VALUES[kind][(n + k) % len(_VALUES[kind])]
    return row


def _key(column: Any, n: int) -> Any:
    kind = kind_of(column)
    return n + 1 if kind == "integer" else date(2025, 1, n + 1) if kind == "day" else f"{column.table.name[:4]}{n}"


def _filled(place: str | Path) -> Archive:
    archive = Archive.create(place)
    with archive.begin() as connection:
        for table in schema.metadata.sorted_tables:
            rows = [_row(table, n) for n in range(10)]
            inner = [c.name for c in table.columns if any(key.column.table is table for key in c.foreign_keys)]
            for row in sorted(rows, key=lambda row: any(row[name] is not None for name in inner)):
                connection.execute(insert(table).values(**row))
    return archive


def _all(archive: Archive) -> dict[str, list[Any]]:
    with archive.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in schema.metadata.sorted_tables
        }


@pytest.mark.parametrize("form", FORMATS)
def test_every_row_of_every_table_comes_back(place: str, tmp_path: Path, form: str) -> None:
    with _filled(tmp_path / "first.sqlite") as first, Archive.create(place) as again:
        counts = export_archive(first, tmp_path / "out", form)
        assert set(counts) == set(schema.metadata.tables) and min(counts.values()) >= 10
        assert import_archive(again, tmp_path / "out") == counts
        assert _all(again) == _all(first)
        assert again.digest() == first.digest()
        # And from that database back into a file.
        export_archive(again, tmp_path / "back", form)
        for file in (tmp_path / "out").iterdir():
            assert (tmp_path / "back" / file.name).read_bytes() == file.read_bytes(), file.name


def test_what_comes_after_an_import_gets_new_numbers(place: str, tmp_path: Path) -> None:
    with _filled(tmp_path / "first.sqlite") as first, Archive.create(place) as again:
        export_archive(first, tmp_path / "out")
        import_archive(again, tmp_path / "out")
        assert again.start_run("ingest", {}, {}) == 11


def test_an_import_goes_into_an_empty_archive_alone(tmp_path: Path) -> None:
    with _filled(tmp_path / "first.sqlite") as first:
        export_archive(first, tmp_path / "out")
        before = _all(first)
        with pytest.raises(ArchiveError, match="not empty"):
            import_archive(first, tmp_path / "out")
        with pytest.raises(FileExistsError, match="not touched"):
            export_archive(first, tmp_path / "out")
        with pytest.raises(ValueError, match="jsonl, csv, parquet"):
            export_archive(first, tmp_path / "other", "xlsx")
        assert _all(first) == before and not (tmp_path / "other").exists()


@pytest.mark.parametrize("harm", ["cut", "missing", "newer", "no-manifest"])
def test_an_export_that_is_not_whole_changes_nothing(tmp_path: Path, harm: str) -> None:
    out = tmp_path / "out"
    with _filled(tmp_path / "first.sqlite") as first:
        export_archive(first, out)
    lines = (out / "score.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    manifest = json.loads((out / "manifest.json").read_text())
    if harm == "cut":
        (out / "score.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    elif harm == "missing":
        (out / "score.jsonl").unlink()
    elif harm == "newer":
        (out / "manifest.json").write_text(json.dumps({**manifest, "schema_version": SCHEMA_VERSION + 1}))
    else:
        (out / "manifest.json").unlink()
    with Archive.create(tmp_path / "again.sqlite") as again:
        before = _all(again)
        with pytest.raises(ValueError, match="out"):
            import_archive(again, out)
        assert _all(again) == before


def test_an_export_of_an_older_version_gets_the_defaults_of_today(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _filled(tmp_path / "first.sqlite") as first:
        export_archive(first, out)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["schema_version"] = 1
    del manifest["tables"]["proposal"]
    (out / "manifest.json").write_text(json.dumps(manifest))
    rows = [json.loads(line) for line in (out / "article.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        del row["is_voice"]
    (out / "article.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with Archive.create(tmp_path / "again.sqlite") as again:
        import_archive(again, out)
        assert again.get_meta("schema_version") == SCHEMA_VERSION
        assert {row["is_voice"] for row in again.rows(schema.article)} == {False}
        assert again.rows(schema.proposal) == []


def test_the_documentation_names_every_table(tmp_path: Path) -> None:
    import narratives.archive

    said = (Path(narratives.archive.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in schema.metadata.tables if f"`{name}`" not in said] == []
