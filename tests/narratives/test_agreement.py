"""Every step writes differences; what it writes says the same as all of the archive counted again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

import narratives
from narratives.agreement import disagreements
from narratives.archive import schema
from narratives.claims import unscored
from narratives.decisions import Decisions
from narratives.members import set_narrative
from narratives.pipeline import update
from narratives.review import Review
from tests.narratives.conftest import DEFINITIONS, START, TOPICS

LONE = [
    {
        "title": "Museum opens a hall of porcelain",
        "text": "Visitors queued for cups, bowls and vases that lay in a wreck for centuries, the curator said.",
        "source": source,
        "url": f"https://example.org/lone/{source}",
        "published_at": "2025-09-02T10:00:00+08:00",
    }
    for source in ("Harbour News", "Evening Post")
]


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
    place: str, tmp_path: Path, add_stories: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = narratives.init(tmp_path / "own", archive=place if place.startswith("postgresql") else "")
    add_stories(desk, [(topic, week, 5) for week in range(5) for topic in ("mine", "plant", "chips")])
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
    desk.close()


def test_the_first_clustering_leaves_nothing_where_it_was_before(
    tmp_path: Path, add_stories: Callable[..., None]
) -> None:
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    desk = narratives.init(tmp_path / "desk", tmp_path / "definitions.yaml")
    add_stories(desk, [("mine", 0, 5), ("plant", 0, 5)])
    (tmp_path / "lone.jsonl").write_text("".join(json.dumps(row) + "\n" for row in LONE), encoding="utf-8")
    desk.ingest([tmp_path / "lone.jsonl"])
    add_stories(desk, [("mine", 1, 5), ("plant", 1, 5)])
    (plants,) = desk.archive.rows(schema.narrative, schema.narrative.c.slug == "plants")
    lone = desk.archive.rows(schema.article, schema.article.c.url.like("%/lone/%"))
    assert len({row["story_id"] for row in lone}) == 1 and not desk.archive.get_meta("bootstrapped", False)
    before = {row["article_id"]: row["narrative_id"] for row in desk.archive.rows(schema.membership)}
    assert {before.get(row["id"]) for row in lone} == {plants["id"]}  # few articles say little
    add_stories(desk, [(topic, week, 5) for week in (2, 3) for topic in ("mine", "plant", "chips")])
    assert desk.archive.get_meta("bootstrapped", False)
    placed = {row["article_id"] for row in desk.archive.rows(schema.membership)}
    assert not placed & {row["id"] for row in lone} and found(desk) == []
    desk.close()


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


def test_a_reprint_and_a_correction_of_what_lies_in_an_ended_narrative(
    desk: narratives.Desk, word_encoder: Any, word_tone: Any
) -> None:
    """They belong there, and a narrative of the past stays one."""
    (over,) = largest(desk, 1)
    first, other = desk.articles(over).query("is_first")[["id", "url"]].to_records(index=False)[:2]
    Decisions(desk.archive, desk.zone).pin(other[0], over)
    stays = desk.settings.discover.model_copy(update={"dormant_weeks": 2, "ended_weeks": 3})
    desk.settings = desk.settings.model_copy(update={"discover": stays})
    rows = [a_text("chips" if over != largest(desk, 3)[1] else "mine", 9, i, random.Random(i)) for i in range(4)]

    def take_in(rows: list[dict[str, str]]) -> None:
        file = desk.folder / "more.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        desk.ingest([file])
        update(desk.archive, desk.settings, desk.definitions, desk.material(word_encoder), word_tone)

    take_in(rows)
    (row,) = desk.archive.rows(schema.narrative, schema.narrative.c.id == over)
    assert row["status"] == "ended" and found(desk) == []
    said = {r["id"]: r for r in desk.archive.rows(schema.article)}
    old = [{name: said[i][name] for name in ("title", "text", "source", "url")} for i, _ in (first, other)]
    when = [said[i]["published_at"].isoformat() + "+00:00" for i, _ in (first, other)]
    reprint = {**old[0], "url": "https://example.org/copy", "source": "Copy", "published_at": when[0]}
    corrected = {**old[1], "text": old[1]["text"] + " A correction.", "published_at": when[1]}
    take_in([reprint])
    take_in([corrected])
    (copy,) = desk.archive.rows(schema.article, schema.article.c.url == "https://example.org/copy")
    places = {m["article_id"]: m["narrative_id"] for m in desk.archive.rows(schema.membership)}
    assert (places[copy["id"]], places[other[0]]) == (over, over)
    (now,) = desk.archive.rows(schema.narrative, schema.narrative.c.id == over)
    assert (now["status"], now["n_members"]) == ("ended", row["n_members"] + 1) and found(desk) == []


def a_text(topic: str, week: int, i: int, rng: random.Random) -> dict[str, str]:
    """A story of one topic, or of two."""
    words = rng.choices(TOPICS[topic].split(), k=14)
    if rng.random() < 0.5:
        words[7:] = rng.choices(TOPICS[rng.choice(sorted(TOPICS))].split(), k=7)
    words += [f"detail{rng.randrange(9999)}" for _ in range(3)]
    return {
        "title": " ".join(words[:5]),
        "text": " ".join(words[5:]) + ".",
        "source": f"Wire {rng.randrange(5)}",
        "url": f"https://example.org/{topic}/{week}/{i}",
        "published_at": (START + timedelta(weeks=week, hours=rng.randrange(100))).isoformat(),
    }


def a_week(week: int, seen: list[dict[str, str]], rng: random.Random) -> list[dict[str, str]]:
    """New stories, some of them late; reprints of earlier ones; and corrections, which keep their address."""
    rows = [
        a_text(topic, max(0, week - rng.choice([0, 0, 0, 0, 1, 3])), 100 * week + i, rng)
        for topic in sorted(TOPICS)
        if rng.random() < 0.75
        for i in range(rng.randrange(1, 9))
    ]
    for n, old in enumerate(rng.sample(seen, min(len(seen), 5))):
        other = a_text(rng.choice(sorted(TOPICS)), week, n, rng)
        reprint = {
            **old,
            "source": f"Copy {n}",
            "url": f"{old['url']}/copy{week}",
            "published_at": other["published_at"],
        }
        rows.append(reprint if n < 3 else {**old, "text": other["text"]})
    rng.shuffle(rows)
    return rows


def decide(desk: narratives.Desk, rng: random.Random) -> None:
    """One decision of any kind; what the desk refuses is no decision."""
    decisions, articles, table = Decisions(desk.archive, desk.zone), desk.articles(), desk.narratives()
    living = table.query("status not in ('merged', 'ended')")["id"].tolist()
    placed = articles.query("narrative != ''")
    if len(living) < 2 or placed.empty:
        return
    kind = rng.choice(["pin", "reject", "split", "merge", "undo", "rename", "confirm", "stance"])
    one, other = rng.sample(living, 2)
    row = placed.iloc[rng.randrange(len(placed))]
    standing = [old["id"] for old in decisions.rows() if not old["undone"] and old["kind"] != "undo"]
    with suppress(ValueError):
        if kind == "pin":
            decisions.pin(row.id, one)
        elif kind == "reject":
            decisions.reject(row.id, row.narrative)
        elif kind == "split":
            decisions.split(row.narrative, placed[placed["narrative"] == row.narrative]["id"].tolist()[:4], en="Part")
        elif kind == "merge":
            decisions.merge(one, other)
        elif kind == "rename":
            decisions.rename(one, en="Hers")
        elif kind == "stance":
            decisions.label_stance(row.id, row.narrative, rng.choice(["supports", "opposes", "reports"]))
        elif kind == "confirm":
            confirm(desk, decisions, one)
        elif standing:
            decisions.undo(rng.choice(standing))


def confirm(desk: narratives.Desk, decisions: Decisions, narrative: str) -> None:
    """The draft of a narrative, which has no two sides in words that know no good and bad, and that it stands."""
    table = schema.narrative
    (row,) = desk.archive.rows(table, table.c.id == narrative)
    if row["drafted"]:
        said = {"claim": {"en": "ore rises"}, "pro": ["mine ore river"], "con": ["kachin truck stops"]}
        with desk.archive.begin() as connection:
            set_narrative(connection, narrative, {"definition": {**(row["definition"] or {}), **said}})
    decisions.confirm(narrative)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_and_is_decided_the_archive_agrees(
    tmp_path: Path, word_encoder: Any, word_tone: Any, seed: int
) -> None:
    rng, seen = random.Random(seed), list[dict[str, str]]()
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS if seed % 2 else "narratives: []\n", encoding="utf-8")
    desk = narratives.init(tmp_path / "desk", tmp_path / "definitions.yaml")
    often = {"review_every": 1 + seed % 2, "max_members": 20 if seed % 3 else 300, "dormant_weeks": 2, "ended_weeks": 4}
    desk.settings = desk.settings.model_copy(update={"discover": desk.settings.discover.model_copy(update=often)})
    for week in range(8):
        rows = a_week(week, seen, rng)
        seen += rows
        file = tmp_path / f"{week}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        desk.ingest([file])
        # Now and then she thinks of one more statement.
        named = [d.model_copy(update={"pro": (*d.pro, f"plant {week}")}) for d in desk.definitions]
        definitions = named if rng.random() < 0.3 else desk.definitions
        update(desk.archive, desk.settings, definitions, desk.material(word_encoder), word_tone)
        assert found(desk) == [], f"after week {week}"
        with desk.archive.reading() as connection:
            assert unscored(connection, list(connection.scalars(select(schema.narrative.c.id)))) == {}
        for _ in range(rng.randrange(4)):
            decide(desk, rng)
            assert found(desk) == [], desk.archive.rows(schema.decision)[-1]["payload"]
    desk.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ('UPDATE membership SET "primary" = 0', "count in none"),
        ("INSERT INTO membership SELECT article_id, (SELECT max(id) FROM narrative WHERE id <> narrative_id), weight,"
         ' "primary", weak, how, week FROM membership LIMIT 1', "count in more than one narrative: 1 ("),
        ("UPDATE narrative SET n_members = n_members + 1 WHERE id = 'N0002'",
         "another number of members than they have: 1 (N0002: "),
        ("UPDATE narrative SET status = 'merged' WHERE id = 'N0002'", "were merged and have members: 1 (N0002: "),
        ("UPDATE article SET is_voice = 0, story_id ="
         " (SELECT story_id FROM article a JOIN membership ON id = article_id WHERE narrative_id <> 'N0002' LIMIT 1)"
         " WHERE id = (SELECT article_id FROM membership WHERE narrative_id = 'N0002' LIMIT 1)",
         "elsewhere than their story: 1 ("),
        ("UPDATE article SET is_voice = 0 WHERE id = (SELECT min(id) FROM article)",
         "without a first article, or with two: 1 ("),
        ("UPDATE narrative_week SET n = n + 1", "sums of other members"),
        ("UPDATE score SET narrative_id = 'N0002' WHERE article_id = (SELECT min(article_id) FROM score)",
         "of a narrative that the article is not in: 1 ("),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_said_with_the_narratives(desk: narratives.Desk, fault: str, said: str) -> None:
    with desk.archive.begin() as connection:
        connection.execute(text(fault))
    assert any(said in sentence for sentence in found(desk))
