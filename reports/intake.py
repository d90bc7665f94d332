"""What came in: counts of the week and in all, languages, quarantine, unusual sources, the unassigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from narratives.volume import feed_notices
from narratives.weeks import share_passed
from reports.alerts import alert_record
from reports.content import FeedNote, Intake, Unassigned
from reports.figures import number
from reports.frames import Desk, Frames, ask, each
from reports.quotes import headlines, language_group, one_line
from reports.records import WeekPoint, Words

_MAX_FEEDS = 12
_N_EXAMPLES = 6


def count_intake(desk: Desk, frames: Frames, totals: Mapping[date, int]) -> Intake:
    """Counts for the quality page.

    Parameters
    ----------
    totals
        Stories of each week, all narratives and the unassigned together.
    """
    articles = frames.articles
    this_week = articles[articles["week"] == frames.week]
    firsts = this_week[this_week["is_first"].astype(bool)]
    langs = firsts["lang"].map(language_group).value_counts() if len(firsts) else pd.Series(dtype=int)
    before = [frames.week - timedelta(weeks=i) for i in range(1, 5)]
    before = [w for w in before if w >= frames.weeks[0]]
    open_ones = frames.quarantine[frames.quarantine["state"] == "open"]
    reasons = []
    for reason, group in open_ones.groupby("reason"):
        first = group.sort_values("id").iloc[0]
        reasons.append(
            (
                str(reason),
                len(group),
                one_line(str(first["message"]))[:160],
                one_line(str(first["origin"]))[-80:],
            )
        )
    reasons.sort(key=lambda r: (-r[1], r[0]))
    return Intake(
        n_articles=len(this_week),
        n_stories=totals.get(frames.week, 0),
        n_reprints=len(this_week) - len(firsts),
        last_stories=totals.get(before[0]) if before else None,
        mean4_stories=sum(totals.get(w, 0) for w in before) / len(before) if before else None,
        languages=tuple(sorted(((str(k), int(v)) for k, v in langs.items()), key=lambda kv: (-kv[1], kv[0]))),
        n_sources=int(this_week.loc[this_week["source"] != "", "source"].nunique()),
        total_articles=len(articles),
        total_stories=int(articles["story"].nunique()),
        n_weeks=len(frames.weeks),
        n_weak=int(((this_week["narrative"] != "") & this_week["weak"].fillna(False).astype(bool)).sum()),
        quarantine=tuple(reasons),
        n_recovered=int((frames.quarantine["state"] == "recovered").sum()),
        feeds=feed_notes(frames, desk.settings.discover.timezone),
        same_language_share=number(desk.health().get("same_language_share")),
        largest_source=_largest_source(this_week),
        alerts=alert_record(frames),
    )


def _largest_source(articles: pd.DataFrame) -> tuple[str, float] | None:
    counts = articles.loc[articles["source"] != "", "source"].value_counts()
    if counts.empty:
        return None
    first = min(counts.index, key=lambda source: (-counts[source], source))
    return one_line(str(first)), float(counts[first] / len(articles))


def feed_notes(frames: Frames, timezone: str) -> tuple[FeedNote, ...]:
    """Outlets that were unusual in the report's week, by `narratives.volume.feed_notices`."""
    counts: dict[str, dict[date, int]] = {}
    for row in each(frames.articles.groupby(["source", "week"]).size().rename("n").reset_index()):
        counts.setdefault(one_line(str(row.source)), {})[row.week] = int(row.n)
    latest = frames.articles["published_at"].max()
    covered = share_passed(frames.week, latest, ZoneInfo(timezone)) if len(frames.articles) else 1.0
    notices = feed_notices(counts, frames.weeks, frames.week, covered)
    return tuple(
        FeedNote(n.source, n.kind, n.n_articles, float(n.usual), Words(n.said("zh"), n.said("en")))
        for n in sorted(notices, key=lambda n: (-abs(n.n_articles - n.usual), n.source))[:_MAX_FEEDS]
    )


def count_unassigned(
    desk: Desk, points: Sequence[WeekPoint], frames: Frames, shown: Sequence[date], zone: ZoneInfo
) -> Unassigned:
    """The week's stories in no narrative, with examples."""
    at = {p.week: p for p in points}
    before = [frames.week - timedelta(weeks=i) for i in range(1, 5)]
    before = [w for w in before if w >= frames.weeks[0] and w in at]
    articles = frames.articles
    mine = articles[
        (articles["week"] == frames.week) & (articles["narrative"] == "") & articles["is_first"].astype(bool)
    ]
    return Unassigned(
        n_stories=at[frames.week].n_stories,
        share=at[frames.week].share,
        mean4=sum(at[w].share for w in before) / len(before) if before else None,
        series=tuple(at[w].n_stories for w in shown),
        examples=headlines(mine, zone, _N_EXAMPLES),
        n_kept_back=ask(desk, "kept_back", frames.week) or 0,
    )
