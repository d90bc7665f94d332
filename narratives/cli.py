"""The command `narratives`: its commands, and what an error looks like to the person who typed it.

Nothing heavy is imported here or in `narratives.commands` until a command runs, so that `narratives --help`
answers in well under half a second.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from narratives.commands import (
    alerts,
    copies,
    decide,
    doctor,
    encode,
    evaluate,
    label,
    look,
    publish,
    quarantine,
    replay,
    work,
)
from narratives.commands.screen import BUSY, FAILED, OK, STOPPED, note, plain

_EPILOG = """\b
Exit codes
  0    done, also where there was nothing new to do
  1    could not be done; the message on stderr says what to mend
  2    wrong usage of the command
  3    another run is writing this desk; try again when it has ended
  4    done, but something needs a look: a source that could not be read,
       a problem that doctor found
  130  stopped from the keyboard; what was finished is kept

\b
NARRATIVES_DESK    the desk, where --desk is left out and the current folder is none
NARRATIVES_CACHE   where the unpacked model is kept
NARRATIVES_DEBUG   set to 1: show the traceback of every error
"""

app = typer.Typer(
    name="narratives",
    help="Track narratives in Chinese and English news: from files and feeds to a weekly report.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # drawing boxes costs a third of the time that --help may take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from narratives import __version__

        typer.echo(f"narratives {__version__}")
        raise typer.Exit(OK)


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Track narratives in Chinese and English news: from files and feeds to a weekly report."""


for _name, _command, _line in (
    ("init", work.init, "make a desk: settings, named narratives, an empty archive"),
    ("ingest", work.ingest, "take articles in from files, folders and feeds"),
    ("update", work.update, "process what was taken in since last time"),
    ("encode", encode.encode, "encode ahead of an update, here or on a Ray cluster"),
    ("report", publish.report, "write the report of a week"),
    ("pictures", publish.pictures, "write the charts of a week as PNG and SVG"),
    ("site", publish.site, "write a static site of all weeks"),
    ("run", work.run, "ingest, update and report in one, for cron"),
    ("list", look.list_narratives, "the narratives, with figures of the last week"),
    ("show", look.show, "one narrative: figures, events, evidence"),
    ("explain", look.explain, "why an article is where it is"),
    ("decide", decide.app, "what you say goes: names, merges, splits, places of articles; undo"),
    ("label", label.label, "say what articles say of a claim: the most useful ones are asked first"),
    ("alerts", alerts.app, "new narratives that deserve a look"),
    ("quarantine", quarantine.app, "records that could not become articles"),
    ("backup", copies.backup, "a sound copy of the archive, at one moment"),
    ("export", copies.export, "the whole archive as files, or its articles as one"),
    ("import", copies.import_, "bring back what export wrote"),
    ("check", doctor.check, "is definitions.yaml valid, and what would make it better"),
    ("settings", doctor.settings, "every setting, its value and its meaning"),
    ("evaluate", evaluate.evaluate, "the shipped scorers on a labelled file, beside baselines"),
    ("replay", replay.replay, "your history told anew with planted births: what is found, and when"),
    ("doctor", doctor.examine, "what is missing or wrong: machine, desk, material"),
):
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_name, short_help=_line)
    else:
        app.command(_name, short_help=_line)(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors that a person can mend become one line on stderr.

    Parameters
    ----------
    arguments
        In place of the process's own (tests).

    Example
    -------
    >>> main(["--version"])
    narratives 0.1.0
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that knows no Chinese shows question marks
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # ours are enough
    try:
        app(args=None if arguments is None else list(arguments), prog_name="narratives")
    except SystemExit as end:
        if end.code == STOPPED:
            note("stopped; what was finished is kept, and the same command goes on from there")
        return end.code if isinstance(end.code, int) else FAILED
    except Exception as error:
        return _tell(error)
    return OK


def _tell(error: Exception) -> int:
    """Say on stderr what was wrong; returns the exit code. Faults of the program are raised again."""
    if os.environ.get("NARRATIVES_DEBUG"):
        traceback.print_exception(error)
    from narratives.archive import ArchiveBusy, ArchiveError

    if isinstance(error, ArchiveBusy):
        note(f"busy: {error}")
        return BUSY
    if isinstance(error, ArchiveError) or type(error).__name__ == "BundledModelError":
        said = str(error)
    elif isinstance(error, ModuleNotFoundError):
        said = f"the package {error.name} is missing; `narratives doctor` says which command installs it"
    elif isinstance(error, OSError):
        said = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    elif isinstance(error, ValueError):
        said = str(error)
        if not _is_ours(error):
            said += " (raised inside a library; NARRATIVES_DEBUG=1 shows where)"
    else:
        raise error
    note(f"error: {plain(said)}")
    return FAILED


def _is_ours(error: Exception) -> bool:
    """It was raised by a line of this program, not deep inside a library."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return module.partition(".")[0] in ("embeddings", "narratives", "reports")


if __name__ == "__main__":
    sys.exit(main())
