"""The notebooks run from top to bottom on the sample desk, and show what they say they show."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
MIN_SHOWN = 3  # cells of a notebook that must show something
SECONDS_A_CELL = 300


def cells(path: Path) -> list[dict[str, Any]]:
    jupytext = pytest.importorskip("jupytext")
    return list(jupytext.read(path).cells)


def is_shown(cell: dict[str, Any]) -> bool:
    return "shown" in cell["metadata"].get("tags", ())


def has_content(output: dict[str, Any]) -> bool:
    """A picture, a live chart, a table with at least one row, or a text."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return "<path" in data["image/svg+xml"]
    if "text/html" in data:
        return "<td" in data["text/html"] if "<table" in data["text/html"] else bool(data["text/html"].strip())
    return "application/vnd.jupyter.widget-view+json" in data or bool(data.get("text/markdown", "").strip())


def test_the_notebooks_are_here() -> None:
    names = ["explore_cluster", "label_stance", "paper_chart", "tour", "tune_definition", "what_changed"]
    assert [path.stem for path in NOTEBOOKS] == names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_step_is_explained_before_it_is_made(path: Path) -> None:
    kinds = [cell["cell_type"] for cell in cells(path)[:-1]]  # the last one closes the desk
    assert kinds[0] == "markdown"
    unexplained = [i for i, kind in enumerate(kinds) if kind == "code" and kinds[i - 1] != "markdown"]
    assert unexplained == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_only_reads_or_works_on_a_copy(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    if path.stem == "label_stance":
        opened = [ast.unparse(node.args[0]) for node in calls if ast.unparse(node.func) == "narratives.open"]
        copied = [ast.unparse(node.args[1]) for node in calls if ast.unparse(node.func) == "shutil.copytree"]
        assert opened == copied == ["place / 'desk'"]
        return
    opened = [node for node in calls if ast.unparse(node.func) == "narratives.open"]
    assert [ast.unparse(k.value) for node in opened for k in node.keywords if k.arg == "read_only"] == ["True"]
    assert not {"desk.ingest", "desk.update"} & {ast.unparse(node.func) for node in calls}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_says(path: Path, sample_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("NARRATIVES_DESK", str(sample_desk.folder))
    notebook = jupytext.read(path)
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()  # raises with the cell's traceback where one fails
    shown = [cell for cell in notebook.cells if is_shown(cell)]
    assert len(shown) >= MIN_SHOWN
    silent = [cell["source"] for cell in shown if not any(has_content(output) for output in cell["outputs"])]
    assert silent == []
    warned = [o for cell in notebook.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert [o["text"] for o in warned] == []
