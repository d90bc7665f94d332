"""`narratives alerts`: new narratives that deserve a look, why, and which of them were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from narratives.commands.screen import (
    FAILED,
    NEEDS_A_LOOK,
    DeskOption,
    JsonOption,
    count,
    heading,
    note,
    number,
    opened,
    plain,
    print_json,
    records,
    say,
    table,
)
from narratives.commands.summaries import delivery_facts, tell_delivered

if TYPE_CHECKING:
    from narratives.alerts import Precision

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List alerts, explain one (`alerts show A0001`), mark it as seen (`alerts ack A0001`), or send the new ones "
    "to your channels (`alerts deliver`).",
)

_HALF = 0.5
_PARTS = {
    "recent_stories": "stories in the last two weeks",
    "recent_share": "share of its stories that are recent",
    "cohesion": "cohesion: mean similarity of its stories",
    "sources": "independent sources",
    "growth": "p-value of its growth against its past",
}


@app.callback()
def list_alerts(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also watches, routine, and alerts that were acknowledged or retracted.")
    ] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts that nobody has acknowledged, the latest first.

    An alert is a new narrative that passed every part of the rule, a watch one that passed only some or doubles a
    young alert, routine one whose headlines are of a series. What is held waits for its feeds to calm down.
    """
    if context.invoked_subcommand is not None:
        context.obj = desk
        return
    from narratives.weeks import label

    with opened(desk, read_only=True) as own:
        frame, precision, notices = own.alerts(), own.alert_precision(), own.feed_notices()
    n_all = len(frame)
    if not everything:
        is_open = ~frame["acknowledged"].astype(bool) & (frame["state"] != "retracted")
        frame = frame[is_open & (frame["tier"] == "alert")]
    frame = frame.sort_values(["week", "id"], ascending=[False, True])
    if as_json:
        print_json(records(frame))
        return
    rows = [(r["id"], label(r["week"]), r["tier"], _state(r), r["narrative"], r["name"]) for r in records(frame)]
    if rows:
        table(("alert", "week", "tier", "state", "narrative", "name"), rows)
    else:
        say("no open alerts")
    if n_all:
        say(precision_said(precision))
    for notice in records(notices):
        say(f"feed notice, {label(notice['week'])}: {plain(notice['en'])}")
    if n_all > len(rows):
        say(f"{n_all - len(rows)} more were acknowledged or retracted, or are watches or routine only: see --all")


@app.command(short_help="explain one: the rule, its numbers, the articles")
def show(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Such as A0001.")],
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain an alert: every part of the rule with its number, and the articles it rests on."""
    from narratives.alerts import growth_asked
    from narratives.archive import schema
    from narratives.weeks import label

    with opened(desk or context.obj, read_only=True) as own:
        rows = [row for row in records(own.alerts()) if row["id"].upper() == alert.upper()]
        if not rows:
            raise ValueError(f"there is no alert {alert}; `narratives alerts --all` lists them")
        row = rows[0]
        evidence = dict(row["evidence"] or {})
        articles = own.articles()
        narratives = {n["id"]: n for n in own.archive.rows(schema.narrative)}
        wanted = [str(i) for i in evidence.get("article_ids", [])]
        mine = articles[articles["id"].isin(wanted)]
        rule = own.settings.alerts
    names = {name: n["name_en"] or n["name_zh"] for name, n in narratives.items()}
    terms = {lang: list(narratives[row["narrative"]][f"keywords_{lang}"] or []) for lang in ("zh", "en")}
    if as_json:
        kept = mine[["id", "title", "source", "lang", "published_at", "url"]]
        print_json({**row, "terms": terms, "articles": records(kept)})
        return
    heading(f"{row['id']}  {row['tier']}, {_state(row)}")
    say(f"narrative  {row['narrative']} {plain(row['name'])}")
    for lang, words in terms.items():
        if words:
            say(f"terms {lang}   {plain(', '.join(map(str, words)))}")
    say(f"born       {label(row['week'])}")
    if row["settled_week"]:
        say(f"settled    {label(row['settled_week'])}: {row['state']}")
    say(f"rests on   {count(int(evidence.get('n_stories', 0)), 'story', 'stories')}")
    for line in nearest_said(evidence, names):
        say(f"nearest    {line}")
    if evidence.get("split_from"):
        say(f"split from {evidence['split_from']} {plain(names.get(str(evidence['split_from']), ''))}")
    for line in reasons(evidence):
        say(f"why        {line}")
    say()
    growth = evidence.get("growth") or {}
    asked = {
        "recent_stories": (evidence.get("n_recent"), f"at least {rule.min_recent_stories}"),
        "recent_share": (evidence.get("recent_share"), f"at least {rule.min_recent_share}"),
        "cohesion": (number(evidence.get("cohesion", row["statistic"])), f"at least {number(row['threshold'])}"),
        "sources": (evidence.get("n_sources"), f"at least {rule.min_sources}"),
        "growth": (_p(growth.get("p_value")), f"at most {_p(growth_asked(evidence))}"),
    }
    passed = evidence.get("passed") or {}
    lines = [
        (_PARTS[name], got, wants, "yes" if passed[name] else "no")
        for name, (got, wants) in asked.items()
        if name in passed
    ]
    table(("the rule asks for", "found", "needed", "passed"), lines, right=("found",))
    say()
    shown = [(a["id"], a["published_at"].date(), a["lang"], a["source"], a["title"]) for a in records(mine)]
    table(("article", "day", "lang", "source", "title"), shown)


@app.command(short_help="mark as seen; seen ones are no longer listed")
def ack(
    context: typer.Context,
    alerts: Annotated[list[str], typer.Argument(metavar="ALERT", help="Such as A0001; several may be named.")],
    undo: Annotated[bool, typer.Option("--undo", help="Mark as not seen again.")] = False,
    desk: DeskOption = None,
) -> None:
    """Acknowledge alerts: they were seen and are no longer listed."""
    from narratives.archive import schema

    wanted = list(dict.fromkeys(name.upper() for name in alerts))
    with opened(desk or context.obj) as own, own.archive.lock("narratives alerts ack"):
        known = {row["id"] for row in own.archive.rows(schema.alert)}
        if missing := [name for name in wanted if name not in known]:
            raise ValueError(
                f"there is no alert {', '.join(missing)}; nothing was changed (`narratives alerts --all` lists them)"
            )
        with own.archive.begin() as connection:
            connection.execute(schema.alert.update().where(schema.alert.c.id.in_(wanted)).values(acknowledged=not undo))
    say(f"{', '.join(wanted)}: {'open again' if undo else 'acknowledged'}")


@app.command(short_help="send what is new to the channels")
def deliver(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the messages that have yet to be sent; send and change nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also try at once what failed and waits, and what was given up.")
    ] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send alerts to the channels that alerts.channels of narratives.toml names, each state of each alert once.

    A channel is the name of an environment variable that holds an apprise URL (mail, Slack, Teams, DingTalk,
    Feishu, WeCom, a webhook, …). What fails is tried again by later runs, with growing pauses. `narratives run`
    does the same at its end. Leaves with 4 when something could not be sent.
    """
    from narratives.courier import AlertsExtraMissing
    from narratives.delivery import deliver as send
    from narratives.delivery import preview

    with opened(desk or context.obj, read_only=dry_run) as own:
        if dry_run:
            found = preview(own.archive, own.settings)
            if as_json:
                print_json([{**vars(message), "channels": channels} for message, channels in found])
                return
            for message, channels in found:
                heading(message.title)
                say(message.body)
                say(f"-> {', '.join(channels)}\n")
            say(f"{count(len(found), 'message')} to be sent; nothing was sent")
            return
        try:
            report = send(own.archive, own.settings, again)
        except AlertsExtraMissing as error:
            note(f"error: {error}")
            raise typer.Exit(FAILED) from error
    if as_json:
        print_json(delivery_facts(report))
    else:
        tell_delivered(report)
    if report.needs_a_look:
        raise typer.Exit(NEEDS_A_LOOK)


def precision_said(precision: Precision) -> str:
    """The running precision as a line."""
    if precision.share is None:
        return "no alert is settled yet, so nothing is known of their precision"
    return (
        f"so far {precision.n_confirmed} of {precision.n} settled alerts were confirmed by later stories: "
        f"{precision.share:.2f}, 95 % interval {precision.low:.2f} to {precision.high:.2f}"
    )


def _state(row: dict[str, Any]) -> str:
    return f"{row['state']}, seen" if row["acknowledged"] else str(row["state"])


def _p(value: Any) -> str:
    return "unknown" if value is None else f"{float(value):.2g}"


def nearest_said(evidence: dict[str, Any], names: dict[str, str]) -> list[str]:
    """The narratives that lay nearest when this one was born, and why it is none of them."""
    old = {
        "id": evidence.get("nearest"),
        "score": evidence.get("nearest_score"),
        "level": evidence.get("level_of_nearest"),
    }
    lines = []
    for near in evidence.get("near") or ([old] if old["id"] else []):
        said = f"{near['id']} {plain(names.get(near['id'], ''))}, score {number(near['score'])}"
        if near["level"] is not None:
            reached = float(near["score"] or 0.0) >= float(near["level"])
            said += f" where joining needs {number(near['level'])}"
            said += ": reached, but barred" if reached else ": none of its own"
        lines.append(said)
    return lines


def reasons(evidence: dict[str, Any]) -> list[str]:
    """What beside the rule decided: growth and level, a routine series, a young alert that it doubles, its feeds; and
    what gathered it, if a word did."""
    from narratives.alerts import gathered_said, told_before_said
    from narratives.level import Level

    lines = []
    if word := evidence.get("gathered_by"):
        lines.append(gathered_said(plain(word), "en"))
    if growth := evidence.get("growth"):
        past = f"{growth['usual']:g} a week in the {count(growth['n_weeks'], 'week')} before"
        lines.append(f"{growth['n_now']} of its stories are of the last two weeks; its like came to {past}")
    if level := evidence.get("level"):
        lines.append(Level(**level).said("en"))
    if before := told_before_said(evidence, "en"):
        lines.append(before)
    if (series := evidence.get("series") or {}).get("template"):
        often = f", one every {series['every_days']:g}" if series["every_days"] else ""
        lines.append(
            f"{series['share']:.0%} of its headlines are of routine series, such as '{plain(series['template'])}' "
            f"({count(series['n_days'], 'day')}{often})"
        )
    if evidence.get("same_as"):
        lines.append(f"it is the same as {evidence['same_as']} (likeness {number(evidence.get('likeness'))})")
    if float(evidence.get("suspect_share") or 0.0) > _HALF:
        sources = plain(", ".join(map(str, evidence.get("suspects") or [])))
        lines.append(f"{evidence['suspect_share']:.0%} of its stories are from feeds that doubled or began: {sources}")
    return lines
