"""Run every notebook on a desk and write it, with what it shows, to `docs/notebooks` as a page of its own.

    python docs/render_notebooks.py DESK        (or: make notebooks)

A page asks for nothing from anywhere and names no place of this machine.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbclient
import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "notebooks"
SECONDS_A_CELL = 600
WIDGET = "application/vnd.jupyter.widget-view+json"
STYLE = """
body{max-width:1000px;margin:24px auto;padding:0 16px;color:#1b1e22;background:#fff;
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Arial,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
pre{background:#f6f6f3;padding:8px 12px;overflow:auto;font-size:12.5px;line-height:1.45;border-radius:4px}
table{border-collapse:collapse;font-size:12.5px}
td,th{padding:3px 8px;border-bottom:1px solid #d8dade;text-align:left;vertical-align:top}
.jp-OutputArea-output,.output_html,.output_area{overflow:auto}.anchor-link{display:none}h1{font-size:26px}h2{font-size:19px}
.c1,.cm{color:#575e69}.k,.kn,.kc{color:#0a6870}.s1,.s2,.sa{color:#a8481b}.prompt,.jp-InputPrompt,.jp-OutputPrompt{display:none}
"""


def render(path: Path, desk: Path) -> Path:
    """Run one notebook beside a link called `desk` and write its page."""
    notebook = jupytext.read(path)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "desk").symlink_to(desk.resolve(), target_is_directory=True)
        os.environ.pop("NARRATIVES_DESK", None)
        resources = {"metadata": {"path": place}}
        nbclient.NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell["outputs"] = [o for o in map(still, cell.get("outputs", [])) if o] if cell["cell_type"] == "code" else []
        if cell["cell_type"] != "code":
            del cell["outputs"]
    notebook["metadata"].pop("widgets", None)
    body, _ = HTMLExporter(config=Config(), template_name="basic").from_notebook_node(notebook)
    title = re.search(r"^# # (.+)$", path.read_text(encoding="utf-8"), re.M)
    head = f"<title>{title.group(1) if title else path.stem}</title><style>{STYLE}</style>"
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">{head}</head><body>{body}</body></html>\n'
    )
    if found := re.search(r"/(?:home|root|tmp|work|Users|var)/[\w/.-]+", page):
        raise ValueError(f"{path.name} shows a place of this machine: {found.group(0)}")
    written = OUT / f"{path.stem}.html"
    written.write_text(re.sub(r"[ \t]+$", "", page, flags=re.M), encoding="utf-8")
    return written


def still(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """An output as it is without a kernel; None for what only a kernel can show, and for what went to stderr."""
    if output.get("name") == "stderr":
        return None
    data = output.get("data", {})
    if WIDGET in data:
        if "text/html" not in data:
            return None
        del data[WIDGET]
    return output


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:]
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        if not wanted or path.stem in wanted:
            print(render(path, Path(sys.argv[1])).relative_to(ROOT))


if __name__ == "__main__":
    main()
