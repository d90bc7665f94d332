"""Weak members: who votes, who wins, and that nothing but the volume hears of them."""

from __future__ import annotations

import numpy as np

import narratives
from narratives.affinity import Batch
from narratives.archive import schema
from narratives.neighbours import vote
from narratives.settings import DiscoverSettings
from tests.narratives.test_pipeline import run, story, write


def batch(ids: str, angles: list[float]) -> Batch:
    """Articles without words, on a circle."""
    vectors = np.array([[np.cos(a), np.sin(a)] for a in angles])
    n = len(ids)
    return Batch(tuple(ids), vectors, ("en",) * n, ((),) * n, ("",) * n)


def test_the_neighbours_place_an_article_where_most_of_them_are():
    asking, voters = batch("x", [0.0]), batch("xabc", [0.0, 0.1, 0.2, 0.3])
    found = vote(asking, [["N1"]], voters, ["", "N1", "N1", ""], 0.5, DiscoverSettings())
    assert found["x"][0] == "N1" and 0.65 <= found["x"][1] < 0.7


def test_articles_that_belong_nowhere_outvote_a_narrative():
    asking, voters = batch("x", [0.0]), batch("xabc", [0.0, 0.1, 0.2, 0.3])
    assert not vote(asking, [["N1"]], voters, ["", "N1", "", ""], 0.5, DiscoverSettings())


def test_nobody_votes_on_himself_and_who_is_unlike_is_no_neighbour():
    asking = batch("x", [0.0])
    assert not vote(asking, [["N1"]], batch("xa", [0.0, 1.5]), ["N1", "N1"], 0.5, DiscoverSettings())


def test_a_narrative_whose_level_is_far_off_gets_nobody():
    asking, voters = batch("x", [0.0]), batch("ab", [0.1, 0.2])
    assert not vote(asking, [["N2"]], voters, ["N1", "N1"], 0.5, DiscoverSettings())


def loose(week: int, i: int) -> dict[str, str]:
    """Half of its words are those of the mine, the others nobody's: near to that narrative, and below its level."""
    own = story("mine", week, i)
    words = own["text"].split()
    strange = " ".join(f"strange{week}{i}{n}" for n in range(9))
    return {**own, "text": " ".join(words[:4]) + f" {strange}.", "url": f"https://example.org/loose/{week}/{i}"}


def desk_of(folder, weeks, word_encoder, word_tone, vote_share: float) -> narratives.Desk:
    folder.mkdir()
    (folder / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
    desk = narratives.init(folder / "desk", folder / "none.yaml")
    strict = {"grain": "subject", "level_sd": 0.0, "vote_level": 0.3, "vote_share": vote_share}
    changed = desk.settings.discover.model_copy(update=strict)
    desk.settings = desk.settings.model_copy(update={"discover": changed})
    for week, rows in enumerate(weeks):
        run(desk, word_encoder, word_tone, [write(folder / f"{week}.jsonl", rows)])
    return desk


def test_weak_members_change_nothing_but_the_volume(tmp_path, word_encoder, word_tone):
    first = [story(topic, 0, i) for topic in ("mine", "plant", "chips", "scrap") for i in range(13)]
    weeks = [first, *([*(story("mine", w, i) for i in range(4)), loose(w, 90), loose(w, 91)] for w in (1, 2))]
    weeks[2] += [{**weeks[2][-1], "source": "Copy", "url": "https://example.org/copy"}]
    desk = desk_of(tmp_path / "votes", weeks, word_encoder, word_tone, 0.3)
    none = desk_of(tmp_path / "none", weeks, word_encoder, word_tone, 2.0)
    member = schema.membership
    weak = desk.archive.rows(member, member.c.weak)
    assert {row["how"] for row in weak} == {"vote", "copy"} and all(row["primary"] for row in weak)
    assert not {row["article_id"] for row in desk.archive.rows(schema.score)} & {row["article_id"] for row in weak}
    firm = [row for row in desk.archive.rows(member) if not row["weak"]]
    assert sorted(map(str, firm)) == sorted(map(str, none.archive.rows(member)))
    for table in (schema.alert, schema.event, schema.narrative):
        assert sorted(map(str, desk.archive.rows(table))) == sorted(map(str, none.archive.rows(table)))
    placed = desk.articles()
    assert placed["weak"].sum() == len(weak) and not placed.loc[placed["weak"], "narrative"].eq("").any()
    assert (none.articles()["narrative"] != "").sum() == (placed["narrative"] != "").sum() - len(weak)
    desk.close()
    none.close()
