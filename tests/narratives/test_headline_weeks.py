"""What is kept of headlines week by week says what the headlines themselves would."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from narratives import weeks
from narratives.archive import Archive, schema
from narratives.headline_weeks import FORM, PAST_WEEKS, HeadlineWeeks, noted
from narratives.routine import Habits, Headline

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2025, 6, 2)
TITLES = (
    "Oxide prices, day #: NdPr at # yuan",
    "#日氧化镨钕报价#元/吨",
    "稀土永磁板塊收盤上漲#%",
    "Acme Corp 3rd qtr net #",
    "包头新厂爆炸，#人受伤",
)


def articles(week: date, n: int = 40) -> list[dict[str, Any]]:
    dice = random.Random(week.isoformat())
    begin = datetime(week.year, week.month, week.day)
    return [
        {
            "id": f"{week:%m%d}-{i}",
            "source": dice.choice(("Wire", "甲", "Post")),
            "title": dice.choice(TITLES).replace("#", str(dice.randrange(1, 999))),
            "lang": "en",
            "published_at": begin + timedelta(hours=dice.randrange(-8, 160)),
            "ingested_at": begin,
            "content_hash": f"{week}{i}",
            "story_id": f"{week:%m%d}-{i}",
            "origin": "x.jsonl:1",
        }
        for i in range(n)
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Of sixteen weeks, each kept by a step of its own."""
    with Archive.create(tmp_path / "archive.sqlite") as made:
        for k in range(16):
            take_in(made, FIRST + k * weeks.WEEK, articles(FIRST + k * weeks.WEEK))
        yield made


def take_in(archive: Archive, week: date, rows: list[dict[str, Any]]) -> None:
    kept = HeadlineWeeks(archive, week)
    with archive.begin() as connection:
        archive.insert(connection, schema.article, rows)
        kept.write(connection, rows)
        archive.set_week(connection, [row["id"] for row in rows], week, {row["id"] for row in rows})
        archive.put(connection, schema.step, [{"week": week, "n_articles": len(rows), "counts": {}}])


def headlines(rows: list[dict[str, Any]]) -> list[Headline]:
    days = weeks.dates_of([row["published_at"] for row in rows], ZONE)
    return [Headline(row["title"], row["source"], day) for row, day in zip(rows, days, strict=True)]


def seen(archive: Archive, week: date, newborn: list[Headline]) -> Habits:
    return HeadlineWeeks(archive, week).habits(Habits(newborn), ZONE)


def test_days_are_those_of_the_headlines_of_the_weeks_before(archive):
    week = FIRST + 16 * weeks.WEEK
    newborn = headlines(articles(week, 6))
    since = week - PAST_WEEKS * weeks.WEEK
    rows = [row for row in archive.rows(schema.article) if row["step_week"] >= since]
    expected = Habits(newborn)
    expected.see(headlines(rows))
    found = seen(archive, week, newborn)
    assert found.days == expected.days and found.days
    assert found.by_source == expected.by_source


def test_weeks_that_no_step_asks_for_are_not_kept(archive):
    kept = [row["week"] for row in archive.rows(schema.headline_week)]
    assert kept == [FIRST + k * weeks.WEEK for k in range(16 - PAST_WEEKS - 1, 16)]


@pytest.mark.parametrize("lost", ["none is kept", "another form"])
def test_an_archive_without_them_is_read_once(archive, lost):
    table, week = schema.headline_week, FIRST + 15 * weeks.WEEK
    before = archive.rows(table)
    with archive.begin() as connection:
        connection.execute(delete(table) if lost == "none is kept" else update(table).values(form=FORM - 1, noted=b""))
    newborn = headlines(articles(week, 6))
    kept = HeadlineWeeks(archive, week)
    assert kept.habits(Habits(newborn), ZONE).days
    with archive.begin() as connection:
        kept.write(connection, [])
    assert archive.rows(table) == before


def test_a_second_update_of_a_week_adds_to_it(archive):
    week = FIRST + 15 * weeks.WEEK
    late = [{**row, "id": f"late-{i}", "story_id": f"late-{i}"} for i, row in enumerate(articles(FIRST, 5))]
    before = HeadlineWeeks(archive, week).before[week]
    take_in(archive, week, late)
    after = HeadlineWeeks(archive, week).before[week]
    assert set(noted(late).tolist()) <= set(after.tolist()) == {*before.tolist(), *noted(late).tolist()}


def test_a_week_that_was_not_kept_is_read_before_it_is_added_to(archive):
    """As after an update by an older program: the articles that it took in are noted too."""
    table, week = schema.headline_week, FIRST + 15 * weeks.WEEK
    before = HeadlineWeeks(archive, week).before[week]
    with archive.begin() as connection:
        connection.execute(delete(table).where(table.c.week == week))
    take_in(archive, week, [{**articles(FIRST, 1)[0], "id": "late", "story_id": "late"}])
    assert set(before.tolist()) < set(HeadlineWeeks(archive, week).before[week].tolist())
