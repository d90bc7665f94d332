"""From what inputs call a date to an aware instant.

Understood: ISO 8601, epochs (seconds to nanoseconds), RFC 2822, compact digits (20251115T0216), Chinese forms
(2025年11月15日 下午3:20, 二〇二五年十一月十五日, 3小时前, 昨天 10:30), written English dates, and
relative English ones. Relative forms are counted from the file's own date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

_EPOCH_UNITS = ((1e8, 4.2e9, 1.0), (1e11, 4.2e12, 1e3), (1e14, 4.2e15, 1e6), (1e17, 4.2e18, 1e9))
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(Z)?$")
_SLASHED = re.compile(r"(\d{1,4})[/.](\d{1,2})[/.](\d{1,4})(?:[ T]+(.*))?$")
_LOOSE_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(.*))?$")
_CHINESE = re.compile(r"(?:(\d{4})\s*年)?\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]?\s*(.*)$")
_CLOCK = re.compile(
    r"(?P<half>上午|下午|晚上|中午|凌晨|早上|傍晚|早晨|晚间|晚|AM|PM|am|pm)?\s*"
    r"(?P<hour>\d{1,2})\s*[:点點时時]\s*"
    r"(?:(?P<minute>\d{1,2})\s*分?)?(?:\s*:?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?"
    r"\s*(?P<english>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>\S.*)?$"
)
_RELATIVE = re.compile(
    r"(\d+|半|an?|one)\s*个?個?\s*"
    r"(秒钟?|分钟?|分鐘|小时|小時|钟头|天|日|周|星期|月|年"
    r"|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|[smhd])"
    r"\s*(?:以?之?前|ago)$",
    re.IGNORECASE,
)
_NAMED_DAY = re.compile(r"(今天|今日|昨天|昨日|前天|today|yesterday),?\s*(.*)$", re.IGNORECASE)
_WEEKDAY = re.compile(r"^[(]?(?:星期|周|週|礼拜)[一二三四五六日天][)]?[,、]?\s*")
_ENGLISH = re.compile(r"[A-Za-z]{3}")
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/$")

_DAYS_BACK = {"今天": 0, "今日": 0, "today": 0, "昨天": 1, "昨日": 1, "yesterday": 1, "前天": 2}
_UNIT_SECONDS = {
    "s": 1, "秒": 1, "m": 60, "分": 60, "h": 3600, "小": 3600, "钟": 3600, "d": 86_400, "天": 86_400,
    "日": 86_400, "w": 604_800, "周": 604_800, "星": 604_800, "mo": 2_592_000, "月": 2_592_000,
    "y": 31_536_000, "年": 31_536_000,
}  # fmt: skip
_ZONES = {
    "gmt": 0, "utc": 0, "z": 0, "ut": 0, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "cet": 1, "cest": 2, "bst": 1, "hkt": 8, "sgt": 8, "myt": 8, "jst": 9, "kst": 9,
    "北京时间": 8, "北京時間": 8,
}  # fmt: skip
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?$", re.IGNORECASE)
_NUMERALS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_WRITTEN = re.compile(r"[〇零○一二三四五六七八九十]+(?=[年月日号])")


def parse_instant(value: Any, zone: tzinfo, reference: datetime | None = None, slash_dates: str = "refuse") -> datetime:
    """The aware instant that a value names; its own offset is kept.

    Parameters
    ----------
    value
        String, number, `date` or `datetime`.
    zone
        Holds for values that name none.
    reference
        Aware instant from which relative forms and dates without a year are counted.
    slash_dates
        What 03/04/2025 means: `month-first`, `day-first` or `refuse`.

    Raises
    ------
    ValueError
        It is no date, or one of several meanings; the message says which.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> parse_instant("2025年11月15日 下午3:20", ZoneInfo("Asia/Shanghai")).isoformat()
    '2025-11-15T15:20:00+08:00'
    >>> parse_instant(1763144160, ZoneInfo("Asia/Shanghai")).isoformat()
    '2025-11-14T18:16:00+00:00'
    """
    try:
        found = _parse(value, zone, reference, slash_dates)
    except (OverflowError, TypeError) as error:
        raise ValueError(f"{_short(value)} is not a date: {error}") from error
    aware = found if found.tzinfo is not None else found.replace(tzinfo=zone)
    if not 1900 <= aware.year <= 2200:
        raise ValueError(f"{_short(value)} would be the year {aware.year}, which no article has")
    return aware


def _parse(value: Any, zone: tzinfo, reference: datetime | None, slash_dates: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{_short(value)} is not a date")
    if isinstance(value, int | float):
        return _number(float(value), str(int(value)) if value == value and abs(value) < 1e30 else "")
    if not isinstance(value, str):
        raise ValueError(f"{_short(value)} is not a date")
    if len(value) > 200:
        raise ValueError(f"{_short(value)} is too long for a date")
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        raise ValueError("the date is blank")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    forms: tuple[Callable[[], datetime | None], ...] = (
        lambda: _digits(text),
        lambda: _calendar(_LOOSE_ISO, text, (0, 1, 2), zone),
        lambda: _slashed(text, zone, slash_dates),
        lambda: _chinese(text, zone, reference),
        lambda: _relative(text, zone, reference),
        lambda: _rfc2822(text, zone),
        lambda: _english(text, zone),
    )
    for form in forms:
        found = form()
        if found is not None:
            return found
    raise ValueError(f"{_short(value)} is not a date in any form that is understood")


def _number(value: float, digits: str) -> datetime:
    if len(digits) in (8, 12, 14) and digits[:2] in ("19", "20"):
        match = _COMPACT.match(digits)
        try:
            return _from_parts(*match.groups()[:6]) if match else datetime.fromtimestamp(value, UTC)
        except ValueError:
            pass
    for low, high, unit in _EPOCH_UNITS:
        if low <= value < high:
            return datetime.fromtimestamp(value / unit, UTC)
    raise ValueError(f"{digits or value} is no epoch between 1973 and 2103")


def _digits(text: str) -> datetime | None:
    if match := _JSON_DATE.match(text):
        return _number(float(match.group(1)), match.group(1))
    if match := _COMPACT.match(text):
        found = _from_parts(*match.groups()[:6])
        return found.replace(tzinfo=UTC) if match.group(7) else found
    if re.fullmatch(r"\d{9,19}(?:\.\d+)?", text):
        return _number(float(text), text.split(".")[0])
    return None


def _from_parts(*parts: str | None) -> datetime:
    return datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]


def _calendar(pattern: re.Pattern[str], text: str, order: tuple[int, int, int], zone: tzinfo) -> datetime | None:
    match = pattern.match(text)
    if not match:
        return None
    numbers = [int(match.group(i + 1)) for i in order]
    return _with_clock(datetime(*numbers), match.group(4), zone)  # type: ignore[arg-type]


def _slashed(text: str, zone: tzinfo, slash_dates: str) -> datetime | None:
    match = _SLASHED.match(text)
    if not match:
        return None
    first, second = int(match.group(1)), int(match.group(2))
    if len(match.group(1)) == 4:
        order = (0, 1, 2)
    elif len(match.group(3)) != 4:
        raise ValueError(f"{text!r} has no year of four digits")
    elif first > 12 or (slash_dates == "day-first" and second <= 12):
        order = (2, 1, 0)
    elif second > 12 or slash_dates == "month-first" or first == second:
        order = (2, 0, 1)
    else:
        raise ValueError(f"{text!r} may be month or day first: set ingest.slash_dates and retry")
    return _calendar(_SLASHED, text, order, zone)


def _chinese(text: str, zone: tzinfo, reference: datetime | None) -> datetime | None:
    if "月" not in text:
        return None
    match = _CHINESE.match(_WRITTEN.sub(lambda m: str(_numeral(m.group())), text))
    if not match:
        return None
    year, month, day, rest = match.groups()
    if year is None:
        if reference is None:
            raise ValueError(f"{text!r} names no year")
        near = reference.astimezone(zone)
        # Without a year it is the last such day: an article is not from the future.
        year = near.year - (datetime(near.year, int(month), int(day)).date() > near.date() + timedelta(days=1))
    return _with_clock(datetime(int(year), int(month), int(day)), _WEEKDAY.sub("", rest), zone)


def _numeral(written: str) -> int:
    """二〇二五 -> 2025, 十一 -> 11, 二十三 -> 23."""
    if "十" not in written:
        return int("".join(str(_NUMERALS[c]) for c in written))
    tens, _, ones = written.partition("十")
    return 10 * (_NUMERALS.get(tens, 1) if tens else 1) + (_NUMERALS.get(ones, 0) if ones else 0)


def _relative(text: str, zone: tzinfo, reference: datetime | None) -> datetime | None:
    low = text.casefold()
    match, named = _RELATIVE.match(low), _NAMED_DAY.match(low)
    now = low in ("刚刚", "剛剛", "刚才", "just now", "now")
    if not (match or named or now):
        return None
    if reference is None:
        raise ValueError(f"{text!r} is counted from the file's date, which is unknown")
    local = reference.astimezone(zone)
    if now:
        return local
    if named:
        midnight = datetime.combine(local.date() - timedelta(days=_DAYS_BACK[named.group(1)]), time())
        return _with_clock(midnight, named.group(2), zone)
    assert match is not None
    amount, unit = match.groups()
    n = 0.5 if amount == "半" else 1 if amount in ("a", "an", "one") else int(amount)
    seconds = _UNIT_SECONDS["mo" if unit.startswith("mo") else unit[0]]
    return local - timedelta(seconds=n * seconds)


def _rfc2822(text: str, zone: tzinfo) -> datetime | None:
    if not _ENGLISH.search(text) or re.search(r"\d\s*[AaPp]\.?[Mm]\b", text):
        return None
    # "CST" is China's time where the zone in force says so, and central America's elsewhere.
    if re.search(r"\bCST\b", text) and datetime(2025, 1, 1, tzinfo=zone).tzname() == "CST":
        text = re.sub(r"\s*\bCST\b", "", text)
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if text.endswith("-0000") else found
    except (ValueError, TypeError, IndexError):
        return None


def _english(text: str, zone: tzinfo) -> datetime | None:
    if not _ENGLISH.search(text) or not re.search(r"\d{4}", text) or len(text) > 60:
        return None
    return _by_dateparser(re.sub(r"\bCST\b", "", text) if str(zone) == "Asia/Shanghai" else text)


@lru_cache(maxsize=4096)
def _by_dateparser(text: str) -> datetime | None:
    import dateparser

    # Absolute and whole dates only: it would otherwise read a date into almost anything.
    settings = {
        "STRICT_PARSING": True,
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
    }
    found = dateparser.parse(text, languages=["en"], settings=settings)
    return found if isinstance(found, datetime) else None


def _with_clock(day: datetime, clock: str | None, zone: tzinfo) -> datetime:
    """The day at a time of day such as `下午3:20`, `3:20 PM`, `03:20:00 +0800`; midnight for none."""
    clock = (clock or "").strip()
    if not clock:
        return day
    match = _CLOCK.match(clock)
    if not match:
        raise ValueError(f"{clock!r} is not a time of day")
    hour, minute, second = (int(match.group(name) or 0) for name in ("hour", "minute", "second"))
    half = (match.group("half") or match.group("english") or "").casefold().replace(".", "")
    if half in ("下午", "晚上", "傍晚", "晚间", "晚", "pm", "中午") and (hour < 12 if half != "中午" else hour < 3):
        hour += 12
    elif half in ("am", "凌晨", "上午") and hour == 12:
        hour = 0
    found = day.replace(hour=hour, minute=minute, second=second)
    named = (match.group("zone") or "").strip(" ()")
    return found.replace(tzinfo=_zone(named, zone)) if named else found


def _zone(named: str, zone: tzinfo) -> tzinfo:
    low = named.casefold()
    if low == "cst":
        is_china = datetime(2025, 1, 1, tzinfo=zone).tzname() == "CST"
        return timezone(timedelta(hours=8 if is_china else -6))
    if low in _ZONES:
        return timezone(timedelta(hours=_ZONES[low]))
    if match := _OFFSET.match(named):
        sign = -1 if match.group(1) == "-" else 1
        return timezone(sign * timedelta(hours=int(match.group(2)), minutes=int(match.group(3) or 0)))
    raise ValueError(f"{named!r} is not a time zone that is understood")


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
