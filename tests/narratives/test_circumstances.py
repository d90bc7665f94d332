"""One desk of nine weeks in which a story, a price table and a feed's flood are born: what becomes of each."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.commands.alerts import nearest_said, reasons
from narratives.evaluate_alerts import evaluate_alerts
from narratives.evaluate_groups import evaluate_clusters, read_grouped
from narratives.pipeline import update

TOPICS = {
    "mine": "mine ore pit leach acid river village kachin truck border",
    "plant": "magnet plant texas furnace alloy pentagon loan worker output line",
    "scrap": "scrap motor shredder hydrogen powder recycle disk rotor press buyer",
    "quota": "quota ministry licence export batch ton permit decree customs ledger",
    "price": "oxide praseodymium neodymium yuan kilogram quote spot dealer desk table",
}
START = datetime(2025, 8, 25, 9, 0, tzinfo=timezone(timedelta(hours=8)))
N_WEEKS = 9


def text(topic: str, week: int, i: int, source: str, title: str = "") -> dict[str, str]:
    dice = random.Random(f"{topic}{week}{i}")
    words = dice.choices(TOPICS[topic].split(), k=14) + [f"detail{dice.randrange(9999)}" for _ in range(3)]
    at = START + timedelta(weeks=week, hours=(i * 20) % 150)
    return {
        "title": title or " ".join(words[:5]),
        "text": " ".join(words[5:]) + ".",
        "source": source,
        "url": f"https://example.org/{topic}/{week}/{i}",
        "published_at": at.isoformat(),
        "story": topic,
    }


def rows() -> list[dict[str, str]]:
    found = []
    for week in range(N_WEEKS):
        found += [text("mine", week, i, f"Wire {i % 3}") for i in range(6)]
        found += [text("plant", week, i, f"Post {i % 3}") for i in range(6)]
        found += [text("scrap", week, i, f"Herald {i % 3}") for i in range(6)] if week >= 6 else []
        # A table that comes once a week, and from week 6 on from three desks every other day.
        for i in range(1 if week < 6 else 6):
            title = f"Spot table, day {week * 7 + i}: oxide at {500 + week * 3 + i} yuan, up {i} pct"
            found.append(text("price", week, i, f"Desk {i % 3}", title))
        # A feed that brought one article a week brings twelve of one matter, and three articles of others have it too.
        found += [text("mine", week, 6, "Flood")] if week < 6 else []
        found += [text("quota", week, i, "Flood") for i in range(12)] if week == 6 else []
        found += [text("quota", week, i, f"Herald {i % 3}") for i in (13, 14, 15)] if week == 6 else []
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("circumstances")
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    (place / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
    return place / "rows.jsonl"


@pytest.fixture(scope="module")
def desk(file: Path) -> Iterator[narratives.Desk]:
    from tests.conftest import WordEncoder, WordTone

    made = narratives.init(file.parent / "desk", file.parent / "none.yaml")
    made.ingest([file])
    update(made.archive, made.settings, [], made.material(WordEncoder()), WordTone())  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture(scope="module")
def alerts(desk: narratives.Desk) -> dict[str, dict[str, Any]]:
    """Topic -> its alert."""
    urls = desk.articles().set_index("id")["url"]
    return {urls[row["evidence"]["article_ids"][0]].split("/")[3]: row for row in desk.alerts().to_dict("records")}


def test_a_new_story_is_an_alert_with_its_growth_and_is_confirmed(alerts):
    row = alerts["scrap"]
    assert (row["tier"], row["state"], row["week"]) == ("alert", "confirmed", date(2025, 10, 6))
    assert row["p_value"] < 0.001 and row["evidence"]["growth"]["usual"] == 0
    assert all(row["evidence"]["passed"].values())
    assert "too few weeks: using the default level" in " ".join(reasons(row["evidence"]))


def test_a_price_table_is_routine_and_says_which_series(alerts, desk):
    row = alerts["price"]
    assert row["tier"] == "routine"
    assert row["evidence"]["series"]["share"] >= 0.5 and "spot table" in row["evidence"]["series"]["template"]
    assert any("routine series" in line for line in reasons(row["evidence"]))


def test_what_rests_on_a_flooding_feed_is_held(alerts, desk):
    row = alerts["quota"]
    assert row["tier"] == "alert" and row["evidence"]["suspect_share"] > 0.5, row["evidence"]
    assert row["state"] == "held", "two weeks of silence are not yet four"
    notices = desk.feed_notices(row["week"])
    assert list(zip(notices["source"], notices["kind"], strict=True))[:1] == [("Flood", "doubled")]
    assert desk.alert_precision().n_held == 1


def test_each_birth_names_the_narratives_it_is_none_of(alerts):
    near = alerts["scrap"]["evidence"]["near"]
    assert len(near) >= 2 and all(one["score"] < one["level"] for one in near)
    assert near == sorted(near, key=lambda one: -one["score"])
    assert all("none of its own" in line for line in nearest_said({"near": near}, {}))


def test_alerts_of_a_labelled_file_are_measured_beside_baselines(file, word_encoder):
    from narratives.settings import Settings

    result = evaluate_alerts(read_grouped(file, dated=True), Settings(), word_encoder)
    by = {row["by"]: row for row in result.table}
    assert by["alerts"]["found"][0] >= 0.5 and by["alerts"]["late"] == 0
    assert by["alerts"]["false"][0] <= by["every birth"]["false"][0]
    assert by["alerts"]["n_alerts"] < by["every birth"]["n_alerts"]
    assert "every birth" in result.as_text()


def test_a_labelled_file_without_sources_is_shared_out_among_outlets_and_says_so(file, word_encoder):
    from narratives.settings import Settings

    rows = [{name: value for name, value in row.items() if name != "source"} for row in read_grouped(file, dated=True)]
    result = evaluate_alerts(rows, Settings(), word_encoder)
    by = {row["by"]: row for row in result.table}
    assert by["alerts"]["n_alerts"] > 0 and by["alerts"]["found"][0] > 0
    assert any("source" in note for note in result.notes)


def test_clusters_of_a_labelled_file_are_measured_beside_baselines(file, word_encoder):
    from narratives.settings import Settings

    result = evaluate_clusters(read_grouped(file), Settings(), word_encoder)
    by = {row["by"]: row for row in result.table}
    assert by["narratives"]["bcubed"][0] > by["all in one"]["bcubed"][0] > 0
    assert by["narratives"]["ami"][0] > 0.5 and abs(by["all in one"]["ami"][0]) < 1e-6
    assert len(result.predictions) == result.n_rows


def test_a_file_without_labels_or_dates_is_refused_by_line(tmp_path):
    place = tmp_path / "rows.jsonl"
    place.write_text('{"title": "a", "story": "s"}\n{"title": "b"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r":2: needs a `story` or a `topic`"):
        read_grouped(place)
    with pytest.raises(ValueError, match=r":1: needs a `published_at`"):
        read_grouped(place, dated=True)
