"""The report's charts in Altair: specifications that name their data, so that one serves every narrative.

Every function returns a chart over the data set called `rows`; `with_rows` puts rows in. Weeks are ordinal
labels (`2025-W46`), never instants, so that no reader's time zone moves them. Names of parameters are fixed:
Altair's counters would make two equal reports differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import altair as alt

from reports.content import NarrativeSection, WeeklyReport
from reports.records import Words
from reports.rows import (
    OTHER_KEY,
    UNASSIGNED_KEY,
    Row,
    chart_names,
    lineage_rows,
    map_rows,
    overview_rows,
    say,
    score_rows,
    volume_rows,
)
from reports.theme import CATEGORIES, COLOURS, OTHER, UNASSIGNED

_HEIGHT = 150
_DASHES = {"stance": [1, 0], "tone": [5, 3]}
_EVENTS = {
    "born": ("诞生", "born"),
    "split": ("分裂", "split"),
    "merged": ("并入", "merged"),
    "dormant": ("休眠", "dormant"),
    "revived": ("重现", "revived"),
    "ended": ("结束", "ended"),
}


def with_rows(chart: Any, rows: Iterable[Row]) -> dict[str, Any]:
    """The chart's specification with its data."""
    spec: dict[str, Any] = chart.to_dict(validate=False) if hasattr(chart, "to_dict") else dict(chart)
    return {**spec, "datasets": {"rows": list(rows)}}


def _base(description: str, height: int = _HEIGHT) -> dict[str, Any]:
    return {"width": "container", "height": height, "description": description}


def _week_axis(weeks: Sequence[str] = ()) -> alt.X:
    axis = alt.Axis(
        labelAngle=0,
        labelOverlap=True,
        labelExpr="slice(datum.label, 5)",
        title=None,
        ticks=False,
        labelPadding=6,
    )
    return alt.X("week:O", axis=axis, scale=alt.Scale(domain=list(weeks)) if weeks else alt.Undefined)


def volume_chart(lang: str = "both", mode: str = "light") -> Any:
    """Stories a week as bars, reach with reprints as paler bars behind. Rows: week, n_stories, reach."""
    c = COLOURS[mode]
    tip = [
        _tip("week", "周", "week", lang),
        _tip("n_stories", "独立报道", "stories", lang),
        _tip("reach", "含转载", "reach", lang),
    ]
    base = alt.Chart(alt.NamedData("rows")).encode(x=_week_axis(), tooltip=tip)
    y_axis = alt.Axis(title=None, tickMinStep=1, tickCount=4, format="d")
    reach = base.mark_bar(color=c["pale"]).encode(y=alt.Y("reach:Q", axis=y_axis))
    stories = base.mark_bar(color=c["accent"]).encode(y=alt.Y("n_stories:Q", axis=y_axis))
    text = say(Words("每周独立报道与含转载的篇数", "Stories a week and reach with reprints"), lang)
    return alt.layer(reach, stories).properties(**_base(text))


def share_chart(lang: str = "both", mode: str = "light") -> Any:
    """Share of the week's stories as a line over an area. Rows: week, share (0 to 1)."""
    c = COLOURS[mode]
    tip = [_tip("week", "周", "week", lang), _tip("share", "占比", "share", lang, ".0%")]
    y = alt.Y("share:Q", axis=alt.Axis(title=None, format="%", tickCount=4), scale=alt.Scale(zero=True))
    base = alt.Chart(alt.NamedData("rows")).encode(x=_week_axis(), y=y, tooltip=tip)
    area = base.mark_area(color=c["soft"], opacity=0.9)
    line = base.mark_line(color=c["accent"], strokeWidth=2)
    point = base.mark_point(color=c["accent"], filled=True, size=28, opacity=1)
    text = say(Words("占当周全部报道的比例", "Share of the week's stories"), lang)
    return alt.layer(area, line, point).properties(**_base(text))


def score_chart(lang: str = "both", mode: str = "light", measures: Sequence[str] = ("stance", "tone")) -> Any:
    """Stance and tone (or one of them) with 95 % intervals; a gap where there were too few stories.

    Rows: week, what (`stance` or `tone`), mean, low, high (-1 to 1 or null), n.
    """
    c = COLOURS[mode]
    labels = {"stance": say(Words("立场", "stance"), lang), "tone": say(Words("语气", "tone"), lang)}
    expr = f"datum.label == 'stance' ? '{labels['stance']}' : '{labels['tone']}'"
    legend = alt.Legend(
        title=None,
        orient="top",
        labelExpr=expr,
        offset=2,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )
    shown = legend if len(measures) > 1 else None
    colours = alt.Scale(domain=list(measures), range=[c[what] for what in measures])
    colour = alt.Color("what:N", scale=colours, legend=shown)
    dash = alt.StrokeDash(
        "what:N",
        scale=alt.Scale(domain=list(measures), range=[_DASHES[what] for what in measures]),
        legend=shown,
    )
    tip = [
        _tip("week", "周", "week", lang),
        alt.Tooltip("what:N", title=say(Words("量", "measure"), lang)),
        _tip("mean", "均值", "mean", lang, "+.2f"),
        _tip("low", "下限", "low", lang, "+.2f"),
        _tip("high", "上限", "high", lang, "+.2f"),
        _tip("n", "报道数", "stories", lang),
    ]
    scale = alt.Scale(domain=[-1, 1])
    signs = "datum.value == 0 ? '0' : replace(format(datum.value, '+.1f'), '-', '\u2212')"
    axis = alt.Axis(title=None, values=[-1, -0.5, 0, 0.5, 1], labelExpr=signs)
    base = alt.Chart(alt.NamedData("rows")).encode(x=_week_axis(), tooltip=tip)
    zero = (
        alt.Chart(alt.NamedData("rows"))
        .mark_rule(color=c["muted"], strokeWidth=1, aria=False)
        .encode(y=alt.datum(0, type="quantitative"))
    )
    band = base.mark_area(opacity=0.14).encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", color=colour)
    bar = base.mark_rule(opacity=0.4).encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", color=colour)
    line = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("mean:Q", scale=scale, axis=axis), color=colour, strokeDash=dash
    )
    point = base.mark_point(filled=True, size=34, opacity=1).encode(
        y=alt.Y("mean:Q", scale=scale, axis=axis), color=colour
    )
    text = say(Words("立场与语气的周均值与 95% 区间", "Weekly mean stance and tone with 95% intervals"), lang)
    return alt.layer(zero, band, bar, line, point).properties(**_base(text))


def overview_chart(names: Sequence[str], lang: str = "both") -> Any:
    """Stories a week, stacked by narrative. Rows: week, name, n_stories, order; a click on the legend
    singles out."""
    pick = alt.selection_point(name="pick", fields=["name"], bind="legend")
    tip = [
        _tip("week", "周", "week", lang),
        alt.Tooltip("name:N", title=say(Words("叙事", "narrative"), lang)),
        _tip("n_stories", "独立报道", "stories", lang),
    ]
    text = say(Words("每周独立报道，按叙事堆叠", "Stories a week, stacked by narrative"), lang)
    return (
        alt.Chart(alt.NamedData("rows"))
        .mark_bar()
        .encode(
            x=_week_axis(),
            y=alt.Y("n_stories:Q", axis=alt.Axis(title=None, tickMinStep=1, format="d")),
            color=_narrative_colour(names),
            order=alt.Order("order:Q"),
            opacity=alt.condition(pick, alt.value(1), alt.value(0.15)),
            tooltip=tip,
        )
        .add_params(pick)
        .properties(**_base(text, 260))
    )


def map_chart(names: Sequence[str], lang: str = "both") -> Any:
    """Articles of the week as dots; hover names them, a click opens them. Rows: x, y, name, title, source,
    date, url."""
    pick = alt.selection_point(name="pick", fields=["name"], bind="legend")
    tip = [
        alt.Tooltip("title:N", title=say(Words("标题", "title"), lang)),
        alt.Tooltip("source:N", title=say(Words("来源", "source"), lang)),
        alt.Tooltip("date:N", title=say(Words("日期", "date"), lang)),
        alt.Tooltip("name:N", title=say(Words("叙事", "narrative"), lang)),
    ]
    text = say(Words("本周文章的位置图", "Map of the week's articles"), lang)
    return (
        alt.Chart(alt.NamedData("rows"))
        .mark_circle(size=70, stroke="white", strokeWidth=0.4)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
            color=_narrative_colour(names),
            opacity=alt.condition(pick, alt.value(0.85), alt.value(0.08)),
            href="url:N",
            tooltip=tip,
        )
        .add_params(pick)
        .properties(**_base(text, 380))
    )


def lineage_chart(lang: str = "both", n_lanes: int = 8, weeks: Sequence[str] = ()) -> Any:
    """Life lines. Rows: kind (`life`, `link`, `event`), lane, order, week, week2, lane2, event, text."""
    c = COLOURS["light"]
    sort = alt.EncodingSortField(field="order", op="min")
    lane_axis = alt.Axis(title=None, labelLimit=230, ticks=False, domain=False, labelPadding=8)
    data = alt.Chart(alt.NamedData("rows"))
    y = alt.Y("lane:N", sort=sort, axis=lane_axis)
    tip = [_tip("week", "周", "week", lang), alt.Tooltip("text:N", title=say(Words("事件", "event"), lang))]
    life = data.transform_filter("datum.kind == 'life'").mark_rule(
        strokeWidth=5, color=c["accent"], opacity=0.45, strokeCap="round"
    )
    life = life.encode(x=_week_axis(weeks), x2="week2:O", y=y)
    dots = data.transform_filter("datum.kind == 'week'").mark_circle(color=c["accent"], opacity=0.9)
    dots = dots.encode(
        x=_week_axis(weeks),
        y=y,
        size=alt.Size("n:Q", scale=alt.Scale(range=[12, 220]), legend=None),
        tooltip=[_tip("week", "周", "week", lang), _tip("n", "独立报道", "stories", lang)],
    )
    link = data.transform_filter("datum.kind == 'link'").mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
    link = link.encode(x=_week_axis(weeks), y=y, y2="lane2:N")
    shapes = alt.Scale(
        domain=list(_EVENTS),
        range=["triangle-right", "diamond", "square", "circle", "triangle-up", "cross"],
    )
    called = {k: say(Words(zh, en), lang) for k, (zh, en) in _EVENTS.items()}
    labels = "{" + ",".join(f"{k}:'{v}'" for k, v in called.items()) + "}[datum.label]"
    mark = data.transform_filter("datum.kind == 'event'").mark_point(
        filled=True, size=90, opacity=1, color=c["tone"], yOffset=-9
    )
    mark = mark.encode(
        x=_week_axis(weeks),
        y=y,
        tooltip=tip,
        shape=alt.Shape(
            "event:N",
            scale=shapes,
            legend=alt.Legend(title=None, orient="bottom", labelExpr=labels, columns=3),
        ),
    )
    text = say(Words("叙事的诞生、分裂、并入与休眠", "Births, splits, merges and dormancy"), lang)
    return alt.layer(life, link, dots, mark).properties(**_base(text, max(120, 26 * n_lanes)))


def _tip(field: str, zh: str, en: str, lang: str, form: str = "") -> alt.Tooltip:
    kind = "O" if field == "week" else "Q"
    return alt.Tooltip(f"{field}:{kind}", title=say(Words(zh, en), lang), format=form or alt.Undefined)


def _narrative_colour(names: Sequence[str]) -> alt.Color:
    special = {OTHER_KEY: OTHER, UNASSIGNED_KEY: UNASSIGNED}
    plain = [n for n in names if n not in special]
    colours = [special.get(n) or CATEGORIES[plain.index(n) % len(CATEGORIES)] for n in names]
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=320, symbolType="circle")
    return alt.Color("name:N", scale=alt.Scale(domain=list(names), range=colours), sort=None, legend=legend)


@lru_cache(maxsize=16)
def narrative_specs(lang: str = "both", mode: str = "light") -> dict[str, dict[str, Any]]:
    """Specifications of a narrative's charts without data: `volume`, `share`, `scores`, and `tone` alone."""
    found = {
        "volume": volume_chart(lang, mode),
        "share": share_chart(lang, mode),
        "scores": score_chart(lang, mode),
        "tone": score_chart(lang, mode, ("tone",)),
    }
    return {name: chart.to_dict(validate=False) for name, chart in found.items()}


def section_charts(section: NarrativeSection, lang: str = "both", mode: str = "light") -> dict[str, dict[str, Any]]:
    """The three charts of a narrative, with their data: `volume`, `share`, `scores`."""
    volume, specs = volume_rows(section.points), narrative_specs(lang, mode)
    stance = section.row.has_stance
    return {
        "volume": with_rows(specs["volume"], volume),
        "share": with_rows(specs["share"], volume),
        "scores": with_rows(specs["scores" if stance else "tone"], score_rows(section.points, stance=stance)),
    }


def report_charts(report: WeeklyReport, lang: str = "both") -> dict[str, dict[str, Any]]:
    """The charts of the whole report, with their data: `overview`, `lineage`, and `map` where there is
    one."""
    names = chart_names(report, lang)
    domain = [*names.values(), OTHER_KEY, UNASSIGNED_KEY]
    life = lineage_rows(report, lang)
    n_lanes = len({r["lane"] for r in life})
    out = {
        "overview": with_rows(overview_chart(domain, lang), overview_rows(report, names)),
        "lineage": with_rows(lineage_chart(lang, n_lanes, report.labels), life),
    }
    if report.map:
        out["map"] = with_rows(map_chart(domain, lang), map_rows(report, names))
    return out
