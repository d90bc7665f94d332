"""Commands that examine: `doctor`, `check` (definitions) and `settings`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narratives.commands.screen import (
    NEEDS_A_LOOK,
    DeskOption,
    JsonOption,
    count,
    find_desk,
    heading,
    opened,
    plain,
    print_json,
    say,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    from narratives.definitions import Definition
    from narratives.machine import Finding

_SIGNS = {"ok": "  ok ", "note": "note ", "problem": "  !! "}


def examine(
    load: Annotated[bool, typer.Option("--load", help="Also load the model and encode a sentence.")] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what is missing or wrong: on this machine, in the desk, in its material.

    Leaves with 4 when there is a problem; notes are worth knowing and no problem.
    """
    findings = list(_findings(desk, load))
    problems = sum(f.level == "problem" for f in findings)
    if as_json:
        print_json([vars(f) for f in findings])
    else:
        for f in findings:
            say(f"{_SIGNS[f.level]}{f.area:<12}{plain(f.text)}")
            if f.help:
                say(f"{'':17}-> {plain(f.help)}")
        notes = sum(f.level == "note" for f in findings)
        heading(f"{count(problems, 'problem')}, {count(notes, 'note')}")
    if problems:
        raise typer.Exit(NEEDS_A_LOOK)


def _findings(named: Path | None, load: bool) -> Iterator[Finding]:
    from narratives.archive import ArchiveError
    from narratives.checkup import examine_desk
    from narratives.machine import Finding, examine_machine

    try:
        folder: Path | None = find_desk(named)
    except FileNotFoundError as error:
        yield from examine_machine(None, load)
        yield Finding("note", "desk", "no desk was looked at", str(error))
        return
    try:
        with opened(folder, read_only=True) as own:
            yield from examine_machine(own.settings, load)
            yield Finding("ok", "desk", str(own.folder))
            yield from examine_desk(own)
    except (ArchiveError, ValueError, OSError) as error:
        yield Finding("problem", "desk", str(error))


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", show_default=False, help="A definitions file. Left out: that of the desk."),
    ] = None,
    meaning: Annotated[
        bool, typer.Option("--meaning", help="Also load the model: statements too alike, or near to every article.")
    ] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check named narratives: is the file valid, and what would make stance and assignment better."""
    from narratives.definitions import check_definitions, load_definitions
    from narratives.desk import DEFINITIONS

    place = file if file is not None else find_desk(desk) / DEFINITIONS
    if not place.exists():
        raise FileNotFoundError(f"there is no definitions file {place}")
    definitions = load_definitions(place)
    advice = list(check_definitions(definitions))
    if meaning:
        advice += _meanings(definitions, desk if file is None else None, file is None)
    if as_json:
        print_json({"file": place, "narratives": [d.id for d in definitions], "advice": advice})
        return
    for line in advice:
        say(plain(line))
    said = count(len(advice), "piece of advice", "pieces of advice") if advice else "nothing to advise"
    say(f"{place} is valid: {count(len(definitions), 'named narrative')}, {said}")


def _meanings(definitions: list[Definition], desk: Path | None, own: bool) -> list[str]:
    """Advice that needs the model; a desk's also against its articles."""
    import tempfile

    from narratives.material import Material
    from narratives.settings import Settings
    from narratives.statement_check import check_meanings

    if own:
        with opened(desk, read_only=True) as known:
            return list(check_meanings(definitions, known.material(), known.archive))
    with tempfile.TemporaryDirectory() as folder:
        return list(check_meanings(definitions, Material(Path(folder), Settings.model_validate({}))))


def settings(
    changed: Annotated[bool, typer.Option("--changed", help="Only those that differ from their default.")] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every setting with its value and its meaning, in the form that narratives.toml takes."""
    from narratives.desk import SETTINGS
    from narratives.settings import Settings, load_settings

    try:
        place = find_desk(desk) / SETTINGS
        current = load_settings(place)
    except FileNotFoundError:
        if desk is not None:
            raise
        current = Settings.model_validate({})
    rows = [
        row for row in _knobs(current, Settings.model_validate({})) if not changed or row["value"] != row["default"]
    ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("every setting has its default value")
        return
    section = ""
    for row in rows:
        where, _, name = row["name"].rpartition(".")
        if where != section:
            say(f"\n[{where}]")
            section = where
        line = f"{name} = {_written(row['value'])}"
        say(f"{line:<42}  # {row['meaning']}{_usual(row)}")


def _knobs(current: BaseModel, default: BaseModel, prefix: str = "") -> Iterator[dict[str, Any]]:
    from pydantic import BaseModel

    for name, field in type(current).model_fields.items():
        value, usual = getattr(current, name), getattr(default, name)
        if isinstance(value, BaseModel):
            yield from _knobs(value, usual, f"{prefix}{name}.")
        else:
            yield {
                "name": prefix + name,
                "value": value,
                "default": usual,
                "meaning": field.description or "",
            }


def _usual(row: dict[str, Any]) -> str:
    return "" if row["value"] == row["default"] else f" Default: {_written(row['default'])}"


def _written(value: Any) -> str:
    """A value as narratives.toml writes it."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
