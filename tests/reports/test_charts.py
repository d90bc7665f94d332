"""Every chart passes the same checks; pictures show Chinese; the notebook's view stays small."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import reports
from reports.charts import (
    lineage_chart,
    map_chart,
    overview_chart,
    report_charts,
    score_chart,
    section_charts,
    share_chart,
    volume_chart,
)
from reports.content import WeeklyReport
from reports.pictures import draw, has_chinese_font
from reports.rows import OTHER_KEY, UNASSIGNED_KEY, overview_rows, score_rows
from reports.theme import COLOURS

CHARTS = {
    "volume": volume_chart,
    "share": share_chart,
    "scores": score_chart,
    "tone": lambda lang: score_chart(lang, measures=("tone",)),
    "overview": lambda lang: overview_chart(["甲 A", OTHER_KEY, UNASSIGNED_KEY], lang),
    "map": lambda lang: map_chart(["甲 A", OTHER_KEY, UNASSIGNED_KEY], lang),
    "lineage": lambda lang: lineage_chart(lang, 3, ["2025-W45", "2025-W46"]),
}


@pytest.fixture(scope="module")
def report(desk_maker: Any, tmp_path_factory: pytest.TempPathFactory) -> WeeklyReport:
    return reports.build_weekly(desk_maker(tmp_path_factory.mktemp("desk")))


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("lang", ["zh", "en", "both"])
def test_every_chart_is_valid_describes_itself_and_is_the_same_twice(name: str, lang: str) -> None:
    spec = CHARTS[name](lang).to_dict()  # raises unless the schema of Vega-Lite allows it
    assert spec["description"] and "$schema" in spec
    assert json.dumps(spec) == json.dumps(CHARTS[name](lang).to_dict()), "no running numbers in it"
    if lang == "en":
        assert not re.search(
            r"[\u4e00-\u9fff]",
            json.dumps(spec, ensure_ascii=False).replace("其他", "").replace("未归类", "").replace("甲", ""),
        )
    assert "temporal" not in json.dumps(spec), "weeks are labels: no reader's time zone moves them"


def test_the_overview_adds_up_to_all_stories_of_the_week(report: WeeklyReport) -> None:
    names = {r.id: r.name.en for r in report.rows[:2]}
    rows = overview_rows(report, names)
    now = sum(r["n_stories"] for r in rows if r["week"] == report.label)
    assert now == report.intake.n_stories
    assert {r["name"] for r in rows} == {*names.values(), OTHER_KEY, UNASSIGNED_KEY}


def test_a_week_of_too_few_stories_is_a_gap_and_not_a_zero(report: WeeklyReport) -> None:
    section = next(s for s in report.sections if s.row.id == "N0003")
    rows = [r for r in score_rows(section.points) if r["what"] == "tone" and r["n"] < 3]
    assert rows and all(r["mean"] is None and r["low"] is None for r in rows)


def test_without_a_claim_no_stance_is_drawn(report: WeeklyReport) -> None:
    section = next(s for s in report.sections if s.row.id == "N0006")
    spec = section_charts(section)["scores"]
    assert {r["what"] for r in spec["datasets"]["rows"]} == {"tone"}


def test_pictures_show_chinese_and_not_boxes(report: WeeklyReport, tmp_path: Path) -> None:
    if not has_chinese_font():
        pytest.skip("no font with Chinese on this machine")
    charts = report_charts(report)
    png = draw(charts["overview"], "png", width=600)
    assert png.startswith(b"\x89PNG")
    renamed = json.loads(json.dumps(charts["overview"]).replace(json.dumps("中国")[1:-1], json.dumps("磁体")[1:-1]))
    assert draw(renamed, "png", width=600) != png, "other characters, another picture"
    svg = draw(charts["lineage"], "svg").decode("utf-8")
    assert "中国稀土杠杆" in svg and "<script" not in svg


def test_pictures_are_named_by_week_narrative_and_kind(report: WeeklyReport, tmp_path: Path) -> None:
    paths = reports.write_pictures(report, tmp_path, formats=("svg",))
    names = {p.name for p in paths}
    assert {"2025-W46-overview.svg", "2025-W46-lineage.svg", "2025-W46-map.svg", "2025-W46-N0001-scores.svg"} <= names
    assert len(names) == 3 + 3 * len(report.sections)
    with pytest.raises(ValueError, match="pictures are png or svg, got gif"):
        reports.write_pictures(report, tmp_path, formats=("gif",))


def test_light_and_dark_colours_name_the_same_things_and_can_be_read() -> None:
    assert COLOURS["light"].keys() == COLOURS["dark"].keys()
    for mode, colours in COLOURS.items():
        for name in ("ink", "muted", "accent", "stance", "tone", "good", "bad"):
            assert _contrast(colours[name], colours["paper"]) >= 4.5, (mode, name)
        assert _contrast(colours["warn"], colours["warn_soft"]) >= 4.5, mode


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
