"""The articles of one narrative or week, read by index, are those of the whole frame."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import event, insert

from narratives.archive import Archive, schema
from narratives.frames import Frames
from narratives.settings import Settings

_MONDAY = date(2025, 11, 10)


@pytest.fixture
def frames(tmp_path: Path) -> Frames:
    """Three weeks of articles in two narratives, with reprints across narratives and weeks."""
    archive = Archive.create(tmp_path / "archive.sqlite")
    articles, members, scores, tones = [], [], [], []
    for i in range(60):
        key = f"a{i:02d}"
        # Sunday 15:30 and 16:30 UTC lie on both sides of Monday midnight in Shanghai.
        at = datetime(2025, 11, 9, 15, 30) + timedelta(hours=1 + 8 * i if i % 2 else 8 * i)
        row = {"id": key, "lang": "zh", "published_at": at, "ingested_at": at, "content_hash": key, "origin": "x:1"}
        waits = i % 20 == 19
        row |= {"story_id": f"a{i - i % 4:02d}", "title": f"t{i}", "step_week": None if waits else _MONDAY}
        articles.append(row)
        tones.append({"article_id": key, "tone": i / 60, "p_negative": 0, "p_neutral": 0, "p_positive": 0})
        if i % 3:
            member = {"article_id": key, "weight": 0.5, "how": "assigned", "week": _MONDAY}
            members.append({**member, "narrative_id": f"N{i % 3}", "primary": True, "weak": i % 5 == 0})
            members.append({**member, "narrative_id": f"N{3 - i % 3}", "primary": False, "weak": False})
            score = {"article_id": key, "narrative_id": f"N{i % 3}", "p_supports": 0, "p_opposes": 0, "p_neutral": 0}
            scores.append({**score, "stance": 0.2, "confidence": i % 2, "verdict": "supports", "scorer": "s"})
    with archive.begin() as connection:
        connection.execute(insert(schema.article), articles)
        connection.execute(
            insert(schema.narrative), [{"id": f"N{k}", "origin": "defined", "status": "active"} for k in (1, 2)]
        )
        connection.execute(insert(schema.membership), members)
        connection.execute(insert(schema.score), scores)
        connection.execute(insert(schema.tone), [{**row, "scorer": "t"} for row in tones])
    return Frames(Settings(), archive)


@pytest.mark.parametrize("narrative", [None, "N1", "N2", "N9"])
@pytest.mark.parametrize("week", [None, _MONDAY, _MONDAY + timedelta(weeks=1), date(2020, 1, 6)])
def test_a_part_is_what_the_whole_says_of_it(frames: Frames, narrative: str | None, week: date | None) -> None:
    whole = frames.articles()
    assert len(whole) == 57 and whole["n_copies"].sum() > 57 and 0 < whole["is_first"].sum() < 57
    keep = pd.Series(True, index=whole.index)
    if narrative is not None:
        keep &= whole["narrative"] == narrative
    if week is not None:
        keep &= whole["week"] == week
    pd.testing.assert_frame_equal(frames.articles(narrative, week), whole[keep].reset_index(drop=True))


def test_one_week_of_one_narrative_scans_no_table(frames: Frames) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    @event.listens_for(frames.archive.engine, "before_cursor_execute")
    def _note(_c: object, _cur: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    frames.articles("N1", _MONDAY)
    statements = list(asked)
    assert statements
    with frames.archive.reading() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            assert not [step for step in plan if str(step[3]).startswith("SCAN")], plan
