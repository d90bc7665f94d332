"""What was decided holds: weeks of updates, of whatever articles, undo nothing of it."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import narratives
from narratives.agreement import disagreements
from narratives.archive import schema
from narratives.lookup import redirects
from narratives.redo import redo
from narratives.rulings import Rulings

Add = Callable[[narratives.Desk, list[tuple[str, int, int]]], None]
ALL = ("mine", "plant", "chips", "scrap")


@pytest.fixture
def desk(small_desk_folder: Path, tmp_path: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    own = narratives.open(tmp_path / "desk")
    yield own
    assert list(disagreements(own.archive, own.settings.discover.max_members)) == []
    own.close()


def home(desk: narratives.Desk, topic: str) -> str:
    articles = desk.articles()
    own = articles[articles["url"].str.contains(f"/{topic}/") & (articles["narrative"] != "")]
    return str(own["narrative"].mode()[0])


def ids(desk: narratives.Desk, topic: str) -> list[str]:
    articles = desk.articles()
    return list(articles[articles["url"].str.contains(f"/{topic}/") & (articles["narrative"] != "")]["id"])


def where(desk: narratives.Desk) -> dict[str, str]:
    return dict(desk.articles().set_index("id")["narrative"])


def weeks_of(first: int, n: int, topics: tuple[str, ...] = ALL) -> list[tuple[str, int, int]]:
    return [(topic, week, 5) for week in range(first, first + n) for topic in topics]


def undone(desk: narratives.Desk) -> list[str]:
    """Standing decisions that the archive contradicts."""
    wrong: list[str] = []
    end, now = redirects(desk.archive), where(desk)
    frame = desk.narratives().set_index("id")
    verdicts = dict(desk.articles().set_index("id")["verdict"])
    rulings = Rulings.load(desk.archive)
    for narrative, names in rulings.names.items():
        wrong += [f"name {narrative}" for lang, name in names.items() if frame.loc[narrative, f"name_{lang}"] != name]
    for article, story in rulings.story.items():
        if story in rulings.home and now[article] != rulings.home[story]:
            wrong.append(f"{article} is in {now[article]!r}, its place is {rulings.home[story]}")
    table = schema.membership
    for narrative, stories in rulings.barred.items():
        for article in stories.values():
            if desk.archive.rows(table, table.c.article_id == article, table.c.narrative_id == narrative):
                wrong.append(f"{article} is in {narrative}")
    for one, other in map(tuple, rulings.apart):
        wrong += [f"{one} and {other} are one"] if end[one] == end[other] else []
    for row in desk.archive.rows(schema.decision, ~schema.decision.c.undone):
        if row["kind"] in ("merge", "same_as") and end[row["narrative_id"]] != end[row["payload"]["into"]]:
            wrong.append(f"{row['narrative_id']} is apart again")
    wrong += [f"{narrative} is a draft" for narrative in rulings.confirmed if frame.loc[narrative, "drafted"]]
    for (article, narrative), said in rulings.labels.items():
        wrong += [f"label of {article}"] if now[article] == narrative and verdicts[article] != said else []
    return wrong


def test_a_merged_narrative_is_neither_founded_again_nor_split_off_again(
    desk: narratives.Desk, add_stories: Add
) -> None:
    mine, chips = home(desk, "mine"), home(desk, "chips")
    desk.merge(chips, mine)
    add_stories(desk, weeks_of(5, 4))
    articles = desk.articles()
    late = articles[articles["url"].str.contains("/chips/[5678]/")]
    assert (late["narrative"] == mine).mean() >= 0.8
    assert not {"split", "born"} & set(desk.events().query("week >= @desk.weeks()[5] and narrative == @mine")["kind"])
    assert undone(desk) == []


def test_without_the_decision_the_same_weeks_keep_them_apart(desk: narratives.Desk, add_stories: Add) -> None:
    mine, chips = home(desk, "mine"), home(desk, "chips")
    add_stories(desk, weeks_of(5, 4))
    articles = desk.articles()
    late = articles[articles["url"].str.contains("/chips/[5678]/")]
    assert (late["narrative"] == chips).mean() >= 0.8 and chips != mine


def test_what_is_like_a_rejected_article_stays_out_as_well(desk: narratives.Desk, add_stories: Add) -> None:
    mine = home(desk, "mine")
    desk.merge(home(desk, "chips"), mine)
    decision = [desk.reject(article, mine) for article in ids(desk, "chips")]
    desk.undo(1)  # so that nothing leads there but the rejected ones' likeness
    add_stories(desk, weeks_of(5, 2, ("mine",)))
    assert undone(desk) == [] and len(decision) == 25
    articles = desk.articles()
    rejected = next(iter(Rulings.load(desk.archive).barred.values()))
    assert not set(articles[articles["narrative"] == mine]["id"]) & set(rejected.values())
    late = articles[articles["url"].str.contains("/mine/[56]/")]
    assert (late["narrative"] == mine).mean() >= 0.8


def test_a_joined_article_is_scored_toward_its_new_claim_by_the_next_update(
    desk: narratives.Desk, add_stories: Add
) -> None:
    article = ids(desk, "mine")[0]
    desk.pin(article, "plants")
    assert desk.articles().set_index("id").loc[article, "verdict"] == ""
    before = len(desk.weeks())
    add_stories(desk, [("mine", 0, 1)])  # nothing new: only the decision
    assert desk.articles().set_index("id").loc[article, "verdict"] != ""
    assert len(desk.weeks()) == before
    digest, runs = desk.archive.digest(), len(desk.runs())
    add_stories(desk, [("mine", 0, 1)])
    assert desk.archive.digest() == digest and len(desk.runs()) == runs


def test_a_waiting_article_goes_where_it_was_pinned(desk: narratives.Desk, add_stories: Add, tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.jsonl"
    waiting.write_text(
        '{"title": "chip memory price dram", "text": "server nand phone demand maker contract chip price.", '
        '"source": "Wire 9", "url": "https://example.org/chips/5/900", "published_at": "2025-09-30T09:00:00+08:00"}\n'
    )
    desk.ingest([waiting])
    mine = home(desk, "mine")
    desk.pin("https://example.org/chips/5/900", mine)
    add_stories(desk, [("mine", 5, 3)])
    row = desk.articles().set_index("url").loc["https://example.org/chips/5/900"]
    assert row["narrative"] == mine
    assert undone(desk) == []


def decide(desk: narratives.Desk, rng: random.Random) -> None:
    """One decision at random; what makes no sense is refused."""
    articles = desk.articles()
    inside = articles[articles["narrative"] != ""]
    frame = desk.narratives()
    living = list(frame[~frame["status"].isin(["merged"])]["id"])
    one, other = rng.choice(living), rng.choice(living)
    own = list(inside[inside["narrative"] == one]["id"])
    article = rng.choice(list(articles["id"]))
    table = schema.decision
    standing = [r["id"] for r in desk.archive.rows(table, ~table.c.undone, table.c.kind != "undo")]
    acts: list[Callable[[], Any]] = [
        lambda: desk.rename(one, en=f"Name {rng.randrange(99)}"),
        lambda: desk.pin(article, one),
        lambda: desk.reject(rng.choice(own or [article]), one),
        lambda: desk.merge(one, other),
        lambda: desk.split(one, rng.sample(own, min(len(own), 4))),
        lambda: desk.same_as(one, "plants"),
        lambda: desk.label_stance(article, "plants", rng.choice(["supports", "opposes", "reports"])),
        lambda: desk.confirm(one),
        lambda: desk.undo(rng.choice(standing)),
    ]
    try:
        rng.choice(acts)()
    except (ValueError, IndexError):
        return


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_decided_no_update_undoes_it(desk: narratives.Desk, add_stories: Add, seed: int) -> None:
    rng = random.Random(seed)
    for round_ in range(3):
        for _ in range(8):
            decide(desk, rng)
            assert undone(desk) == []
        add_stories(desk, weeks_of(5 + round_, 1))
        assert undone(desk) == []
    assert set(desk.decisions()["kind"]) >= {"undo"} and len(desk.decisions()) > 10
    assert desk.archive.check() == []


def test_an_archive_built_anew_with_the_same_decisions_says_the_same(
    desk: narratives.Desk, small_desk_folder: Path, tmp_path: Path, add_stories: Add, word_encoder: Any, word_tone: Any
) -> None:
    rng = random.Random(5)
    for week in (5, 6):
        for _ in range(6):
            decide(desk, rng)
        add_stories(desk, weeks_of(week, 1))
    desk.rename(home(desk, "mine"), en="Mines")
    add_stories(desk, weeks_of(7, 1))
    records = json.loads(json.dumps(desk.decisions().to_dict("records"), default=str))
    other = tmp_path / "other"
    shutil.copytree(small_desk_folder, other)  # five weeks without a decision; the rest is still to come
    again = narratives.open(other)
    again.ingest(sorted(desk.folder.glob("mine[567]-*.jsonl")))
    made = redo(again, records, again.material(word_encoder), word_tone)
    assert len(made) == len(records) > 5
    assert again.archive.digest() == desk.archive.digest()
    assert redo(again, records, again.material(word_encoder), word_tone) == []
    wrong = [{**records[0], "narrative": "N0099"}, *records[1:]]
    with pytest.raises(ValueError, match="another one"):
        redo(again, wrong, again.material(word_encoder), word_tone)
    again.close()


_KILLED = """
import os, sys
import narratives
from narratives import deeds
desk = narratives.open(sys.argv[1])
said = deeds.write_event
def dies(*arguments):
    said(*arguments)
    os.kill(os.getpid(), 9)
deeds.write_event = dies
desk.merge(sys.argv[2], sys.argv[3])
"""


def test_a_decision_that_is_killed_half_way_was_never_made(desk: narratives.Desk) -> None:
    before, one, other = desk.archive.digest(), home(desk, "mine"), home(desk, "chips")
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(desk.folder), one, other], check=False)
    assert ended.returncode == -9
    assert desk.archive.digest() == before and desk.decisions().empty
    assert desk.merge(one, other).id == 1
