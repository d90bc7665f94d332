"""`narratives quarantine`: records that could not become articles, why, and taking them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from narratives.commands.screen import (
    NEEDS_A_LOOK,
    DeskOption,
    JsonOption,
    MapOption,
    count,
    cut,
    heading,
    opened,
    plain,
    print_json,
    records,
    say,
    table,
)

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List records that could not become articles; show, export or retry them.",
)
_LISTED = 50


@app.callback()
def list_quarantine(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were recovered, and no limit.")] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="REASON", show_default=False, help="Only with this reason."),
    ] = None,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what lies in quarantine: how many for each reason, and the records."""
    if context.invoked_subcommand is not None:
        context.obj = desk
        return
    with opened(desk, read_only=True) as own:
        frame = own.quarantine()
    if not everything:
        frame = frame[frame["state"] == "open"]
    if reason:
        frame = frame[frame["reason"] == reason]
    if as_json:
        print_json(records(frame))
        return
    if frame.empty:
        say("the quarantine is empty" if not reason else f"nothing lies in quarantine for the reason {reason}")
        return
    counts = frame["reason"].value_counts()
    heading(f"{count(len(frame), 'record')}: " + ", ".join(f"{plain(name)} {n:,}" for name, n in counts.items()))
    shown = frame if everything else frame.head(_LISTED)
    rows = [
        (r["id"], r["state"], r["reason"], cut(r["message"], 80), cut(r["origin"], 60, end=True))
        for r in records(shown)
    ]
    table(("id", "state", "reason", "what was wrong", "where"), rows, right=("id",))
    if len(shown) < len(frame):
        say(f"… and {len(frame) - len(shown):,} more: --all shows them")
    say("`narratives quarantine show ID` shows a record, `narratives quarantine retry` takes them again")


@app.command(short_help="one record as it came in, and what was wrong")
def show(
    context: typer.Context,
    record: Annotated[int, typer.Argument(metavar="ID", help="Of the list.")],
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record as it came in, and what was wrong with it."""
    with opened(desk or context.obj, read_only=True) as own:
        found = [row for row in records(own.quarantine()) if row["id"] == record]
    if not found:
        raise ValueError(f"there is no record {record} in quarantine; `narratives quarantine --all` lists them")
    row = found[0]
    if as_json:
        print_json(row)
        return
    heading(f"{row['id']}  {row['reason']}, {row['state']}")
    say(f"where  {plain(row['origin'])}")
    say(f"wrong  {plain(row['message'])}")
    say()
    for line in str(row["raw"]).splitlines():
        say("".join(sign if sign.isprintable() or sign == "\t" else " " for sign in line))


@app.command(short_help="write the open records to a file, to be mended")
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines file to write; it must not be there yet.")],
    desk: DeskOption = None,
) -> None:
    """Write the open records into a JSON Lines file, to be mended and taken in again.

    A record that was a JSON object is written as that object, anything else under `raw`; `_quarantine` says
    what was wrong.
    """
    with opened(desk or context.obj, read_only=True) as own:
        rows = records(own.archive.quarantine_frame("open"))
    lines = []
    for row in rows:
        said = {name: row[name] for name in ("id", "origin", "reason", "message")}
        lines.append(json.dumps({**_object(row["raw"]), "_quarantine": said}, ensure_ascii=False))
    with file.open("x", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in lines)
    say(f"{file}: {count(len(lines), 'record')}")


@app.command(short_help="take open records again")
def retry(
    context: typer.Context,
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID", show_default=False, help="Of the list. Left out: all."),
    ] = None,
    mapping: MapOption = None,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take open records again, with today's settings and mapping: from their file, or as they were kept.

    Leaves with 4 when any of them still cannot become an article.
    """
    from narratives.ingest import parse_mapping, retry_quarantine

    mapped = parse_mapping(mapping or [])
    with opened(desk or context.obj) as own:
        known = {row["id"] for row in records(own.archive.quarantine_frame("open"))}
        if missing := [str(i) for i in ids or [] if i not in known]:
            raise ValueError(f"not open in quarantine: {', '.join(missing)}; nothing was retried")
        report = retry_quarantine(own.archive, own.settings, ids or None, mapped)
    counts = report.counts
    n_back = counts["read"] - counts["quarantined"]
    if as_json:
        files = [{"origin": f.name, **f.counts, "note": f.note} for f in report.files]
        print_json({"recovered": n_back, "still_open": counts["quarantined"], "records": files})
    else:
        for file in report.files:
            if file.note:
                say(f"still open: {plain(file.name)}: {plain(file.note)}")
        say(f"{count(n_back, 'record')} recovered, {counts['quarantined']:,} still open")
        if counts["accepted"]:
            say("next: `narratives update`")
    if counts["quarantined"]:
        raise typer.Exit(NEEDS_A_LOOK)


def _object(raw: str) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {"raw": raw}
