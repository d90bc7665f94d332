"""Weeks: they begin on Monday at midnight in the desk's time zone and are named by that Monday."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(weeks=1)


def monday_of(instant: datetime, zone: ZoneInfo) -> date:
    """The week of an instant (naive instants are UTC, as the archive stores them).

    >>> monday_of(datetime(2025, 11, 16, 17, 0), ZoneInfo("Asia/Shanghai"))
    datetime.date(2025, 11, 17)
    """
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    day = aware.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def dates_of(instants: Sequence[datetime], zone: ZoneInfo) -> list[date]:
    """Local days of many naive UTC instants: midnights are converted and not each of them.

    >>> dates_of([datetime(2025, 11, 16, 17, 0), datetime(2025, 11, 16, 15, 59)], ZoneInfo("Asia/Shanghai"))
    [datetime.date(2025, 11, 17), datetime.date(2025, 11, 16)]
    """
    if not instants:
        return []
    first, last = (at.replace(tzinfo=UTC).astimezone(zone).date() for at in (min(instants), max(instants)))
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    midnights = begins(days, zone)
    return [days[bisect_right(midnights, at) - 1] for at in instants]


def begins(days: Sequence[date], zone: ZoneInfo) -> list[datetime]:
    """When days begin, as naive UTC instants.

    >>> begins([date(2025, 11, 17)], ZoneInfo("Asia/Shanghai"))
    [datetime.datetime(2025, 11, 16, 16, 0)]
    """
    local = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
    return [at.astimezone(UTC).replace(tzinfo=None) for at in local]


def mondays_of(instants: Sequence[datetime], zone: ZoneInfo) -> list[date]:
    """`monday_of` of many naive UTC instants."""
    days = dates_of(instants, zone)
    week_of = {day: day - timedelta(days=day.weekday()) for day in set(days)}
    return [week_of[day] for day in days]


def share_passed(week: date, latest: datetime, zone: ZoneInfo) -> float:
    """Share of a week that lies before an instant, 0 to 1; naive instants are UTC.

    >>> share_passed(date(2025, 11, 10), datetime(2025, 11, 13, 4, 0), ZoneInfo("Asia/Shanghai"))
    0.5
    """
    aware = latest if latest.tzinfo else latest.replace(tzinfo=UTC)
    began = datetime(week.year, week.month, week.day, tzinfo=zone)
    return min(max((aware - began) / WEEK, 0.0), 1.0)


def label(week: date) -> str:
    """ISO name of a week, as in file names.

    >>> label(date(2025, 11, 10))
    '2025-W46'
    """
    year, number, _ = week.isocalendar()
    return f"{year}-W{number:02d}"


def parse(text: str) -> date:
    """The Monday of `2025-W46` or of any ISO date in that week.

    >>> parse("2025-W46"), parse("2025-11-12")
    (datetime.date(2025, 11, 10), datetime.date(2025, 11, 10))

    Raises
    ------
    ValueError
        Neither form.
    """
    try:
        if "-W" in text.upper():
            year, number = text.upper().split("-W")
            return date.fromisocalendar(int(year), int(number), 1)
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected a week such as 2025-W46 or a day such as 2025-11-12, got {text!r}") from error
    return day - timedelta(days=day.weekday())


def weeks_between(first: date, last: date) -> list[date]:
    """All Mondays from the first to the last, both included."""
    return [first + WEEK * i for i in range((last - first).days // 7 + 1)]


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(7.4), duration(150), duration(9_000)
    ('7 s', '2.5 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
