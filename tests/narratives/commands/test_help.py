"""Every command explains itself: its help, the exit codes, wrong usage, the version."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from narratives.cli import app
from narratives.commands.screen import BUSY, FAILED, NEEDS_A_LOOK, OK, STOPPED, USAGE
from tests.narratives.commands.conftest import Run


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command and subcommand as it is typed."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield name, command
        for sub, below in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", below


COMMANDS = dict(all_commands())


def test_the_commands_of_the_plan_are_there() -> None:
    wanted = "init ingest update report run alerts list show explain doctor check settings quarantine".split()
    assert set(wanted) <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, run: Run) -> None:
    code, out, err = run(*name.split(), "--help")
    assert (code, err) == (OK, "")
    assert f"Usage: narratives {name}" in out
    listed = out.partition("\nCommands:\n")[2]
    assert "..." not in listed, "a line of the list is cut short"
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert parameter.help, f"{name} {parameter.opts}: no help"
            assert parameter.opts[0] in out


def test_help_states_the_exit_codes(run: Run) -> None:
    out = run("--help")[1]
    assert "..." not in out.partition("\nCommands:\n")[2], "a line of the list is cut short"
    for code in (OK, FAILED, USAGE, BUSY, NEEDS_A_LOOK, STOPPED):
        assert f"\n    {code} " in out


def test_wrong_usage_is_2(run: Run) -> None:
    assert run("frobnicate")[0] == USAGE
    assert run("show")[0] == USAGE
    assert run("report", "--lang", "klingon")[0] == USAGE
    assert run("ingest")[0] == USAGE


def test_version(run: Run) -> None:
    assert run("--version") == (OK, "narratives 0.1.0\n", "")
