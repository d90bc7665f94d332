"""Commands that look: all narratives, one narrative, one article."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narratives.commands.publish import WeekOption
from narratives.commands.screen import (
    DeskOption,
    JsonOption,
    count,
    cut,
    heading,
    number,
    opened,
    plain,
    print_json,
    records,
    say,
    table,
)

if TYPE_CHECKING:
    import pandas as pd

    from narratives.desk import Desk
    from narratives.explain import Explanation

_FIGURES = [
    "n_stories",
    "n_articles",
    "share",
    "stance",
    "stance_low",
    "stance_high",
    "tone",
    "tone_low",
    "tone_high",
]
_GONE = ("merged", "ended", "dormant")
_HOW = {
    "assigned": "it fitted the narrative when it came in",
    "discovered": "it is one of the articles that the narrative was found in",
    "bootstrap": "it was placed by the first clustering",
    "copy": "it is a reprint and goes where its story goes",
    "split": "it came over when the narrative split off another",
    "merged": "it came with a narrative that was merged into this one",
    "vote": "its neighbours' vote placed it; such members are weak",
    "decision": "the analyst said so",
}


def list_narratives(
    week: WeekOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also narratives that are dormant, ended or merged.")
    ] = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the narratives with their figures of the last week, the largest first."""
    from narratives import weeks

    with opened(desk, read_only=True) as own:
        chosen = _week(own, week)
        frame = own.narratives()
        lines = own.timeline()
        themes = {row["id"]: _both(row) for row in records(own.themes())}
    if chosen is not None:
        frame = frame[frame["born_week"].isna() | (frame["born_week"] <= chosen)]
    now = _figures(lines, chosen)
    before = _figures(lines, chosen - weeks.WEEK if chosen else None)
    rows = []
    for row in records(frame):
        figures = now.get(row["id"], {})
        if row["status"] in _GONE and not everything and not figures.get("n_stories"):
            continue
        rows.append(
            {
                **{name: row[name] for name in ("id", "name", "name_zh", "name_en", "slug", "origin", "status")},
                "theme": row["theme"],
                "born_week": row["born_week"],
                "last_week": row["last_week"],
                "week": chosen,
                **{name: figures.get(name, 0 if name.startswith("n_") else None) for name in _FIGURES},
                "n_stories_before": before.get(row["id"], {}).get("n_stories", 0),
                "n_stories_total": row["n_stories"],
            }
        )
    rows.sort(key=lambda row: (-row["n_stories"], -row["n_stories_total"], row["id"]))
    if as_json:
        print_json(rows)
        return
    if chosen is None:
        say("no week has been processed yet")
    else:
        unassigned = now.get("", {}).get("n_stories", 0)
        heading(f"{weeks.label(chosen)}: {count(unassigned, 'story', 'stories')} in no narrative")
    headings = ("status", "stories", "week before", "share", "stance", "tone", "in all")
    table(
        ("id", "name", *(("theme",) if themes else ()), *headings),
        [
            (
                row["id"],
                _both(row),
                *((themes.get(row["theme"], ""),) if themes else ()),
                row["status"],
                row["n_stories"],
                row["n_stories_before"],
                number(row["share"], "{:.0%}"),
                number(row["stance"], "{:+.2f}"),
                number(row["tone"], "{:+.2f}"),
                row["n_stories_total"],
            )
            for row in rows
        ],
        right=("stories", "week before", "share", "stance", "tone", "in all"),
    )
    if hidden := len(frame) - len(rows):
        say(f"{count(hidden, 'more is', 'more are')} dormant, ended or merged: --all shows them")


def show(
    narrative: Annotated[
        str, typer.Argument(metavar="NARRATIVE", help="Such as N0001, or the id in definitions.yaml.")
    ],
    n_quotes: Annotated[int, typer.Option("--quotes", metavar="N", min=0, help="Evidence sentences to show.")] = 6,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one narrative: names, claim, keywords, figures of its weeks, events, and evidence."""
    from narratives import weeks

    with opened(desk, read_only=True) as own:
        row = _narrative(own, narrative)
        lines = own.timeline()
        lines = lines[lines["narrative"] == row["id"]].sort_values("week").tail(own.settings.report.weeks)
        events = own.events()
        events = events[(events["narrative"] == row["id"]) | (events["other"] == row["id"])]
        themes = [theme for theme in records(own.themes()) if theme["id"] == row["theme"]]
        sentences = own.evidence(row["id"])
        stance, tone = (sentences[sentences["kind"] == kind].head(n_quotes) for kind in ("stance", "tone"))
    if as_json:
        evidence = records(stance) + records(tone)
        print_json({**row, "weeks": records(lines), "events": records(events), "evidence": evidence})
        return
    heading(f"{row['id']}  {_both(row)}")
    if row["merged_into"]:
        say(f"merged into {row['merged_into']}: `narratives show {row['merged_into']}`")
    born = weeks.label(row["born_week"]) if row["born_week"] else "not yet seen"
    last = f", last seen {weeks.label(row['last_week'])}" if row["last_week"] else ""
    slug = f" as {row['slug']}" if row["slug"] else ""
    say(f"{row['status']}, {row['origin']}{slug}; born {born}{last}")
    say(
        f"{count(row['n_stories'], 'story', 'stories')} in {count(row['n_articles'], 'article')}, "
        f"{', '.join(row['languages']) or 'no language'}; level {number(row['level'])}, cohesion "
        f"{number(row['cohesion'])}, drift {number(row['drift'])}"
    )
    if row["one_language"]:
        said = {"zh": "Chinese", "en": "English"}.get(row["one_language"], row["one_language"])
        say(f"one language: all of its stories are {said}, which the archive's mix would hardly give (p < .01)")
    for theme in themes:
        say(f"theme      {theme['id']} {_both(theme)}, with {count(theme['n_narratives'] - 1, 'other narrative')}")
    drafted = " (drafted from its headlines, not a person's)" if row["drafted"] else ""
    for name in ("claim_zh", "claim_en"):
        if row[name]:
            say(f"claim      {plain(row[name])}{drafted}")
    for name in ("keywords_zh", "keywords_en"):
        if len(row[name]):
            say(f"keywords   {plain(', '.join(row[name]))}")
    if len(lines):
        say()
        table(
            ("week", "stories", "share", "stance", "95 %", "tone", "95 %"),
            [
                (
                    weeks.label(r["week"]),
                    r["n_stories"],
                    number(r["share"], "{:.0%}"),
                    number(r["stance"], "{:+.2f}"),
                    _interval(r["stance_low"], r["stance_high"]),
                    number(r["tone"], "{:+.2f}"),
                    _interval(r["tone_low"], r["tone_high"]),
                )
                for r in records(lines)
            ],
            right=("stories", "share", "stance", "tone"),
        )
    for event in records(events):
        other = f" -> {event['other']}" if event["other"] else ""
        say(f"{weeks.label(event['week'])}  {event['kind']} {event['narrative']}{other}")
    for title, quotes in (("sentences behind the stance", stance), ("sentences behind the tone", tone)):
        if len(quotes):
            say()
            heading(title)
            for q in records(quotes):
                say(f"{number(q['score'], '{:+.2f}')}  {plain(q['sentence'])}")
                where = f"{q['published_at'].date()}, {plain(q['source'])}, {q['article']}"
                say(f"       {where} {plain(q['url'])}".rstrip())


def explain(
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id (or the beginning of it), or its address.")],
    narrative: Annotated[
        str | None,
        typer.Argument(metavar="NARRATIVE", show_default=False, help="Also compare with this one, such as N0001."),
    ] = None,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why an article is where it is: scores to the nearest narratives, levels, shared words."""
    from narratives.explain import explain_article
    from narratives.lookup import find_article

    with opened(desk, read_only=True) as own:
        wanted = _narrative(own, narrative)["id"] if narrative else None
        found = explain_article(own, str(find_article(own.archive, article)["id"]), wanted)
    if as_json:
        print_json(found.to_dict())
    else:
        _tell(found)


def _tell(found: Explanation) -> None:
    from narratives import weeks

    heading(f"{found.article}  {plain(found.title)}")
    say(f"{plain(found.source)}, {found.published_at:%Y-%m-%d %H:%M} UTC, {found.lang}")
    if found.step_week is None:
        say("it waits: no update has taken it in yet; these are the scores that it would start with")
    elif found.narrative:
        when = f" in {weeks.label(found.joined)}" if found.joined else ""
        say(f"it is in {found.narrative} {plain(found.name)}, which it joined{when}")
        by_way_of = f"it fitted {found.how[3:]}, which you made part of this narrative"
        say(f"how: {by_way_of if found.how.startswith('as ') else _HOW.get(found.how, found.how)}")
    else:
        say("it is in no narrative")
    if found.voice and found.voice != found.article:
        say(f"it is a reprint; {found.voice} speaks for the story, and its scores decide")
    say()
    table(
        ("narrative", "name", "score", "level", "reached", "= meaning", "+ words", "+ actors"),
        [
            (
                n.id,
                n.name,
                number(n.score),
                number(n.level),
                "yes" if n.reached else "no",
                number(n.cosine),
                number(n.words),
                number(n.actors),
            )
            for n in found.nearest
        ],
        right=("score", "level", "= meaning", "+ words", "+ actors"),
    )
    for n in found.nearest:
        if n.shared:
            say(f"words shared with {n.id}: {plain(', '.join(n.shared))}")
    if found.counter_example:
        say(f"nearest counter-example: {cut(found.counter_example, 120)} ({number(found.counter_score)})")
    say()
    for line in found.why:
        say(plain(line))


def _narrative(desk: Desk, wanted: str) -> dict[str, Any]:
    """The row of a narrative by its id or its definition's."""
    rows = records(desk.narratives())
    for row in rows:
        if wanted.upper() == row["id"] or (row["slug"] and wanted.lower() == row["slug"]):
            return row
    raise ValueError(f"there is no narrative {wanted}; `narratives list --all` lists those there are")


def _week(desk: Desk, said: str | None) -> date | None:
    """The week asked for, or the last one; None where none was processed.

    Raises
    ------
    ValueError
        It was not processed; the message says which were.
    """
    from narratives import weeks

    done = desk.weeks()
    if said is None:
        return done[-1] if done else None
    week = weeks.parse(said)
    if week not in done:
        known = f"{weeks.label(done[0])} to {weeks.label(done[-1])} were" if done else "none has been"
        raise ValueError(f"{weeks.label(week)} has not been processed; {known}")
    return week


def _figures(lines: pd.DataFrame, week: date | None) -> dict[str, dict[str, Any]]:
    """Narrative -> its figures of a week."""
    return {row["narrative"]: row for row in records(lines[lines["week"] == week])} if week else {}


def _interval(low: float, high: float) -> str:
    return "" if low != low else f"{low:+.2f} to {high:+.2f}"


def _both(row: dict[str, Any]) -> str:
    """Both names, each once, or the one there is."""
    return plain(" / ".join(dict.fromkeys(n for n in (row["name_zh"], row["name_en"]) if n)) or row["name"])
