"""The weekly report, built from the desk's frames alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from reports import sentences
from reports.alerts import alert_notes
from reports.changes import notable, read_shifts
from reports.content import MapPoint, NarrativeRow, Near, Theme, WeeklyReport
from reports.figures import blank_points, mark_clear, momentum, movement, week_points
from reports.frames import Desk, Frames, as_list, ask, each, load_frames, parse_week, week_label
from reports.intake import count_intake, count_unassigned
from reports.quotes import language_group, local_day, one_line, safe_url
from reports.records import Link, WeekPoint, Words
from reports.sections import build_section, life_lines

MAX_FULL_SECTIONS = 24  # with MAX_SECTIONS: what keeps the page of 500 narratives under 3 MB
MAX_SECTIONS = 60
MAX_LISTED = 5
MAX_MAP_POINTS = 1500


def build_weekly(desk: Desk, week: date | str | None = None, compare: date | str | None = None) -> WeeklyReport:
    """Collect everything the report of one week says; nothing is written.

    Parameters
    ----------
    desk
        Anything with the Desk's frames.
    week
        A Monday, a day in the week, or `2025-W46`; the last processed week if left out.
    compare
        An earlier week that every narrative is also compared with.

    Raises
    ------
    ValueError
        No week has been processed, or `week` or `compare` is not among the processed ones.
    """
    frames = load_frames(desk, week)
    settings = desk.settings
    zone = ZoneInfo(settings.discover.timezone)
    compared = None if compare is None else parse_week(compare)
    if compared is not None and (compared not in frames.weeks or compared == frames.week):
        raise ValueError(
            f"compare needs an earlier processed week than {week_label(frames.week)}, got {week_label(compared)}"
        )
    shown = [w for w in _span(frames.week, max(settings.report.weeks, 6)) if w >= frames.weeks[0]]
    all_weeks = sorted({*shown, *([compared] if compared else [])})
    points = week_points(frames.timeline, all_weeks, settings.report.min_stories_for_average)
    blank = blank_points(all_weeks)
    totals = {w: sum(p.n_stories for v in points.values() for p in v if p.week == w) for w in all_weeks}
    names = narrative_names(frames.narratives)
    firsts = _voices(frames.articles)
    recent = firsts[firsts["week"] > frames.week - timedelta(weeks=4)]
    alerts = alert_notes(frames, names, zone, settings.alerts)
    lineage, lives = life_lines(frames.events, names)

    rows = _rows(
        frames, points, shown, totals, compared, names, recent, {a.narrative for a in alerts}, person_named(desk)
    )
    lasting = [r for r in rows if r.has_section][:MAX_SECTIONS]
    kept = {r.id for r in lasting}
    rows = [replace(r, has_section=r.id in kept) for r in rows]
    shifts = read_shifts(
        firsts,
        [r.id for r in rows if r.now.n_stories],
        kept,
        frames.week,
        settings.report.min_stories_for_average,
        settings.discover.seed,
    )
    nearby = near_ones(desk, names, kept)
    texts = dict(zip(frames.articles["id"], frames.articles["text"], strict=True))
    sections = tuple(
        build_section(
            desk,
            frames,
            row,
            [p for p in points.get(row.id, blank) if p.week in shown],
            shifts.get(row.id, ()),
            nearby.get(row.id, ()),
            recent,
            texts,
            lives.get(row.id, ()),
            zone,
            full=i < MAX_FULL_SECTIONS,
        )
        for i, row in enumerate(r for r in rows if r.has_section)
    )
    born = tuple(r.id for r in rows if r.movement.direction == "new")
    grew = _listed(rows, "grew")
    faded = _listed(rows, "faded")
    turned = notable(shifts)
    intake = count_intake(desk, frames, totals)
    unassigned = count_unassigned(desk, points.get("", blank), frames, shown, zone)
    run = _last_run(frames.runs)
    return WeeklyReport(
        subject=Words(settings.subject_zh or settings.subject, settings.subject),
        week=frames.week,
        label=week_label(frames.week),
        last_day=frames.week + timedelta(days=6),
        timezone=settings.discover.timezone,
        compare=week_label(compared) if compared else "",
        summary=sentences.summarise(intake, unassigned, rows, alerts, born, grew, faded, turned),
        alerts=alerts,
        born=born,
        grew=grew,
        faded=faded,
        turned=tuple(turned[:MAX_LISTED]),
        ended=tuple(
            e for e in lineage if e.week == week_label(frames.week) and e.kind not in ("born", "grew", "faded")
        ),
        rows=tuple(r for r in rows if r.has_section or r.now.n_stories),
        sections=sections,
        quiet=tuple(r for r in rows if not r.has_section and not r.now.n_stories),
        unassigned=unassigned,
        intake=intake,
        map=_map_points(desk, frames, zone),
        lineage=lineage,
        labels=tuple(week_label(w) for w in shown),
        weeks=tuple(shown),
        min_stories=settings.report.min_stories_for_average,
        made_at="" if run is None else local_minute(run["finished_at"], zone),
        themes=_themes(desk, frames.week, rows),
        versions=tuple(sorted((str(k), str(v)) for k, v in (run["versions"] if run else {}).items())),
        settings=settings.model_dump(mode="json"),
    )


def _span(week: date, n: int) -> list[date]:
    return [week - timedelta(weeks=i) for i in range(n - 1, -1, -1)]


def narrative_names(narratives: pd.DataFrame) -> dict[str, Words]:
    """Id to its names; a missing one is borrowed from the other language."""
    out = {}
    for r in each(narratives):
        zh, en = one_line(r.name_zh), one_line(r.name_en)
        plain = one_line(r.name) or r.id
        out[r.id] = Words(zh or en or plain, en or zh or plain)
    return out


def person_named(desk: Desk) -> set[str]:
    """Narratives whose name an analyst gave, from her decisions."""
    decisions = ask(desk, "decisions")
    if decisions is None or decisions.empty:
        return set()
    given = decisions[(decisions["kind"] == "rename") & ~decisions["undone"].astype(bool)]
    return set(given["narrative"].astype(str))


def near_ones(desk: Desk, names: dict[str, Words], wanted: Collection[str]) -> dict[str, tuple[Near, ...]]:
    """Of each narrative the nearest others, as the desk knows them today."""
    frame = ask(desk, "near_narratives")
    if frame is None:
        return {}
    out: dict[str, list[Near]] = {}
    for r in each(frame):
        if r.narrative in wanted and r.other in names:
            out.setdefault(r.narrative, []).append(Near(r.other, names[r.other], float(r.cosine)))
    return {k: tuple(v) for k, v in out.items()}


def _themes(desk: Desk, week: date, rows: Sequence[NarrativeRow]) -> tuple[Theme, ...]:
    """Themes that were made by that week and hold two narratives or more of the table, the largest first."""
    frame = ask(desk, "themes")
    if frame is None:
        return ()
    shown = {r.id: r for r in rows if r.has_section or r.now.n_stories}
    out = []
    for r in each(frame):
        inside = sorted((shown[i] for i in as_list(r.narratives) if i in shown), key=lambda x: (-x.now.n_stories, x.id))
        if r.last_week > week or len(inside) < 2:
            continue
        zh, en = one_line(r.name_zh), one_line(r.name_en)
        name = Words(zh or en or r.id, en or zh or r.id)
        links = tuple(Link(x.anchor if x.has_section else "", x.name) for x in inside)
        out.append(Theme(r.id, name, links, sum(x.now.n_stories for x in inside)))
    out.sort(key=lambda t: (-t.n_stories, -len(t.narratives), t.id))
    return tuple(out) if len(out) > 1 else ()


def _rows(
    frames: Frames,
    points: dict[str, tuple[WeekPoint, ...]],
    shown: Sequence[date],
    totals: dict[date, int],
    compared: date | None,
    names: dict[str, Words],
    recent: pd.DataFrame,
    alerted: set[str],
    by_person: set[str],
) -> list[NarrativeRow]:
    first_week = frames.weeks[0]
    six = [w for w in _span(frames.week, 6) if w >= first_week]
    five = six[-5:]
    by_narrative = dict(list(recent.groupby("narrative")))
    event_ids = {
        e.narrative for e in each(frames.events) if e.week == frames.week and e.kind not in ("dormant", "ended")
    }
    newborn = _newborn(frames)
    blank = blank_points(sorted({*shown, *([compared] if compared else [])}))
    out = []
    for r in each(frames.narratives):
        if r.born_week is not None and r.born_week > frames.week:
            continue
        series = points.get(r.id, blank)
        at = {p.week: p for p in series}
        now = at[frames.week]
        born_now = r.id in newborn and r.born_week == frames.week
        move = movement([at[w].n_stories for w in five], [totals[w] for w in five], born_now=born_now)
        mine = by_narrative.get(r.id)
        langs: dict[str, int] = {}
        lead = ""
        if mine is not None:
            for lang in mine["lang"]:
                langs[language_group(lang)] = langs.get(language_group(lang), 0) + 1
            lead = _lead_source(mine, frames.week)
        lately = sum(at[w].n_stories for w in five[-4:]) > 0
        live = r.status not in ("merged",) or lately
        out.append(
            NarrativeRow(
                id=r.id,
                anchor=f"n-{r.id}",
                name=names[r.id],
                named=r.origin == "defined" or r.id in by_person,
                origin=r.origin,
                status=r.status,
                born=week_label(r.born_week) if r.born_week else "",
                has_section=live and (lately or r.id in event_ids or r.id in alerted),
                now=now,
                movement=move,
                momentum=momentum([at[w].n_stories for w in six], [totals[w] for w in six]),
                compared=at[compared].n_stories if compared else None,
                compared_share=at[compared].share if compared else None,
                has_stance=any(p.stance.n for p in series),
                languages=tuple(sorted(langs.items(), key=lambda kv: (-kv[1], kv[0]))),
                lead_source=one_line(lead),
                series=tuple(at[w].n_stories for w in shown),
                one_language=r.one_language,
            )
        )
    out.sort(key=lambda x: (-x.now.n_stories, -sum(x.series[-4:]), x.id))
    clear = mark_clear([r.movement.p_value for r in out])
    return [replace(r, movement=replace(r.movement, clear=c)) for r, c in zip(out, clear, strict=True)]


def _newborn(frames: Frames) -> set[str]:
    """Narratives that this week brought: discovered, and not by the first clustering of the whole archive."""
    found = frames.narratives
    discovered = set(found.loc[(found["origin"] != "defined") & (found["born_week"] == frames.week), "id"])
    old = {
        e.narrative
        for e in each(frames.events)
        if e.kind == "born" and isinstance(e.detail, dict) and e.detail.get("bootstrap")
    }
    return set() if frames.week == frames.weeks[0] else discovered - old


def _voices(articles: pd.DataFrame) -> pd.DataFrame:
    """One article a story; scores only where the time line counts them (not weakly placed, not unclear)."""
    firsts = articles[articles["is_first"].astype(bool)].copy()
    weak = firsts["weak"].fillna(False).astype(bool)
    decided = firsts["verdict"].isin(["supports", "opposes", "reports"])
    firsts.loc[weak, "tone"] = float("nan")
    firsts.loc[weak | ~decided, "stance"] = float("nan")
    return firsts


def _lead_source(stories: pd.DataFrame, week: date) -> str:
    this_week = stories[stories["week"] == week]
    counts = (this_week if len(this_week) else stories)["source"].value_counts()
    counts = counts[counts.index != ""]
    return "" if counts.empty else min(counts.index, key=lambda s: (-counts[s], s))


def _listed(rows: Sequence[NarrativeRow], direction: str) -> tuple[str, ...]:
    mine = [r for r in rows if r.movement.direction == direction]
    mine.sort(key=lambda r: (not r.movement.clear, r.movement.p_value or 0.0, r.id))
    return tuple(r.id for r in mine[:MAX_LISTED])


def _map_points(desk: Desk, frames: Frames, zone: ZoneInfo) -> tuple[MapPoint, ...]:
    places = ask(desk, "map", frames.week)
    if places is None or len(places) == 0:
        return ()
    merged = places[["id", "x", "y"]].merge(frames.articles, on="id", how="inner").sort_values("id", kind="stable")
    step = -(-len(merged) // MAX_MAP_POINTS)
    return tuple(
        MapPoint(
            round(float(r.x), 3),
            round(float(r.y), 3),
            r.narrative,
            one_line(r.title or r.text[:80])[:160],
            r.source,
            local_day(r.published_at, zone),
            safe_url(r.url),
        )
        for r in each(merged.iloc[::step])
    )


def _last_run(runs: pd.DataFrame) -> dict[str, Any] | None:
    done = runs[runs["finished_at"].notna()]
    if done.empty:
        return None
    last = done.sort_values(["finished_at", "id"]).iloc[-1]
    versions = last["versions"] if isinstance(last["versions"], dict) else {}
    return {"finished_at": last["finished_at"], "versions": versions}


def local_minute(instant: Any, zone: ZoneInfo) -> str:
    """An instant to the minute in the desk's zone; a naive one is UTC."""
    stamp = pd.Timestamp(instant)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp
    return stamp.tz_convert(zone).strftime("%Y-%m-%d %H:%M")
