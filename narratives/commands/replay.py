"""`narratives replay`: how well would this desk have found what was planted in its own history?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narratives.commands.screen import DeskOption, JsonOption, opened, print_json, say


def replay(
    plan: Annotated[
        Path,
        typer.Option("--plant", metavar="FILE", exists=True, dir_okay=False, help="births.yaml: what begins when."),
    ],
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the archive's history anew with planted births, and measure what is found, beside three simpler trackers.

    births.yaml names narratives of the archive that are hidden and told again from a week on (`births:` with
    `narrative`, `week`, `per_week`). It may make two narratives one at the end of a week (`merges:` with `narratives`,
    `week`) or cut one in two (`splits:` with `narrative`, `week`), for the machine to undo; take a source away
    (`outages:` with `source`, `week`, `weeks`); or flood a week with reprints (`floods:` with `week`, `copies`). The
    desk itself is not changed.
    """
    from narratives.replay.plant import load_plan
    from narratives.replay.plant import replay as run

    asked = load_plan(plan)
    with opened(desk, read_only=True) as own:
        table = run(own, asked)
    if as_json:
        print_json({name: column.dropna().to_dict() for name, column in table.items()})
    else:
        say(table.map(lambda value: "" if value != value else f"{value:.2f}").to_string())
