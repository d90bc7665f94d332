"""Copies of a desk: `export`, `import` and `backup`."""

from pathlib import Path

import pytest

from narratives.archive import Archive, schema
from narratives.commands.screen import FAILED, OK
from tests.narratives.commands.conftest import Run


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_desk_exported_and_imported_is_the_same_desk(finished: Path, tmp_path: Path, run: Run, form: str) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    assert run("export", out, "--format", form, "--desk", finished)[0] == OK
    assert {"manifest.json", "README.md", f"decision.{form}"} <= {file.name for file in out.iterdir()}
    assert run("init", other)[0] == OK
    code, said, _ = run("import", out, "--desk", other)
    assert code == OK and "6 articles came in" in said
    with Archive.open(finished / "archive.sqlite") as first, Archive.open(other / "archive.sqlite") as again:
        for table in schema.metadata.sorted_tables:
            assert again.rows(table) == first.rows(table), table.name
    code, _, problem = run("import", out, "--desk", other)
    assert code == FAILED and "not empty" in problem


def test_articles_alone_go_into_one_file_and_into_a_desk_that_has_some(
    finished: Path, tmp_path: Path, run: Run
) -> None:
    assert run("export", tmp_path / "a.csv", "--desk", finished)[0] == OK
    assert run("init", tmp_path / "other")[0] == OK
    assert "6 articles came in" in run("import", tmp_path / "a.csv", "--desk", tmp_path / "other")[1]
    assert "6 were there already" in run("import", tmp_path / "a.csv", "--desk", tmp_path / "other")[1]


def test_a_backup_is_a_desks_archive(finished: Path, tmp_path: Path, run: Run) -> None:
    code, said, _ = run("backup", tmp_path / "safe.sqlite", "--desk", finished)
    assert code == OK and "sound" in said
    with Archive.open(finished / "archive.sqlite") as first, Archive.open(tmp_path / "safe.sqlite") as copy:
        assert copy.digest() == first.digest()
    assert run("backup", tmp_path / "safe.sqlite", "--desk", finished)[0] == FAILED
