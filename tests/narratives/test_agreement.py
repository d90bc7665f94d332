"""Every step writes differences; what it writes says the same as all of the archive counted again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

import narratives
from narratives.agreement import disagreements
from narratives.archive import schema
from narratives.decisions import Decisions
from narratives.review import Review


@pytest.fixture
def desk(tmp_path: Path, small_desk_folder: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    with closing(narratives.open(tmp_path / "desk")) as opened:
        yield opened


def largest(desk: narratives.Desk, n: int) -> list[str]:
    rows = desk.archive.rows(schema.narrative, schema.narrative.c.status == "active")
    return [row["id"] for row in sorted(rows, key=lambda row: -row["n_members"])[:n]]


def found(desk: narratives.Desk) -> list[str]:
    return list(disagreements(desk.archive, desk.settings.discover.max_members))


def test_splits_and_merges_by_the_review_leave_an_archive_that_agrees(
    desk: narratives.Desk, add_stories: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    falls_apart, goes, stays = largest(desk, 3)
    had = {row["id"]: row["n_members"] for row in desk.archive.rows(schema.narrative)}
    assert found(desk) == []

    def look(review: Review) -> None:
        review.looked = True
        review._split(falls_apart, review._members(falls_apart)[0].ids[-6:])
        review.merges = [(goes, stays)]

    monkeypatch.setattr(Review, "look", look)
    add_stories(desk, [("chips", 5, 2)])
    assert {"split", "merged"} <= set(desk.events()["kind"])
    assert found(desk) == []
    now = {row["id"]: row["n_members"] for row in desk.archive.rows(schema.narrative)}
    assert now[falls_apart] < had[falls_apart] and now[stays] >= had[goes] + had[stays] and now[goes] == 0
    monkeypatch.undo()
    add_stories(desk, [("mine", 6, 4), ("plant", 6, 4), ("chips", 6, 3)])
    assert found(desk) == []


def test_decisions_and_their_undoing_leave_an_archive_that_agrees(
    desk: narratives.Desk, add_stories: Callable[..., None]
) -> None:
    decisions, (one, two, three) = Decisions(desk.archive, desk.zone), largest(desk, 3)
    placed = desk.articles().query("is_first").groupby("narrative")["id"].agg(list)
    steps = [
        lambda: decisions.pin(placed[one][0], two),
        lambda: decisions.reject(placed[two][0], two),
        lambda: decisions.split(three, placed[three][:3], en="Part"),
        lambda: decisions.merge(one, two),
        lambda: decisions.undo(desk.archive.rows(schema.decision)[-1]["id"]),
    ]
    for decide in steps:
        decide()
        assert found(desk) == []
    add_stories(desk, [("mine", 5, 4), ("plant", 5, 4)])
    assert found(desk) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ('UPDATE membership SET "primary" = 0', "count in none"),
        ("INSERT INTO membership SELECT article_id, (SELECT max(id) FROM narrative WHERE id <> narrative_id), weight,"
         ' "primary", weak, how, week FROM membership LIMIT 1', "1 articles count in more than one narrative"),
        ("UPDATE narrative SET n_members = n_members + 1 WHERE id = 'N0002'", "1 narratives keep another number"),
        ("UPDATE narrative SET status = 'merged' WHERE id = 'N0002'", "1 narratives that were merged have members"),
        ("UPDATE narrative_week SET n = n + 1", "have sums of others"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_said_with_the_narratives(desk: narratives.Desk, fault: str, said: str) -> None:
    with desk.archive.begin() as connection:
        connection.execute(text(fault))
    assert any(said in sentence for sentence in found(desk))
