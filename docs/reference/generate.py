"""Write the reference from the program itself: `python docs/reference/generate.py`, or `make docs`.

Commands come from the command line's own help, settings from their model, Python from signatures and docstrings.
A test holds that the pages in the repository are what this program would write.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer
from pydantic import BaseModel
from typer.cli import get_docs_for_click

_MADE = "<!-- Made by docs/reference/generate.py: edit the program, then `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> text of every page of the reference."""
    return {"commands.md": _commands(), "settings.md": _settings(), "python.md": _python()}


def _commands() -> str:
    from narratives.cli import app

    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=click.Context(command), name="narratives", title="Commands")
    return _MADE + re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _settings() -> str:
    from narratives.settings import Settings

    lines = ["# Settings", "", "What `narratives.toml` may say; `narratives settings` lists a desk's own values.", ""]
    sections = [("", Settings)]
    sections += [(n, type(v)) for n, v in Settings() if isinstance(v, BaseModel)]
    for section, model in sections:
        fields = {n: f for n, f in model.model_fields.items() if not _is_section(f.annotation)}
        lines += [
            f"## `[{section}]`" if section else "## Top level",
            "",
            "| name | default | meaning |",
            "|---|---|---|",
        ]
        for name, field in fields.items():
            default = field.get_default(call_default_factory=True)
            meaning = " ".join(str(field.description or "").split()).replace("|", "\\|")
            lines.append(f"| `{name}` | `{default!r}` | {meaning} |")
        lines.append("")
    return _MADE + "\n".join(lines).strip() + "\n"


def _is_section(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


def _python() -> str:
    import embeddings
    import narratives
    import reports

    lines = ["# Python", ""]
    for room in (narratives, reports, embeddings):
        lines += [f"## `{room.__name__}`", "", inspect.cleandoc(room.__doc__ or "").splitlines()[0], ""]
        for name in sorted(room.__all__):
            thing = getattr(room, name)
            lines += _entry(name, thing)
            if inspect.isclass(thing):
                for method, member in _methods(thing):
                    lines += _entry(f"{name}.{method}", member)
    return _MADE + "\n".join(lines).strip() + "\n"


def _methods(thing: type) -> Iterator[tuple[str, Any]]:
    """Public methods with a docstring, those of its parents of this project too, by name."""
    ours = [c for c in thing.__mro__ if c.__module__.split(".")[0] in ("narratives", "reports", "embeddings")]
    names = sorted({n for c in ours for n in vars(c) if not n.startswith("_")})
    for name in names:
        member = getattr(thing, name)
        if callable(member) and inspect.getdoc(member) and not inspect.isclass(member):
            yield name, member


def _entry(name: str, thing: Any) -> list[str]:
    try:
        signature = str(inspect.signature(thing)) if callable(thing) else ""
    except (TypeError, ValueError):
        signature = ""
    signature = re.sub(r" at 0x[0-9a-f]+", "", signature).replace("'", "")
    text = inspect.getdoc(thing) or ""
    return [f"### `{name}`", "", "```text", f"{name}{signature}", "", *text.splitlines(), "```", ""]


def main() -> None:
    folder = Path(__file__).parent
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
