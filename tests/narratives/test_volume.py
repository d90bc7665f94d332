from datetime import date, timedelta

import pytest

from narratives.volume import feed_notices, latest_notices

MONDAYS = [date(2025, 9, 1) + timedelta(weeks=i) for i in range(9)]


def counted(**sources: list[int]) -> dict[str, dict[date, int]]:
    return {name: {w: n for w, n in zip(MONDAYS, own, strict=False) if n} for name, own in sources.items()}


def kinds(week: int = 8, covered: float = 1.0, **sources: list[int]) -> dict[str, str]:
    steady = [4, 5, 4, 5, 4, 5, 4, 5, 4]
    found = feed_notices(counted(steady=steady, **sources), MONDAYS, MONDAYS[week], covered)
    return {notice.source: notice.kind for notice in found}


def test_a_steady_source_is_no_news():
    assert kinds() == {}


def test_a_source_that_falls_silent_is_noticed_as_soon_as_it_is_missed():
    large, small = [9, 10, 8, 9, 10, 9, 9, 10, 0], [1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert kinds(large=large, small=small) == {"large": "silent", "small": "silent"}
    assert kinds(7, large=large, small=small) == {}, "one missing article is no silence"


def test_on_a_tuesday_nobody_is_silent_yet():
    assert kinds(covered=0.2, large=[9, 10, 8, 9, 10, 9, 9, 10, 0]) == {}


def test_a_source_that_doubled_is_noticed_but_not_one_that_always_leaps():
    assert kinds(doubled=[6, 5, 6, 7, 6, 5, 6, 6, 15], leaping=[1, 15, 0, 14, 2, 13, 1, 16, 15]) == {
        "doubled": "doubled"
    }


def test_a_new_feed_is_noticed_in_its_first_week_only():
    own = [0, 0, 0, 0, 0, 0, 0, 12, 11]
    assert kinds(7, new=own) == {"new": "started"} and kinds(8, new=own) == {}


def test_where_all_are_silent_one_notice_is_enough():
    found = feed_notices(counted(a=[9] * 8, b=[8] * 8), MONDAYS, MONDAYS[8])
    assert [(notice.source, notice.kind) for notice in found] == [("", "silent")]
    assert found[0].said("en").startswith("Every source has been silent for 1 week")


@pytest.mark.parametrize("n_weeks", [1, 4])
def test_a_young_archive_says_nothing(n_weeks):
    assert feed_notices(counted(a=[1, 9, 1, 40]), MONDAYS[:n_weeks], MONDAYS[n_weeks - 1]) == []


def test_notices_are_told_in_both_languages():
    (notice,) = feed_notices(counted(磁材在线=[6, 5, 6, 7, 6, 5, 6, 6, 15]), MONDAYS, MONDAYS[8])
    assert notice.said("zh") == "磁材在线 本周有 15 篇文章，平时每周约 6 篇。"
    assert notice.said("en") == "磁材在线 brought 15 articles, where about 6 a week are usual."


def test_an_archive_is_asked_for_its_own_weeks(tmp_path):
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from narratives.archive import Archive, schema

    with Archive.create(tmp_path / "archive.sqlite") as archive:
        n = 0
        with archive.begin() as connection:
            for i, monday in enumerate(MONDAYS):
                for j in range(6 if i < 8 else 16):
                    n += 1
                    at = datetime(monday.year, monday.month, monday.day, 3 + j)
                    connection.execute(
                        schema.article.insert().values(
                            id=f"a{n}", title="t", text="…", lang="en", source="Wire", url="", published_at=at,
                            ingested_at=at, content_hash=f"a{n}", story_id=f"a{n}", origin="test", step_week=monday,
                        )
                    )  # fmt: skip
        zone = ZoneInfo("Asia/Shanghai")
        (notice,) = latest_notices(archive, zone, MONDAYS, MONDAYS[8])
        assert (notice.source, notice.kind, notice.n_articles, notice.usual) == ("Wire", "doubled", 16, 6.0)
        assert latest_notices(archive, zone, MONDAYS, MONDAYS[7]) == []
