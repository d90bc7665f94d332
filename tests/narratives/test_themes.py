"""Themes group narratives, keep their ids, and are named by what their narratives share."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from narratives.archive import Archive, schema
from narratives.archive.history import vector_bytes
from narratives.term_sums import count, texts_of
from narratives.theme_frame import theme_frame, theme_of
from narratives.themes import Themes, common_words, group, inherit

WEEK = date(2025, 9, 1)


def centres(sizes: list[int], seed: int = 0) -> np.ndarray:
    """Unit vectors near as many directions as there are sizes."""
    rng = np.random.default_rng(seed)
    rows = [np.eye(32)[i] + 0.08 * rng.standard_normal(32) for i, n in enumerate(sizes) for _ in range(n)]
    return np.array([row / np.linalg.norm(row) for row in rows])


def test_near_narratives_are_one_theme_and_a_lonely_one_is_in_none() -> None:
    assert group(centres([7, 7, 7, 1])) == [list(range(7)), list(range(7, 14)), list(range(14, 21))]


def test_few_narratives_have_no_themes() -> None:
    assert group(centres([4, 3])) == []


def test_an_id_goes_to_the_theme_that_shares_most_and_to_one_only() -> None:
    before = {"T0001": ["N1", "N2", "N3", "N4"], "T0002": ["N8", "N9"]}
    found = inherit([["N1", "N2"], ["N3", "N4", "N5"], ["N8", "N9", "N10"]], before)
    assert [one.id for one in found].count("T0001") == 1 and found[2].id == "T0002"


def test_a_theme_with_little_of_an_old_one_is_new() -> None:
    assert inherit([["N1", "N7", "N8", "N9"]], {"T0001": ["N1", "N2", "N3"]})[0].id == ""


def profile(*titles: str) -> dict[str, dict[str, Any]]:
    return count({"title": title, "text": "", "lang": "en", "source": f"S{i}"} for i, title in enumerate(titles))


def test_a_themes_words_are_those_that_two_of_its_narratives_hold() -> None:
    found = common_words([profile("river pollution arsenic"), profile("river bridge", "river dam")])
    assert set(found["en"]["terms"]) == {"river"}


def _archive(place: Path, n: int) -> Archive:
    archive = Archive.create(place)
    vectors = centres([n, n, n])
    topics = ("river water", "magnet plant", "chip memory")
    with archive.begin() as connection:
        for i, centre in enumerate(vectors):
            name = f"N{i + 1:04d}"
            connection.execute(
                schema.narrative.insert().values(
                    id=name, origin="discovered", status="active", centre=vector_bytes(centre)
                )
            )
            words = profile(*[f"{topics[i // n]} story{i}a", f"{topics[i // n]} story{i}b"])
            connection.execute(schema.narrative_terms.insert().values(narrative_id=name, week=WEEK, n=2, profile=words))
    return archive


def _make(archive: Archive, week: date) -> None:
    with archive.begin() as connection:
        profiles = [row["profile"] for row in archive.rows(schema.narrative_terms, connection=connection)]
        Themes(archive, week).make(connection, texts_of(profiles))


def test_themes_are_written_named_and_keep_their_ids(tmp_path: Path) -> None:
    with closing(_archive(tmp_path / "a.sqlite", 7)) as archive:
        _make(archive, WEEK)
        first = theme_frame(archive, zh_first=False)
        assert first["id"].tolist() == ["T0001", "T0002", "T0003"] and first["n_narratives"].tolist() == [7, 7, 7]
        assert {"river water", "magnet plant", "chip memory"} == {name.split(" · ")[0] for name in first["name_en"]}
        with archive.begin() as connection:  # one of them ends, so that the first theme is smaller
            gone = schema.narrative.update().where(schema.narrative.c.id == "N0001").values(status="ended")
            connection.execute(gone)
        _make(archive, WEEK + timedelta(weeks=4))
        second = theme_frame(archive, zh_first=False)
        assert theme_of(second) | {"N0001": "T0001"} == theme_of(first)
        assert set(second["first_week"]) == {WEEK} and set(second["last_week"]) == {WEEK + timedelta(weeks=4)}


def test_a_merged_narrative_leads_to_its_heir(tmp_path: Path) -> None:
    with closing(_archive(tmp_path / "a.sqlite", 7)) as archive:
        _make(archive, WEEK)
        with archive.begin() as connection:
            merged = {"status": "merged", "merged_into": "N0002"}
            connection.execute(schema.narrative.update().where(schema.narrative.c.id == "N0001").values(**merged))
        frame = theme_frame(archive, zh_first=True)
        inside = frame.set_index("id")["narratives"]["T0001"]
        assert inside == [f"N000{i}" for i in range(2, 8)] and theme_of(frame)["N0002"] == "T0001"


def test_they_are_due_every_fourth_step_and_where_there_are_none(tmp_path: Path) -> None:
    with closing(_archive(tmp_path / "a.sqlite", 7)) as archive, archive.begin() as connection:
        themes = Themes(archive, WEEK)
        assert themes.due(connection)
        themes.make(connection, {})
        said = []
        for i in range(5):
            step = {"week": WEEK + timedelta(weeks=i), "n_articles": 1, "counts": {}}
            connection.execute(schema.step.insert().values(**step))
            said.append(themes.due(connection))
        assert said == [False, False, False, True, False]
