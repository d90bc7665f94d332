"""Copies of a desk's archive: `backup`, `export` and `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from narratives.commands.screen import DeskOption, JsonOption, count, opened, print_json, say


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to make; it must not be there yet.")],
    desk: DeskOption = None,
) -> None:
    """Copy the archive as it is at this moment, also while a run writes it; the copy is checked before it is kept."""
    from narratives.archive.transfer import backup as copy_archive

    with opened(desk, read_only=True) as own:
        place = copy_archive(own.archive, file)
    say(f"{place}: {place.stat().st_size / 1e6:,.1f} MB, sound")


def export(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A new folder, or a new .jsonl, .csv or .parquet file.")
    ],
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="Of the files in a folder: jsonl, csv or parquet.")
    ] = "jsonl",
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the whole archive into a folder, a file a table; or only its articles into one file.

    The folder's README says what is in it. `narratives import` brings it back without loss.
    """
    from narratives.archive.transfer import FORMATS as ENDINGS
    from narratives.archive.transfer import export_articles
    from narratives.archive.whole import export_archive

    with opened(desk, read_only=True) as own:
        if target.suffix in ENDINGS:
            counts = {"article": export_articles(own.archive, target)}
        else:
            counts = export_archive(own.archive, target, form)
    if as_json:
        print_json(counts)
        return
    said = ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
    say(f"{target}: {said or 'no rows'}")


def import_(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", exists=True, help="A folder or file that `narratives export` wrote.")
    ],
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring back what `narratives export` wrote: a folder into a new, empty desk; a file of articles into any.

    A folder comes whole or not at all. Articles of a file that are there already are left as they are.
    """
    from narratives.archive.transfer import import_articles
    from narratives.archive.whole import import_archive

    with opened(desk) as own:
        if source.is_dir():
            counts = import_archive(own.archive, source)
            n_new, n_known = counts["article"], 0
        else:
            n_new, n_known = import_articles(own.archive, source)
            counts = {"added": n_new, "known": n_known}
    if as_json:
        print_json(counts)
        return
    say(f"{count(n_new, 'article')} came in" + (f", {n_known:,} were there already" if n_known else ""))
    if not source.is_dir() and n_new:
        say("next: `narratives update`")
