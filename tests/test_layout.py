"""The house keeps its plan: arrows point one way, rooms stay small, the front door opens at once."""

import ast
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("embeddings", "narratives", "reports")
MAY_IMPORT = {"embeddings": {"embeddings"}, "narratives": {"narratives", "embeddings"}, "reports": set(ROOMS)}
HEAVY = {"torch", "transformers", "sentence_transformers", "umap", "numba", "hdbscan", "sklearn", "pandas", "altair"}
MAX_LINES = 350
HELP_SECONDS = 0.5

MODULES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def ours(file: Path) -> list[tuple[str, int]]:
    """Modules of ours that a file imports, wherever in it, with the line."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import; write the whole name"
            found.append((node.module or "", node.lineno))
    return [(name, line) for name, line in found if name.partition(".")[0] in ROOMS]


def is_front_door(file: Path) -> bool:
    inside = file.relative_to(ROOT).parts
    return inside == ("narratives", "cli.py") or inside[:2] == ("narratives", "commands")


def wrong_arrows(file: Path) -> Iterator[str]:
    room = file.relative_to(ROOT).parts[0]
    for name, line in ours(file):
        target = name.partition(".")[0]
        if target not in MAY_IMPORT[room] and not (target == "reports" and is_front_door(file)):
            yield f"{file.relative_to(ROOT)}:{line} imports {name}"


def test_imports_point_one_way() -> None:
    assert MODULES
    assert [arrow for file in MODULES for arrow in wrong_arrows(file)] == []


@pytest.mark.parametrize("target", ["narratives.settings", "reports"])
def test_a_wrong_arrow_is_seen(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "embeddings").mkdir()
    file = tmp_path / "embeddings" / "encoder.py"
    file.write_text(f"def load():\n    import {target}\n", encoding="utf-8")
    assert list(wrong_arrows(file)) == [f"embeddings/encoder.py:2 imports {target}"]


def test_modules_stay_small() -> None:
    files = MODULES + TESTS
    lengths = {f"{file.relative_to(ROOT)}": len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in MODULES
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_importing_the_rooms_loads_nothing_heavy() -> None:
    asked = "import sys, narratives, narratives.cli, embeddings; print(*{m.partition('.')[0] for m in sys.modules})"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT)
    assert HEAVY & set(said.stdout.split()) == set()


def test_help_answers_at_once() -> None:
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        said = subprocess.run([sys.executable, "-m", "narratives", "--help"], capture_output=True, text=True, cwd=ROOT)
        seconds.append(time.perf_counter() - began)
        assert said.returncode == 0
        assert "Usage: narratives" in said.stdout
    # A machine shared by others, as in CI, may be several times slower than a person's.
    patience = 4 if os.environ.get("CI") or os.getloadavg()[0] > (os.cpu_count() or 1) else 1
    assert statistics.median(seconds) < HELP_SECONDS * patience


def test_one_configuration_file() -> None:
    others = ["setup.cfg", "setup.py", "tox.ini", "pytest.ini", "mypy.ini", ".ruff.toml", "ruff.toml", ".coveragerc"]
    assert [name for name in others if (ROOT / name).exists()] == []
