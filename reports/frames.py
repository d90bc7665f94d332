"""What a report reads: the desk's frames, taken once, checked, and cut off at the end of the report's
week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from narratives.settings import Settings

_COLUMNS = """
articles: id title text source lang published_at week url story is_first n_copies narrative weight weak stance
    verdict confidence tone origin
narratives: id name name_zh name_en slug origin status born_week last_week n_articles n_stories keywords_zh
    keywords_en claim_zh claim_en drafted drift level cohesion merged_into languages one_language
timeline: week narrative n_stories n_articles share stance stance_low stance_high stance_n tone tone_low
    tone_high tone_n
events: week kind narrative other detail
alerts: id narrative week tier state acknowledged statistic p_value threshold evidence settled_week
quarantine: id origin reason message raw state
runs: id command state started_at finished_at counts versions settings
"""
COLUMNS: dict[str, tuple[str, ...]] = {
    line.partition(":")[0]: tuple(line.partition(":")[2].split())
    for line in _COLUMNS.replace("\n    ", " ").strip().splitlines()
}
_WEEK_COLUMNS = frozenset(("week", "born_week", "last_week", "settled_week"))
_TEXTS = """
id title text source lang url story narrative verdict origin name name_zh name_en slug status claim_zh
claim_en merged_into one_language kind other tier state reason message raw command
"""
_TEXT_COLUMNS = frozenset(_TEXTS.split())


class Desk(Protocol):
    """The part of `narratives.Desk` that a report needs; a test may hand over anything of this shape."""

    @property
    def settings(self) -> Settings: ...
    @property
    def folder(self) -> Path: ...
    def weeks(self) -> list[date]: ...
    def articles(self) -> pd.DataFrame: ...
    def narratives(self) -> pd.DataFrame: ...
    def timeline(self) -> pd.DataFrame: ...
    def events(self) -> pd.DataFrame: ...
    def alerts(self) -> pd.DataFrame: ...
    def evidence(self, narrative: str, /) -> pd.DataFrame: ...
    def quarantine(self) -> pd.DataFrame: ...
    def runs(self) -> pd.DataFrame: ...
    def health(self) -> dict[str, Any]: ...


class HeldDesk:
    """A desk whose frames are fetched once, for work over many weeks. Nobody may change what it hands out."""

    def __init__(self, desk: Desk) -> None:
        self.settings, self.folder = desk.settings, desk.folder
        self._desk = desk
        self._held: dict[tuple[Any, ...], Any] = {}

    def _once(self, name: str, *given: Any) -> Any:
        key = (name, *given)
        if key not in self._held:
            self._held[key] = getattr(self._desk, name)(*given)
        return self._held[key]

    def weeks(self) -> list[date]:
        return sorted(self._once("weeks"))

    def articles(self) -> pd.DataFrame:
        return self._once("articles")

    def narratives(self) -> pd.DataFrame:
        return self._once("narratives")

    def timeline(self) -> pd.DataFrame:
        return self._once("timeline")

    def events(self) -> pd.DataFrame:
        return self._once("events")

    def alerts(self) -> pd.DataFrame:
        return self._once("alerts")

    def evidence(self, narrative: str, /) -> pd.DataFrame:
        return self._once("evidence", narrative)

    def quarantine(self) -> pd.DataFrame:
        return self._once("quarantine")

    def runs(self) -> pd.DataFrame:
        return self._once("runs")

    def health(self) -> dict[str, Any]:
        return self._once("health")

    def __getattr__(self, name: str) -> Any:
        """What a desk may have and need not, such as `map`: held in the same way."""
        if name.startswith("_") or not callable(getattr(self._desk, name, None)):
            raise AttributeError(name)
        return lambda *given: self._once(name, *given)


def ask(desk: Desk, name: str, *given: Any) -> Any:
    """A frame that a desk may have and need not; None where it has not."""
    method = getattr(desk, name, None)
    return method(*given) if callable(method) else None


@dataclass(frozen=True)
class Frames:
    """The desk as it stood at the end of `week`.

    Weeks are `datetime.date` (a Monday), texts are `str` and never missing. Articles, events, alerts and the
    time line after `week` are left out, so that the report of an old week does not know the future; an alert
    that was settled later is `emerging` here.
    """

    week: date
    weeks: tuple[date, ...]
    articles: pd.DataFrame
    narratives: pd.DataFrame
    timeline: pd.DataFrame
    events: pd.DataFrame
    alerts: pd.DataFrame
    quarantine: pd.DataFrame
    runs: pd.DataFrame


def week_label(week: date) -> str:
    """ISO week of a Monday.

    >>> week_label(date(2025, 11, 10))
    '2025-W46'
    """
    year, number, _ = week.isocalendar()
    return f"{year}-W{number:02d}"


def parse_week(value: date | str) -> date:
    """Monday of a week given as `2025-W46`, as a day, or as a date.

    Raises
    ------
    ValueError
        The text is neither an ISO week nor an ISO day.

    >>> parse_week("2025-W46"), parse_week("2025-11-13")
    (datetime.date(2025, 11, 10), datetime.date(2025, 11, 10))
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, str):
        try:
            if "W" in value.upper():
                year, number = value.upper().split("-W")
                return date.fromisocalendar(int(year), int(number), 1)
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"a week is written 2025-W46 or 2025-11-10, got {value!r}") from error
    return value - timedelta(days=value.weekday())


def load_frames(desk: Desk, week: date | str | None = None) -> Frames:
    """Take the desk's frames once and bring them into one form.

    Raises
    ------
    ValueError
        The desk has processed no week, not this one, or a frame lacks a column; the message names which.
    """
    weeks = sorted({_as_date(w) for w in desk.weeks()} - {None}, key=str)
    if not weeks:
        raise ValueError("the desk has processed no week yet: run `narratives update` first")
    known = [w for w in weeks if w is not None]
    chosen = known[-1] if week is None else parse_week(week)
    if chosen not in known:
        first, last = week_label(known[0]), week_label(known[-1])
        raise ValueError(f"week {week_label(chosen)} is not among the {len(known)} processed ones ({first} to {last})")
    got = {name: _clean(name, getattr(desk, name)()) for name in COLUMNS}
    for name in ("articles", "timeline", "events", "alerts"):
        frame = got[name]
        got[name] = frame.loc[[w is not None and w <= chosen for w in frame["week"]]].reset_index(drop=True)
    alerts = got["alerts"]
    later = [w is not None and w > chosen for w in alerts["settled_week"]]
    alerts.loc[later, "state"] = "emerging"
    got["articles"] = got["articles"].sort_values(["published_at", "id"], kind="stable").reset_index(drop=True)
    got["narratives"] = got["narratives"].sort_values("id", kind="stable").reset_index(drop=True)
    return Frames(week=chosen, weeks=tuple(w for w in known if w <= chosen), **got)


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows as records with a field a column."""
    yield from frame.itertuples(index=False)


def _clean(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    missing = [c for c in COLUMNS[name] if c not in frame.columns]
    if missing:
        raise ValueError(
            f"desk.{name}() needs the columns {', '.join(missing)}; got {', '.join(map(str, frame.columns))}"
        )
    frame = frame.loc[:, list(COLUMNS[name])].reset_index(drop=True).copy()
    for column in frame.columns:
        if column in _WEEK_COLUMNS:
            frame[column] = pd.Series([_as_date(v) for v in frame[column]], index=frame.index, dtype=object)
        elif column in _TEXT_COLUMNS and not (column == "id" and name in ("quarantine", "runs")):
            frame[column] = pd.Series([_as_text(v) for v in frame[column]], index=frame.index, dtype=object)
    return frame


def _as_date(value: Any) -> date | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, str):
        return date.fromisoformat(value[:10]) if value else None
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else pd.Timestamp(value).date()


def _as_text(value: Any) -> str:
    return "" if value is None or value is pd.NA or (isinstance(value, float) and value != value) else str(value)


def as_list(value: Any) -> list[str]:
    """A cell that holds a list, or nothing.

    >>> as_list(None), as_list(["a", "b"])
    ([], ['a', 'b'])
    """
    if isinstance(value, str):
        return [value] if value else []
    return [str(v) for v in value] if isinstance(value, Sequence) or hasattr(value, "__iter__") else []
