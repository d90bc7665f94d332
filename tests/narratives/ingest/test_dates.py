"""Dates in every listed form, and nonsense refused with a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.ingest.dates import parse_instant

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_FILE_DATE = datetime(2025, 11, 16, 4, tzinfo=UTC)  # noon in Shanghai


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2025-11-15T02:16:00Z", "2025-11-15T02:16"),
        ("2025-11-15T02:16:00.123+0800", "2025-11-14T18:16"),
        ("2025-11-15 02:16", "2025-11-14T18:16"),
        ("2025-11-15", "2025-11-14T16:00"),
        (date(2025, 11, 15), "2025-11-14T16:00"),
        (1763144160, "2025-11-14T18:16"),
        ("1763144160", "2025-11-14T18:16"),
        (1763144160000, "2025-11-14T18:16"),
        (1763144160.5, "2025-11-14T18:16"),
        (20251115, "2025-11-14T16:00"),
        ("20251115021600", "2025-11-14T18:16"),
        ("20251115T021600Z", "2025-11-15T02:16"),
        ("Sat, 15 Nov 2025 02:16:00 +0800", "2025-11-14T18:16"),
        ("Sat, 15 Nov 2025 02:16:00 GMT", "2025-11-15T02:16"),
        ("Sat, 15 Nov 2025 02:16:00 -0000", "2025-11-15T02:16"),
        ("Sat Nov 15 02:16:00 CST 2025", "2025-11-14T18:16"),
        ("Nov 15, 2025 3:40 PM", "2025-11-15T07:40"),
        ("15 November 2025", "2025-11-14T16:00"),
        ("2025/11/15 02:16", "2025-11-14T18:16"),
        ("11/15/2025", "2025-11-14T16:00"),
        ("2025年11月15日", "2025-11-14T16:00"),
        ("2025年11月15日 下午3:20", "2025-11-15T07:20"),
        ("２０２５年１１月１５日 10时30分", "2025-11-15T02:30"),
        ("二〇二五年十一月十五日", "2025-11-14T16:00"),
        ("2025年11月15日(星期六) 10:30", "2025-11-15T02:30"),
        ("2025-11-15 10:00 北京时间", "2025-11-15T02:00"),
        ("2025-11-15 10:00 UTC+8", "2025-11-15T02:00"),
        ("11月15日 10:30", "2025-11-15T02:30"),
        ("12月15日", "2024-12-14T16:00"),
        ("3小时前", "2025-11-16T01:00"),
        ("5分钟前", "2025-11-16T03:55"),
        ("2天前", "2025-11-14T04:00"),
        ("昨天 10:30", "2025-11-15T02:30"),
        ("刚刚", "2025-11-16T04:00"),
        ("3 hours ago", "2025-11-16T01:00"),
        ("yesterday", "2025-11-14T16:00"),
    ],
)
def test_forms(value: object, utc: str) -> None:
    found = parse_instant(value, _SHANGHAI, _FILE_DATE)
    assert found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") == utc


def test_the_original_offset_is_kept() -> None:
    assert str(parse_instant("2025-11-15T02:16:00+05:30", _SHANGHAI).utcoffset()) == "5:30:00"


@pytest.mark.parametrize(
    "value",
    ["", "  ", "nonsense", "may", "1", "0", 0, True, None, float("nan"), float("inf"), 10**400, "2025-13-45",
     "2025-02-30", "0001-01-01", "9999-12-31", "Sat, 31 Feb 2025 10:00:00 GMT", "99999999999999年前",
     "2025年13月1日", [], {}, "x" * 500, "2025-11-15 25:00", "11月31日", "-5"],
)  # fmt: skip
def test_nonsense_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        parse_instant(value, _SHANGHAI, _FILE_DATE)


def test_an_ambiguous_date_is_refused_until_the_settings_say_what_it_means() -> None:
    with pytest.raises(ValueError, match="slash_dates"):
        parse_instant("03/04/2025", _SHANGHAI)
    assert parse_instant("03/04/2025", _SHANGHAI, slash_dates="month-first").month == 3
    assert parse_instant("03/04/2025", _SHANGHAI, slash_dates="day-first").month == 4


def test_a_relative_date_needs_the_date_of_its_file() -> None:
    with pytest.raises(ValueError, match="file's date"):
        parse_instant("3小时前", _SHANGHAI)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.integers(), st.floats(), st.from_regex(r"[0-9年月日: /.\-前天TZ+]{1,30}")))
def test_anything_is_an_instant_or_a_value_error(value: object) -> None:
    try:
        found = parse_instant(value, _SHANGHAI, _FILE_DATE)
    except ValueError:
        return
    assert found.tzinfo is not None and 1900 <= found.year <= 2200


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_iso_dates_come_back_to_the_microsecond(moment: datetime) -> None:
    assert parse_instant(moment.isoformat(), _SHANGHAI) == moment
