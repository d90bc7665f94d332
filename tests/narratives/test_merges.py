"""When the review makes two narratives one, members, scores and sums of both are those of the one that stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

import narratives
from narratives import weeks
from narratives.archive import schema
from narratives.known import seed_texts
from narratives.members import set_narrative
from narratives.review import Review
from narratives.step import Step
from narratives.sums import cells_of, total_of
from narratives.term_sums import add_up
from narratives.vocabulary import Vocabulary, stored_cells
from tests.narratives.test_sums import known_of


@pytest.fixture
def desk(tmp_path: Path, small_desk_folder: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    with closing(narratives.open(tmp_path / "desk")) as opened:
        yield opened


@pytest.fixture
def pair(desk: narratives.Desk, add_stories: Callable[..., None]) -> tuple[str, str]:
    """Two narratives with members in several weeks: the one that goes and the one that stays."""
    for week in (5, 6):
        add_stories(desk, [("mine", week, 4), ("plant", week, 4), ("chips", week, 3)])
    rows = desk.archive.rows(schema.narrative, schema.narrative.c.status == "active")
    goes, stays = sorted(rows, key=lambda row: row["n_members"])[-2:]
    return goes["id"], stays["id"]


def step_of(desk: narratives.Desk, encoder: Any) -> Step:
    material = desk.material(encoder)
    return Step(desk.archive, desk.settings, desk.definitions, seed_texts(desk.definitions, material), material)


def merge(desk: narratives.Desk, encoder: Any, goes: str, stays: str) -> None:
    """What a review writes that finds the two to be one."""
    _, state = known_of(desk, encoder)
    review = Review(step_of(desk, encoder), state)
    review.looked, review.merges = True, [(goes, stays)]
    with desk.archive.begin() as connection:
        review.write(connection)


def members(desk: narratives.Desk, narrative: str) -> set[str]:
    table = schema.membership
    own = table.c.narrative_id == narrative, table.c.primary, ~table.c.weak
    return {row["article_id"] for row in desk.archive.rows(table, *own)}


def test_members_go_where_the_other_is_and_an_article_of_both_is_there_once(desk, pair, word_encoder):
    goes, stays = pair
    of_both = sorted(members(desk, goes))[0]
    beside = {"article_id": of_both, "narrative_id": stays, "weight": 0.3, "primary": False, "weak": False}
    rows = desk.archive.rows(schema.membership, schema.membership.c.article_id == of_both)
    (own,) = desk.archive.rows(schema.score, schema.score.c.article_id == of_both)
    with desk.archive.begin() as connection:
        desk.archive.put(connection, schema.membership, [{**beside, "how": "assigned", "week": rows[0]["week"]}])
        desk.archive.put(connection, schema.score, [{**own, "narrative_id": stays, "stance": 0.123}])
    everything = members(desk, goes) | members(desk, stays)
    merge(desk, word_encoder, goes, stays)
    assert members(desk, stays) == everything and members(desk, goes) == set()
    (row,) = desk.archive.rows(schema.membership, schema.membership.c.article_id == of_both)
    assert (row["narrative_id"], row["primary"]) == (stays, True)
    (score,) = desk.archive.rows(schema.score, schema.score.c.article_id == of_both)
    assert (score["narrative_id"], score["stance"]) == (stays, 0.123), "toward the claim of the one that stays"
    (gone,) = desk.archive.rows(schema.narrative, schema.narrative.c.id == goes)
    assert (gone["status"], gone["merged_into"], gone["n_members"]) == ("merged", stays, 0)


def test_the_one_that_stays_began_with_the_first_of_both_and_lives_as_long_as_the_last(desk, pair, word_encoder):
    goes, stays = pair
    table = schema.narrative
    (row,) = desk.archive.rows(table, table.c.id == goes)
    first, last = row["born_week"], row["last_week"]
    with desk.archive.begin() as connection:
        set_narrative(connection, goes, {"born_week": first - weeks.WEEK})
        set_narrative(connection, stays, {"last_week": last - 7 * weeks.WEEK})
    merge(desk, word_encoder, goes, stays)
    (row,) = desk.archive.rows(table, table.c.id == stays)
    assert (row["born_week"], row["last_week"]) == (first - weeks.WEEK, last)


def test_an_article_of_the_one_that_stays_counts_there_still_though_the_other_named_it_beside(desk, pair, word_encoder):
    goes, stays = pair
    of_both = sorted(members(desk, stays))[0]
    (home,) = desk.archive.rows(schema.membership, schema.membership.c.article_id == of_both)
    beside = {**home, "narrative_id": goes, "weight": 0.3, "primary": False}
    with desk.archive.begin() as connection:
        desk.archive.put(connection, schema.membership, [beside])
    merge(desk, word_encoder, goes, stays)
    assert desk.archive.rows(schema.membership, schema.membership.c.article_id == of_both) == [home]


def test_what_a_narrative_gained_is_scored_toward_its_claim_by_the_next_update(desk, pair, word_encoder, add_stories):
    row = desk.narratives().query("slug != ''").iloc[0]
    goes, stays = next(i for i in pair if i != row["id"]), row["id"]
    moved = members(desk, goes)
    merge(desk, word_encoder, goes, stays)
    verdicts = desk.articles(stays).set_index("id")["verdict"]
    assert set(verdicts[sorted(moved)]) == {""}
    add_stories(desk, [("chips", 7, 3)])
    scores = desk.archive.rows(schema.score, schema.score.c.article_id.in_(moved))
    assert {score["article_id"] for score in scores} == moved
    assert {score["narrative_id"] for score in scores} == {stays}
    assert desk.archive.get_meta("unscored") == []


@pytest.mark.parametrize("how", ["named", "confirmed", "labelled", "filled"])
def test_what_somebody_made_her_own_is_never_merged_away(desk, pair, word_encoder, how):
    """By the machine: it stays where the other one is larger, and of two such neither goes."""
    rows = desk.narratives().query("origin == 'discovered'").sort_values(["n_stories", "id"])
    small, large = rows["id"].iloc[0], rows["id"].iloc[-1]
    assert small != large

    def speak(narrative: str) -> None:
        article = sorted(members(desk, narrative))[0]
        with desk.archive.begin() as connection:
            said = {"claim": {"en": "a claim"}, "pro": ["for it"], "con": ["against it"]}
            set_narrative(connection, narrative, {"definition": said})
        {
            "named": lambda: desk.rename(narrative, en="Hers"),
            "confirmed": lambda: desk.confirm(narrative),
            "labelled": lambda: desk.label_stance(article, narrative, "supports"),
            "filled": lambda: desk.pin(article, narrative),
        }[how]()

    def review() -> Review:
        _, state = known_of(desk, word_encoder)
        return Review(step_of(desk, word_encoder), state)

    assert review().order(small, large) == (small, large)
    speak(small)
    assert review().order(small, large) == (large, small)
    assert review()._may_merge(small, large)
    speak(large)
    assert not review()._may_merge(small, large)


def test_sums_of_both_are_what_the_members_would_add_up_to(desk, pair, word_encoder):
    goes, stays = pair
    merge(desk, word_encoder, goes, stays)
    kept = cells_of(desk.archive, [goes, stays])
    assert set(kept) == {stays}
    known, state = known_of(desk, word_encoder)
    assert stays not in state.added_up
    with desk.archive.begin() as connection:
        connection.execute(delete(schema.narrative_week))
    anew, rebuilt = known_of(desk, word_encoder)
    one, other = total_of(kept[stays]), total_of(rebuilt.cells[stays])
    assert (one.n, one.own_n, one.profile) == (other.n, other.own_n, other.profile)
    assert one.vector == pytest.approx(other.vector, abs=1e-6)
    assert known[stays].centre == pytest.approx(anew[stays].centre, abs=1e-6)
    assert known[stays].mean == pytest.approx(anew[stays].mean, abs=0.1)


def test_words_of_both_are_those_of_the_members(desk, pair, word_encoder):
    goes, stays = pair
    merge(desk, word_encoder, goes, stays)
    kept = stored_cells(desk.archive, [goes, stays])
    assert set(kept) == {stays}
    _, state = known_of(desk, word_encoder)
    counted = add_up(list(Vocabulary(step_of(desk, word_encoder), state)._counted(stays, ()).values()))
    said = add_up(list(kept[stays].values()))
    for lang in counted:
        assert said[lang]["n"] == counted[lang]["n"]
        held = {term: counts[:3] for term, counts in said[lang]["terms"].items()}  # outlets count once in each
        assert held == {term: counts[:3] for term, counts in counted[lang]["terms"].items()}


def test_the_next_week_goes_on_from_there(desk, pair, word_encoder, add_stories, monkeypatch):
    goes, stays = pair
    before = members(desk, goes) | members(desk, stays)
    merge(desk, word_encoder, goes, stays)
    asked = list[str]()
    add_up_anew = Step._add_up
    monkeypatch.setattr(Step, "_add_up", lambda self, state, i: (asked.append(i), add_up_anew(self, state, i))[1])
    add_stories(desk, [("mine", 7, 4), ("plant", 7, 4), ("chips", 7, 3)])
    assert asked == [] and members(desk, stays) > before
    row = desk.archive.rows(schema.narrative, schema.narrative.c.id == stays)[0]
    assert row["score_mean"] is not None and row["n_members"] == len(members(desk, stays))


def test_without_sums_of_both_the_next_step_adds_up_anew(desk, pair, word_encoder):
    goes, stays = pair
    with desk.archive.begin() as connection:
        connection.execute(delete(schema.narrative_week).where(schema.narrative_week.c.narrative_id == goes))
        # as a decision leaves it
        connection.execute(delete(schema.narrative_terms).where(schema.narrative_terms.c.narrative_id == goes))
    merge(desk, word_encoder, goes, stays)
    assert cells_of(desk.archive, [goes, stays]) == {} and stored_cells(desk.archive, [goes, stays]) == {}
    _, state = known_of(desk, word_encoder)
    assert stays in state.added_up
