"""Themes and the language flag where a report shows them, and nowhere where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

import reports


def themed(desk: Any, groups: Sequence[Sequence[str]], last_week: date) -> Any:
    """The desk with themes of these narratives."""
    names = [("河流污染", "river · water"), ("", "magnet · plant"), ("芯片", "chip")]
    rows = [
        {
            "id": f"T{i + 1:04d}", "name": en, "name_zh": zh, "name_en": en, "keywords_zh": [], "keywords_en": [],
            "narratives": list(group), "n_narratives": len(group), "first_week": last_week, "last_week": last_week,
        }
        for i, ((zh, en), group) in enumerate(zip(names, groups, strict=False))
    ]  # fmt: skip
    desk.themes = lambda: pd.DataFrame(rows)
    return desk


def test_themes_list_their_narratives_by_stories_with_links(desk: Any) -> None:
    week = desk.weeks()[-1]
    report = reports.build_weekly(themed(desk, [["N0002", "N0001"], ["N0003", "N0008", "N9999"]], week))
    assert sorted(theme.id for theme in report.themes) == ["T0001", "T0002"]
    first = next(theme for theme in report.themes if theme.id == "T0001")
    counts = {row.id: row.now.n_stories for row in report.rows}
    assert first.n_stories == counts["N0001"] + counts["N0002"]
    assert [link.anchor for link in first.narratives] == ["n-N0001", "n-N0002"]
    second = next(theme for theme in report.themes if theme.id == "T0002")
    assert second.name.zh == second.name.en == "magnet · plant" and len(second.narratives) == 2
    html, text = reports.render_html(report), reports.render_markdown(report)
    assert "grouped by machine" in html and "river · water" in html
    assert "grouped by machine" in text and "河流污染" in text


def test_one_theme_says_nothing_and_the_future_is_not_known(desk: Any) -> None:
    week = desk.weeks()[-1]
    assert reports.build_weekly(themed(desk, [["N0001", "N0002"], ["N0003"]], week)).themes == ()
    later = themed(desk, [["N0001", "N0002"], ["N0003", "N0008"]], week)
    past = reports.build_weekly(later, week - timedelta(weeks=1))
    assert past.themes == () and "grouped by machine" not in reports.render_html(past)


def test_a_narrative_in_one_language_is_marked(desk: Any) -> None:
    plain = reports.build_weekly(desk)
    assert "told in Chinese only" not in reports.render_html(plain) + reports.render_markdown(plain)
    frame = desk.frames["narratives"]
    frame.loc[frame["id"] == "N0001", "one_language"] = "zh"
    report = reports.build_weekly(desk)
    assert next(row for row in report.rows if row.id == "N0001").one_language == "zh"
    assert reports.render_html(report).count("told in Chinese only") == 1
    assert reports.render_markdown(report).count("told in Chinese only") == 1
