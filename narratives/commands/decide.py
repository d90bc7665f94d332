"""`narratives decide`: what the analyst says of narratives and articles, on record and undoable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narratives.commands.screen import (
    DeskOption,
    JsonOption,
    Progress,
    QuietOption,
    count,
    opened,
    plain,
    print_json,
    records,
    say,
    table,
)

if TYPE_CHECKING:
    from narratives.decisions import Decision

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Decide what the machine may not: it holds at once and through every update. `decide list` shows what was "
    "decided, `decide undo` takes it back. An id that was merged means the narrative it was merged into.",
)

_Narrative = Annotated[str, typer.Argument(metavar="NARRATIVE", help="Such as N0001, or the id in definitions.yaml.")]
_Article = Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id (or the beginning of it), or its address.")]
_Zh = Annotated[str, typer.Option("--zh", metavar="NAME", help="The Chinese name.", show_default=False)]
_En = Annotated[str, typer.Option("--en", metavar="NAME", help="The English name.", show_default=False)]


def _tell(decision: Decision) -> None:
    say(plain(str(decision)))


@app.command(short_help="give a narrative a name")
def rename(narrative: _Narrative, zh: _Zh = "", en: _En = "", desk: DeskOption = None) -> None:
    """Name a narrative, in one language or both."""
    with opened(desk) as own:
        _tell(own.rename(narrative, zh=zh, en=en))


@app.command(short_help="make a narrative part of another")
def merge(
    narrative: _Narrative,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The narrative that stays.")],
    desk: DeskOption = None,
) -> None:
    """Merge a narrative into another: its articles move, and its id leads there from now on."""
    with opened(desk) as own:
        _tell(own.merge(narrative, into))


@app.command(short_help="make some of a narrative's articles one of their own")
def split(
    narrative: _Narrative,
    articles: Annotated[list[str], typer.Argument(metavar="ARTICLE...", help="Two stories or more.")],
    zh: _Zh = "",
    en: _En = "",
    desk: DeskOption = None,
) -> None:
    """Split articles, with their reprints, off a narrative."""
    with opened(desk) as own:
        _tell(own.split(narrative, articles, zh=zh, en=en))


@app.command(short_help="keep an article in a narrative")
def pin(article: _Article, narrative: _Narrative, desk: DeskOption = None) -> None:
    """Put an article into a narrative, to stay there."""
    with opened(desk) as own:
        _tell(own.pin(article, narrative))


@app.command(short_help="keep articles out of a narrative")
def reject(
    narrative: _Narrative,
    articles: Annotated[list[str], typer.Argument(metavar="ARTICLE...", help="Articles that do not belong there.")],
    desk: DeskOption = None,
) -> None:
    """Keep articles out of a narrative for ever; what is more like them than like its members stays out too."""
    with opened(desk) as own:
        for article in articles:
            _tell(own.reject(article, narrative))


@app.command(short_help="a narrative that was found is one of definitions.yaml")
def same(
    narrative: _Narrative,
    slug: Annotated[str, typer.Argument(metavar="NAMED", help="The id in definitions.yaml.")],
    desk: DeskOption = None,
) -> None:
    """Say that a narrative that was found is the same as one that definitions.yaml names."""
    with opened(desk) as own:
        _tell(own.same_as(narrative, slug))


@app.command(short_help="say what an article says of a claim")
def stance(
    article: _Article,
    narrative: _Narrative,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="supports, opposes or reports.")],
    desk: DeskOption = None,
) -> None:
    """Label an article's stance toward a narrative's claim."""
    with opened(desk) as own:
        _tell(own.label_stance(article, narrative, label))


@app.command(short_help="let a drafted claim stand")
def confirm(narrative: _Narrative, desk: DeskOption = None) -> None:
    """Say that the drafted claim of a narrative was read and stands."""
    with opened(desk) as own:
        _tell(own.confirm(narrative))


@app.command(short_help="take a decision back")
def undo(
    decision: Annotated[int, typer.Argument(metavar="NUMBER", help="As `narratives decide list` shows it.")],
    desk: DeskOption = None,
) -> None:
    """Take a decision back; what it moved goes back as far as it is still where the decision put it."""
    with opened(desk) as own:
        _tell(own.undo(decision))


@app.command(short_help="make recorded decisions again, on an archive built anew")
def redo(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `narratives decide list --json` printed.")],
    desk: DeskOption = None,
    quiet: QuietOption = False,
) -> None:
    """Process what waits week by week, and make every decision of the file after the week that it was made after."""
    from narratives.redo import redo as make_again

    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{file}: expected a list of decisions, as `narratives decide list --json` prints it")
    with opened(desk) as own, Progress(quiet) as progress:
        made = make_again(own, rows, progress=progress.stage)
    say(f"{count(len(made), 'decision')} made again")


@app.command("list", short_help="what was decided, and what was taken back")
def list_decisions(desk: DeskOption = None, as_json: JsonOption = False) -> None:
    """List every decision, oldest first."""
    with opened(desk, read_only=True) as own:
        frame = own.decisions()
    if as_json:
        print_json(records(frame))
        return
    if frame.empty:
        say("nothing has been decided yet")
        return
    rows = [
        (
            row["id"],
            f"{row['decided_at']:%Y-%m-%d %H:%M}",
            row["kind"],
            row["said"],
            "taken back" if row["undone"] else "",
        )
        for row in records(frame)
    ]
    table(("decision", "when (UTC)", "kind", "what", ""), rows, right=("decision",))
