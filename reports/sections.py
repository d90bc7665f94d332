"""One narrative's section: its figures, quotes, stories, sources, tellings and life line."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from reports.content import LifeEvent, NarrativeRow, NarrativeSection, Near, SourceCount, Telling
from reports.figures import estimate_mean, number
from reports.frames import Desk, Frames, as_list, each, week_label
from reports.quotes import headlines, language_group, one_line, pick_quotes
from reports.records import Shift, WeekPoint, Words
from reports.sentences import describe_event, event_order

_MAX_STORIES = 8
_MAX_SOURCES = 6
_BRIEF_QUOTES = 2


def build_section(
    desk: Desk,
    frames: Frames,
    row: NarrativeRow,
    points: Sequence[WeekPoint],
    shifts: tuple[Shift, ...],
    near: tuple[Near, ...],
    recent: pd.DataFrame,
    texts: Mapping[str, str],
    life: tuple[LifeEvent, ...],
    zone: ZoneInfo,
    *,
    full: bool,
) -> NarrativeSection:
    """Everything about one narrative; `full=False` leaves out what a long report has no room for.

    Parameters
    ----------
    recent
        Canonical articles of the last four weeks, all narratives.
    texts
        Article id to its text.
    """
    settings = desk.settings.report
    entry = frames.narratives[frames.narratives["id"] == row.id].iloc[0]
    claim_zh, claim_en = one_line(entry["claim_zh"]), one_line(entry["claim_en"])
    claim = Words(claim_zh or claim_en, claim_en or claim_zh) if claim_zh or claim_en else None
    mine = recent[recent["narrative"] == row.id]
    week_ones = mine[mine["week"] == frames.week]
    quotes = pick_quotes(
        desk.evidence(row.id),
        texts,
        frames.week,
        zone,
        settings.quotes if full else _BRIEF_QUOTES,
        has_claim=row.has_stance,
    )
    stories = headlines(week_ones, zone, _MAX_STORIES) if full else ()
    zh, en = as_list(entry["keywords_zh"]), as_list(entry["keywords_en"])
    return NarrativeSection(
        row=row,
        slug=entry["slug"],
        claim=claim,
        drafted=bool(entry["drafted"]),
        keywords=Words("、".join(map(one_line, zh[:8])), ", ".join(map(one_line, en[:8]))),
        points=tuple(points),
        shifts=tuple(s for s in shifts if row.has_stance or s.what != "stance"),
        quotes=quotes,
        stories=stories,
        n_stories_hidden=len(week_ones) - len(stories) if full else 0,
        sources=_sources(frames, row.id) if full else (),
        tellings=_tellings(desk, frames, row, mine, settings.min_stories_for_average, zone) if full else (),
        life=life,
        near=near,
        drift=number(entry["drift"]),
        cohesion=number(entry["cohesion"]),
        full=full,
    )


def _sources(frames: Frames, narrative: str) -> tuple[SourceCount, ...]:
    articles = frames.articles
    weeks = frames.weeks[-4:]
    mine = articles[(articles["narrative"] == narrative) & articles["week"].isin(weeks) & (articles["source"] != "")]
    mine = mine.assign(now=mine["week"] == frames.week)
    out = []
    for source, group in mine.groupby("source"):
        first = group["is_first"].astype(bool)
        now = group["now"].astype(bool)
        out.append(SourceCount(one_line(str(source)), int(first.sum()), int((~first).sum()), int((first & now).sum())))
    return tuple(sorted(out, key=lambda s: (-s.n_stories, -s.n_reprints, s.source))[:_MAX_SOURCES])


def _tellings(
    desk: Desk, frames: Frames, row: NarrativeRow, mine: pd.DataFrame, min_stories: int, zone: ZoneInfo
) -> tuple[Telling, ...]:
    if mine.empty:
        return ()
    entry = frames.narratives[frames.narratives["id"] == row.id].iloc[0]
    groups = mine["lang"].map(language_group)
    out = []
    for lang in sorted(set(groups), key=lambda v: ({"zh": 0, "en": 1}.get(v, 2), v)):
        part = mine[groups == lang]
        seed = zlib.crc32(f"{row.id} {lang}".encode())
        newest = part[part["week"] == frames.week]
        closest = (newest if len(newest) else part).sort_values(
            ["weight", "id"], ascending=[False, True], kind="stable"
        )
        fallback = entry[f"keywords_{lang}"] if lang in ("zh", "en") else ()
        out.append(
            Telling(
                lang=lang,
                n_stories=len(part),
                n_stories_week=len(newest),
                stance=estimate_mean(part["stance"], min_stories, seed),
                tone=estimate_mean(part["tone"], min_stories, seed + 1),
                terms=tuple(map(one_line, as_list(fallback)[:8])),
                headline=headlines(closest.head(1), zone, 1)[0],
            )
        )
    return tuple(out)


def life_lines(
    events: pd.DataFrame, names: Mapping[str, Words]
) -> tuple[tuple[LifeEvent, ...], dict[str, tuple[LifeEvent, ...]]]:
    """The ledger in words: all of it, oldest first, and each narrative's part (what it did, and what was
    done to it)."""
    everything: set[LifeEvent] = set()
    lives: dict[str, set[LifeEvent]] = {}
    splits = {(e.week, e.other, e.narrative) for e in each(events) if e.kind == "split"}
    for e in each(events):
        if e.kind == "born" and (e.week, e.narrative, e.other) in splits:
            continue  # told by the split
        subject = names.get(e.narrative, Words(e.narrative, e.narrative))
        other = names.get(e.other, Words(e.other, e.other)) if e.other else None
        text = describe_event(e.kind, subject, other, e.detail if isinstance(e.detail, dict) else {})
        event = LifeEvent(week_label(e.week), e.kind, text, e.narrative, e.other)
        everything.add(event)
        lives.setdefault(e.narrative, set()).add(event)
        if e.other:
            lives.setdefault(e.other, set()).add(event)
    return tuple(sorted(everything, key=event_order)), {k: tuple(sorted(v, key=event_order)) for k, v in lives.items()}
