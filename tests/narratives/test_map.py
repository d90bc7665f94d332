"""The picture of a week and the nearness of narratives, on a small processed desk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narratives
from narratives import map as picture
from narratives.archive import schema


@pytest.fixture
def desk(small_desk_folder: Path, tmp_path: Path) -> Any:
    own = narratives.open(shutil.copytree(small_desk_folder, tmp_path / "desk"))
    yield own
    own.close()


def test_a_week_has_a_place_for_each_story_and_the_same_one_every_time(desk: Any) -> None:
    week = desk.weeks()[-1]
    places = desk.map(week)
    articles = desk.articles()
    assert set(places["id"]) == set(articles.loc[(articles["week"] == week) & articles["is_first"], "id"])
    assert places[["x", "y"]].abs().to_numpy().max() == 1.0
    assert places.equals(narratives.open(desk.folder, read_only=True).map(week))


def test_stories_of_one_topic_lie_closer_than_stories_of_two(desk: Any) -> None:
    articles = desk.articles()
    places = desk.map(desk.weeks()[-1]).merge(articles[["id", "url"]], on="id")
    topic = places["url"].str.split("/").str[3].to_numpy()
    points = places[["x", "y"]].to_numpy()
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    same = topic[:, None] == topic[None]
    assert apart[same & ~np.eye(len(topic), dtype=bool)].mean() < 0.6 * apart[~same].mean()


def test_without_vectors_there_is_no_picture(desk: Any) -> None:
    shutil.rmtree(desk.folder / "vectors")
    assert desk.map(desk.weeks()[-1]).empty


@pytest.mark.slow
def test_many_stories_are_drawn_by_umap_once_and_kept(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MIN_FOR_UMAP", 10)
    first = desk.map(desk.weeks()[-1])
    (kept,) = (desk.folder / "vectors" / "maps").glob("*.npy")
    monkeypatch.setattr(picture, "_umap", None)  # not asked again
    assert first.equals(desk.map(desk.weeks()[-1]))
    kept.unlink()
    monkeypatch.undo()
    monkeypatch.setattr(picture, "MIN_FOR_UMAP", 10)
    assert first.equals(desk.map(desk.weeks()[-1])), "computed again, the same picture"


def test_a_large_week_is_thinned_evenly(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_POINTS", 4)
    assert len(desk.map(desk.weeks()[-1])) == 4


def test_each_narrative_names_its_nearest_and_never_itself_or_a_merged_one(desk: Any) -> None:
    near = desk.near_narratives(limit=1)
    ids = set(desk.narratives()["id"])
    assert set(near["narrative"]) == ids and (near["narrative"] != near["other"]).all()
    gone = near["other"].iloc[0]
    with desk.archive.begin() as connection:
        connection.execute(schema.narrative.update().where(schema.narrative.c.id == gone).values(status="merged"))
    later = desk.near_narratives()
    assert gone not in set(later["narrative"]) | set(later["other"])
