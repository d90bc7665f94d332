"""What all commands share: finding the desk, tables and lines on stdout, progress on stderr, JSON."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

if TYPE_CHECKING:
    from narratives.desk import Desk

OK, FAILED, USAGE, BUSY, NEEDS_A_LOOK, STOPPED = 0, 1, 2, 3, 4, 130

DeskOption = Annotated[
    Path | None,
    typer.Option(
        "--desk",
        metavar="FOLDER",
        show_default=False,
        help="The desk's folder. Left out: the current folder if it is a desk, else $NARRATIVES_DESK.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress on stderr.")]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=NAME",
        show_default=False,
        help="What a field is called in the input, such as title=Headline; may be repeated.",
    ),
]
_SECONDS_BETWEEN_LINES = 5
_SAMPLE_WIDTH = 10_000  # columns where stdout is no terminal: nothing is cut


def find_desk(named: Path | None) -> Path:
    """The folder that `--desk` names, else the current one if it is a desk, else `$NARRATIVES_DESK`.

    Raises
    ------
    FileNotFoundError
        None of the three.
    """
    if named is not None:
        return named.expanduser()
    here = Path.cwd()
    if (here / "narratives.toml").exists():
        from narratives.desk import is_desk

        if is_desk(here):
            return here
    if said := os.environ.get("NARRATIVES_DESK"):
        return Path(said).expanduser()
    raise FileNotFoundError(
        f"{here} is not a desk: go to one, name one with --desk FOLDER, set NARRATIVES_DESK, "
        "or make one with `narratives init FOLDER`"
    )


@contextmanager
def opened(named: Path | None, read_only: bool = False) -> Iterator[Desk]:
    """The desk, closed again afterwards.

    Parameters
    ----------
    read_only
        The command writes nothing: a desk that may not be written will do.
    """
    from narratives.archive import ArchiveReadOnly
    from narratives.desk import open_desk

    folder = find_desk(named)
    try:
        desk = open_desk(folder)
    except ArchiveReadOnly:
        if not read_only:
            raise
        desk = open_desk(folder, read_only=True)
    try:
        yield desk
    finally:
        desk.close()


def plain(value: Any) -> str:
    """Text that is safe to show: one line, without control characters; "" for what is missing.

    >>> plain("a\\x1b[31m b\\n c"), plain(None), plain(float("nan"))
    ('a [31m b c', '', '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    shown = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return " ".join(shown.split())


def cut(value: Any, width: int, end: bool = False) -> str:
    """At most `width` characters of one line: the beginning, or with `end` the end.

    >>> cut("abcdef", 4), cut("abcdef", 4, end=True)
    ('abc…', '…def')
    """
    text = plain(value)
    if len(text) <= width:
        return text
    return "…" + text[1 - width :] if end else text[: width - 1] + "…"


def say(line: str = "") -> None:
    """A line of the answer, on stdout."""
    typer.echo(line)


def note(line: str) -> None:
    """A line about the work, on stderr."""
    typer.echo(line, err=True)


def heading(line: str) -> None:
    """A line that begins a part of the answer."""
    typer.secho(line, bold=True)


def number(value: Any, pattern: str = "{:.2f}") -> str:
    """A figure for a table; "–" where there is none.

    >>> number(0.128, "{:+.2f}"), number(float("nan"))
    ('+0.13', '–')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return pattern.format(value)


def count(n: int, one: str, several: str = "") -> str:
    """A number with its noun.

    >>> count(1, "week"), count(1200, "story", "stories")
    ('1 week', '1,200 stories')
    """
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """Print rows under headings; columns named in `right` are aligned to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _SAMPLE_WIDTH, highlight=False)
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(plain(cell)) for cell in row))
    with console.capture() as printed:
        console.print(grid)
    for line in printed.get().splitlines():
        typer.echo(line.rstrip())


def records(frame: Any) -> list[dict[str, Any]]:
    """Rows of a data frame as dicts for `print_json`."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def print_json(value: Any) -> None:
    """Print anything our frames hold as JSON: dates in ISO form, instants with their offset, NaN as null."""
    typer.echo(json.dumps(jsonable(value), ensure_ascii=False, indent=2, allow_nan=False))


def jsonable(value: Any) -> Any:
    """The value in terms of JSON.

    >>> jsonable({"week": date(2025, 11, 10), "stance": float("nan"), "path": Path("a")})
    {'week': '2025-11-10', 'stance': None, 'path': 'a'}
    """
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if hasattr(value, "tolist") and not isinstance(value, str | bytes):  # numpy
        return jsonable(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        said = value.isoformat()
        return None if said == "NaT" else said
    return None if str(value) in ("NaT", "<NA>") else str(value)


class Progress:
    """How far long work has come: bars on a terminal, else a line for each stage, all on stderr.

    Parameters
    ----------
    quiet
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._told = 0.0

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )
            from rich.progress import Progress as Bars

            self._bars = Bars(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begin(self, what: str) -> None:
        """Say what starts now, before its first step is reported."""
        self._show("stage", what, 0, None)

    def stage(self, name: str, done: int, total: int) -> None:
        """A stage of an update; `done` of `total` steps lie behind it."""
        if name.startswith("encoding"):
            self.texts(name, done, total)
            return
        label = name if name == "done" else f"{name} ({done + 1} of {total})"
        self._show("stage", label, done, total)

    def texts(self, name: str, done: int, total: int) -> None:
        """Texts encoded so far, how many a second, and how long the rest will take; a line every five seconds."""
        from narratives.weeks import duration

        at = time.monotonic()
        started, n_before = self._began.setdefault(name, (at, done))
        rate = (done - n_before) / (at - started) if at > started else 0.0
        said = f"{name}: {done:,} of {total:,} texts"
        if rate:
            said += f", {rate:,.0f} a second, {duration((total - done) / rate)} left"
        if self._bars is not None or done >= total or at - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = at
            self._show("texts", said, done, total)

    def file(self, place: str, n_records: int) -> None:
        """Records read so far from one source."""
        self._show("file", f"{plain(Path(place).name or place)}: {n_records:,} records", n_records, None)

    def _show(self, task: str, text: str, done: int, total: int | None) -> None:
        if self.quiet:
            return
        if self._bars is None:
            if text != "done":
                note(text)
            return
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(text, total=total)
        self._bars.update(self._tasks[task], description=text, completed=done, total=total)
