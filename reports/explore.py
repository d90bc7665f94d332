"""The notebook's view: one linked chart in which a selection of articles shows its words, weeks and titles."""

from __future__ import annotations

import json
import zlib
from typing import Any

import altair as alt
import pandas as pd

from reports.frames import Desk, as_list, each, load_frames, week_label
from reports.quotes import one_line, safe_url
from reports.rows import UNASSIGNED_KEY, say
from reports.theme import ACCENT, chart_config
from reports.weekly import narrative_names
from reports.words import word

MAX_POINTS = 50_000
_N_WORDS, _N_TITLES, _N_LANES = 15, 12, 25


def explore(desk: Desk, lang: str = "both", max_points: int = MAX_POINTS) -> Any:
    """Drag over the articles; the words, the weeks and the titles follow. Shift and drag moves on, a click ends it.

    Articles lie in a lane a narrative, largest first, by their day (the same article always at the same place). The
    rest of the narratives share the last lane but one, the unassigned have the last.

    Parameters
    ----------
    lang
        Language of the names: `both`, `zh` or `en`.
    max_points
        More canonical articles than this are thinned evenly, oldest to newest.

    Returns
    -------
    An Altair chart; `alt.JupyterChart(chart)` makes its selection `brush` readable from Python.
    """
    rows = explore_rows(desk, lang, max_points)
    lanes = list(dict.fromkeys(r["lane"] for r in sorted(rows, key=lambda r: r["order"])))
    # As one text the rows are neither counted against Altair's limit of 5,000 nor validated one by one.
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    data = alt.InlineData(values=text, format=alt.JsonDataFormat(type="json"), name="articles")
    # The other views are computed anew ten times a second at most while the mouse moves.
    drag = "[pointerdown, window:pointerup] > window:pointermove!{100}"
    brush = alt.selection_interval(name="brush", encodings=["x", "y"], on=drag, translate=False, zoom=False)
    tip = [alt.Tooltip(f"{name}:N") for name in ("title", "source", "day", "lane")]
    points = (
        alt.Chart(data)
        .mark_circle(size=26)
        .encode(
            x=alt.X("day:T", scale=alt.Scale(type="utc"), axis=alt.Axis(title=None, format="%m-%d")),
            y=alt.Y("lane:N", sort=lanes, axis=alt.Axis(title=None, labelLimit=220)),
            yOffset=alt.YOffset("jitter:Q", scale=alt.Scale(domain=[0, 1])),
            color=alt.condition(brush, alt.value(ACCENT), alt.value("#c9cdd2")),
            opacity=alt.value(0.6),
            href="url:N",
            tooltip=tip,
        )
        .add_params(brush)
        .properties(width=520, height=alt.Step(26))
    )
    chosen = alt.Chart(data).transform_filter(brush)
    weeks = (
        chosen.mark_bar(color=ACCENT)
        .encode(x=alt.X("week:O", axis=alt.Axis(title=None, labelAngle=-45)), y=alt.Y("count():Q", title=None))
        .properties(width=300, height=110)
    )
    words = (
        chosen.transform_flatten(["words"])
        .transform_aggregate(n="count()", groupby=["words"])
        .transform_window(rank="row_number()", sort=[alt.SortField("n", "descending"), alt.SortField("words")])
        .transform_filter(f"datum.rank <= {_N_WORDS}")
        .mark_bar(color=ACCENT)
        .encode(x=alt.X("n:Q", title=None), y=alt.Y("words:N", sort="-x", title=None), tooltip=["words:N", "n:Q"])
        .properties(width=300, height=220)
    )
    titles = (
        chosen.transform_window(rank="row_number()", sort=[alt.SortField("day", "descending")])
        .transform_filter(f"datum.rank <= {_N_TITLES}")
        .transform_calculate(line="datum.day + '  ' + datum.source + '  ' + datum.title")
        .mark_text(align="left", limit=820)
        .encode(
            x=alt.value(0),
            y=alt.Y("rank:O", axis=None),
            text="line:N",
            href="url:N",
            tooltip=["title:N", "source:N"],
        )
        .properties(width=860, height=16 * _N_TITLES)
    )
    whole = alt.vconcat(alt.hconcat(points, alt.vconcat(weeks, words)), titles)
    return whole.configure(**chart_config("light")).properties(usermeta={"embedOptions": {"renderer": "canvas"}})


def explore_rows(desk: Desk, lang: str = "both", max_points: int = MAX_POINTS) -> list[dict[str, Any]]:
    """One row an article (no reprints): day, week, lane, order, jitter, title, source, url, words."""
    frames = load_frames(desk)
    names = narrative_names(frames.narratives)
    articles = frames.articles[frames.articles["is_first"].astype(bool)]
    step = -(-len(articles) // max_points) if len(articles) else 1
    articles = articles.iloc[::step]
    sizes = articles.loc[articles["narrative"] != "", "narrative"].value_counts()
    ranked = sorted(sizes.index, key=lambda n: (-sizes[n], n))[:_N_LANES]
    order = {name: i for i, name in enumerate(ranked)}
    terms = {
        r.id: [t.casefold() for t in (*as_list(r.keywords_zh), *as_list(r.keywords_en))]
        for r in each(frames.narratives)
    }
    zone = desk.settings.discover.timezone
    rest = say(word("other_narratives"), lang)
    out = []
    for a in each(articles):
        if not a.narrative:
            lane, place = UNASSIGNED_KEY, _N_LANES + 1
        elif a.narrative in order:
            lane, place = f"{a.narrative} {say(names[a.narrative], lang)}", order[a.narrative]
        else:
            lane, place = rest, _N_LANES
        title, text = one_line(a.title or a.text[:80])[:120], f"{a.title} {a.text}".casefold()
        day = pd.Timestamp(a.published_at).tz_convert(zone).strftime("%Y-%m-%d")
        out.append(
            {
                "id": a.id,
                "day": day,
                "week": week_label(a.week),
                "lane": lane,
                "order": place,
                "jitter": zlib.crc32(a.id.encode()) % 1000 / 1000,
                "title": title,
                "source": a.source,
                "url": safe_url(a.url),
                "words": [t for t in terms.get(a.narrative, ()) if t in text][:5],
            }
        )
    return out
