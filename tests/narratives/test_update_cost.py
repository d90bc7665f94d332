"""What an update asks the archive for does not grow with the archive."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import narratives
import narratives.step
from narratives.archive import schema
from narratives.archive.bulk import insert_many
from narratives.pipeline import update

LONG_AGO = date(2023, 1, 2)
WEEK = 5  # of the new stories
TOPICS = (
    "mine ore pit leach acid river village kachin truck border",
    "chip memory price server dram nand phone demand maker contract",
)
_STEPS = 100  # SQLite calls back after so many of its own steps


@contextmanager
def work_of(desk: narratives.Desk) -> Iterator[list[int]]:
    """Counts hundreds of steps of SQLite's machine: rows looked at, whether they are returned or not."""
    done = [0]

    def count() -> int:
        done[0] += 1
        return 0

    def watch(raw: Any, *_: Any) -> None:
        raw.set_progress_handler(count, _STEPS)

    engine = desk.archive.engine
    engine.dispose()
    event.listen(engine, "connect", watch)
    try:
        yield done
    finally:
        event.remove(engine, "connect", watch)
        engine.dispose()


def add_history(desk: narratives.Desk, n: int, n_ended: int) -> None:
    """Articles of years ago: half in narratives that live on, the others in narratives that ended or in none."""
    archive = desk.archive
    living = [row for row in archive.rows(schema.narrative) if row["status"] == "active"]
    gone = {"slug": None, "status": "ended", "last_week": LONG_AGO + timedelta(weeks=39)}
    ended = [{**living[0], **gone, "id": f"N{9_000 + k}"} for k in range(n_ended)]
    homes = [row["id"] for row in living], [row["id"] for row in ended] + [""]
    (alert,) = archive.rows(schema.alert)[:1] or [{}]
    articles, members, scores = [], [], []
    for i in range(n):
        key, monday = f"old{i:06d}", LONG_AGO + timedelta(weeks=i % 40)
        at = datetime(monday.year, monday.month, monday.day, 12) + timedelta(minutes=i)
        said = {"title": f"old story {i}", "text": "mine ore pit", "source": f"Wire {i % 3}", "lang": "en"}
        told = {"published_at": at, "ingested_at": at, "story_id": key, "content_hash": key, "origin": "old"}
        place = {"url": "", "published_offset_minutes": 0, "version": 1, "step_week": monday, "is_voice": True}
        articles.append({"id": key, **said, **told, **place})
        some = homes[i % 2]
        if home := some[i // 2 % len(some)]:
            member = {"weight": 0.5, "primary": True, "weak": False, "how": "assigned", "week": monday}
            members.append({"article_id": key, "narrative_id": home, **member})
            shares = {"p_supports": 0.0, "p_opposes": 0.0, "p_neutral": 1.0, "stance": 0.0, "confidence": 0.0}
            score = {"article_id": key, "narrative_id": home, **shares}
            scores.append({**score, "verdict": "unclear", "evidence": [], "scorer": "statements-4"})
    with archive.begin() as connection:
        archive.insert(connection, schema.narrative, ended)
        insert_many(connection, schema.article, articles)
        insert_many(connection, schema.membership, members)
        insert_many(connection, schema.score, scores)
        if alert:
            past = {"state": "confirmed", "week": LONG_AGO, "settled_week": LONG_AGO}
            archive.insert(connection, schema.alert, [{**alert, **past, "id": f"A{900 + k}"} for k in range(n_ended)])
        steps = [{"week": LONG_AGO + timedelta(weeks=k), "n_articles": n // 40, "counts": {}} for k in range(40)]
        archive.insert(connection, schema.step, steps)


def new_week(folder: Path) -> Path:
    """Stories on two known topics, a week after those of the desk."""
    rng, rows = random.Random(0), []
    for i in range(2 * WEEK):
        words = rng.choices(TOPICS[i % 2].split(), k=14)
        at = datetime(2025, 10, 7, 9, i, tzinfo=UTC)
        said = {"title": " ".join(words[:5]), "text": " ".join(words[5:]) + f" detail{i}."}
        rows.append({**said, "source": f"Wire {i % 3}", "url": f"https://x.org/{i}", "published_at": at.isoformat()})
    file = folder / "week.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def placed(desk: narratives.Desk) -> list[tuple[str, str]]:
    """Where the articles of the latest week are."""
    found = desk.archive.rows(schema.membership, schema.membership.c.week == desk.archive.last_step())
    return sorted((row["article_id"], row["narrative_id"]) for row in found)


def test_an_archive_of_fifty_times_the_articles_asks_no_more_of_the_database(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    small_desk_folder: Path,
    add_stories: Callable[..., None],
    word_encoder: Any,
    word_tone: Any,
) -> None:
    monkeypatch.setattr(narratives.step, "_CUT_ARTICLES", 60)
    work, where = [], []
    for name, n in (("young", 0), ("old", 6_000)):
        shutil.copytree(small_desk_folder, tmp_path / name)
        with closing(narratives.open(tmp_path / name)) as desk:
            add_stories(desk, [("mine", 5, WEEK), ("scrap", 5, WEEK + 1)])  # sums are made, a narrative is born
            if n:
                add_history(desk, n, 40)
            desk.ingest([new_week(desk.folder)])
            fewer = desk.settings.discover.model_copy(update={"max_members": 20})  # than the young desk has
            settings = desk.settings.model_copy(update={"discover": fewer})
            with work_of(desk) as done:
                update(desk.archive, settings, desk.definitions, desk.material(word_encoder), word_tone)
            work.append(done[0])
            where.append(placed(desk))
    young, old = work
    assert old <= 2 * young
    assert len(where[0]) >= WEEK and where[0] == where[1]
