"""`narratives label`: the analyst reads the articles that teach most, and the stance scorer learns from her."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narratives.commands.screen import DeskOption, JsonOption, note, opened, plain, print_json, records, say

if TYPE_CHECKING:
    from narratives.label_session import LabelSession

_LEAD = 220  # characters of a text that are shown where no sentence was picked
_Narrative = Annotated[str, typer.Argument(metavar="NARRATIVE", help="Such as N0001, or its id in definitions.yaml.")]
_ASK = "supports (s), opposes (o), only reports (r), skip (Enter), undo the last (u), quit (q)? "


def label(
    narrative: Annotated[
        str, typer.Argument(metavar="NARRATIVE", help="Such as N0001, or its id in definitions.yaml.")
    ],
    n: Annotated[int, typer.Option("-n", "--articles", min=1, help="How many to ask about.")] = 10,
    batch: Annotated[int, typer.Option(min=1, help="Think anew which to ask after so many answers.")] = 5,
    show: Annotated[
        bool, typer.Option("--list", help="Only list them; answer with `narratives decide stance`.")
    ] = False,
    refit: Annotated[bool, typer.Option("--refit", help="Ask nothing; learn from the labels that stand.")] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of articles whether they support a narrative's claim, oppose it or only report.

    Articles are asked in the order in which an answer teaches most. Every answer is a decision: on record, undoable
    (`narratives decide list`), kept through every update. At the end the narrative's articles are scored anew, and
    what the labels bought is said: macro-F1 without and, cross-validated, with them.
    """
    with opened(desk, read_only=show) as own:
        session = own.label_session(narrative)
        if show:
            found = session.ask(n)
            if as_json:
                print_json(records(found))
            else:
                for row in records(found):
                    _show(row)
            return
        answered = 0 if refit else _ask_for(session, n, batch)
        if not refit and not answered:
            note("no answer, so nothing was changed")
            return
        bought = session.refit()
        if as_json:
            print_json(vars(bought))
        else:
            say(plain(str(bought)))


def _ask_for(session: LabelSession, n: int, batch: int) -> int:
    """Ask until `n` articles were shown or the person leaves; returns how many labels were given."""
    claim = " / ".join(session.statements.claim)
    say(f"{session.narrative}, the claim: {plain(claim)}")
    answers: list[Any] = []
    skipped: set[str] = set()
    shown = 0
    while shown < n:
        rows = [r for r in records(session.ask(min(batch, n - shown) + len(skipped))) if r["article"] not in skipped]
        rows = rows[: min(batch, n - shown)]
        if not rows:
            note("every article has a label")
            break
        for row in rows:
            shown += 1
            say()
            say(f"{shown} of {n}")
            _show(row)
            word = _answer()
            while word == "u":
                if answers:
                    say(plain(str(session.desk.undo(answers.pop()))))
                else:
                    note("there is nothing to undo")
                word = _answer()
            if word == "q":
                return len(answers)
            if word:
                answers.append(session.say(row["article"], word))
            else:
                skipped.add(row["article"])
    return len(answers)


def _answer() -> str:
    """A label, `u`, `q`, or nothing; the end of the input is `q`."""
    from narratives.label_session import stance_label

    while True:
        sys.stderr.write(_ASK)
        sys.stderr.flush()
        line = sys.stdin.readline()
        word = line.strip().lower()
        if not line or word in ("q", "quit"):
            return "q"
        if word in ("", "u"):
            return word
        if found := stance_label(word):
            return found
        note(f"not understood: {plain(word)}")


def _show(row: dict[str, Any]) -> None:
    say(f"{row['article']}  {str(row['published_at'])[:10]}  {plain(row['source'])}  {row['lang']}")
    say(f"  {plain(row['title'])}")
    for sentence in row["evidence"]:
        say(f"  > {plain(sentence)[:_LEAD]}")
    shares = ", ".join(f"{name} {row[f'p_{name}']:.2f}" for name in ("supports", "opposes", "reports"))
    say(f"  now {row['verdict']} ({shares})")
