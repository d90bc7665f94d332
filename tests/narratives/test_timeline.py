"""What a week counts: stories by their first copy, reach by all copies."""

from __future__ import annotations

from datetime import date

import pandas as pd

from narratives.aggregates import week_change
from narratives.timeline import weekly_timeline

FIRST, SECOND, THIRD = date(2025, 9, 1), date(2025, 9, 8), date(2025, 9, 15)


def copies(story: str, *weeks: date, narrative: str = "N0001", tone: float = 0.5) -> list[dict[str, object]]:
    return [
        {
            "id": f"{story}{i}",
            "week": week,
            "story": story,
            "is_first": i == 0,
            "narrative": narrative,
            "weak": False,
            "verdict": "reports",
            "stance": 0.0,
            "tone": tone if i == 0 else -tone,
            "source": f"Outlet {i}",
        }
        for i, week in enumerate(weeks)
    ]


ROWS = [
    *copies("a", FIRST, FIRST, SECOND),
    *copies("b", SECOND),
    *copies("c", SECOND, SECOND, THIRD, THIRD),
    *copies("d", SECOND, narrative=""),
]


def test_a_story_counts_in_the_week_of_its_first_copy_and_late_reprints_are_reach_only():
    timeline = weekly_timeline(pd.DataFrame(ROWS), min_n=1).set_index(["narrative", "week"])
    told = timeline.loc["N0001"]
    assert told["n_stories"].to_dict() == {FIRST: 1, SECOND: 2, THIRD: 0}
    assert told["n_articles"].to_dict() == {FIRST: 2, SECOND: 4, THIRD: 2}
    assert told["share"].to_dict() == {FIRST: 1.0, SECOND: 2 / 3, THIRD: 0.0}
    assert told["tone"].loc[[FIRST, SECOND]].to_list() == [0.5, 0.5]
    assert told["tone_n"].to_dict() == {FIRST: 1, SECOND: 2, THIRD: 0}
    assert timeline["n_stories"].sum() == 4


def test_a_month_counts_each_of_its_stories_once():
    (month,) = weekly_timeline(pd.DataFrame(ROWS), min_n=1, freq="MS").query("narrative == 'N0001'").itertuples()
    assert (month.week, month.n_stories, month.n_articles) == (date(2025, 9, 1), 3, 8)


def test_a_change_rests_on_the_stories_that_the_time_line_counts():
    change = week_change(pd.DataFrame(ROWS), "N0001", SECOND, 1, 1).set_index("measure")
    assert (change.loc["tone", "n_before"], change.loc["tone", "n"]) == (1, 2)
