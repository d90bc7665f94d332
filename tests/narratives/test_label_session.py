"""Labelling: the open questions first, every answer on record, the scorer better for it at once and later."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narratives
from narratives.archive import schema
from narratives.cli import main
from narratives.definitions import Bilingual
from narratives.judged import judged_articles, outdated
from narratives.label_session import LabelSession, stance_label
from narratives.statement_check import check_meanings


@pytest.fixture
def desk(small_desk_folder: Path, tmp_path: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    own = narratives.open(tmp_path / "desk")
    yield own
    own.close()


@pytest.fixture
def session(desk: narratives.Desk, word_encoder: Any, word_tone: Any) -> LabelSession:
    return LabelSession(desk, "plants", desk.material(word_encoder), word_tone)


def by_loan(session: LabelSession) -> dict[str, str]:
    """A rule that the statements do not know: what names a loan opposes, the rest supports."""
    return {r["id"]: "opposes" if "loan" in r["title"] + r["text"] else "supports" for r in session.rows}


def scored(desk: narratives.Desk, narrative: str) -> dict[str, dict[str, Any]]:
    table = schema.score
    return {r["article_id"]: r for r in desk.archive.rows(table, table.c.narrative_id == narrative)}


def test_what_is_asked_comes_with_its_sentences_and_is_not_asked_twice(session: LabelSession) -> None:
    first = session.ask(3)
    assert len(set(first["article"])) == 3
    assert all(len(sentences) >= 1 for sentences in first["evidence"])
    assert np.allclose(first[["p_supports", "p_opposes", "p_reports"]].sum(axis=1), 1, atol=1e-3)
    session.say(first["article"][0], "reports")
    assert first["article"][0] not in set(session.ask(99)["article"])


def test_labels_change_the_other_articles_at_once_and_stand_themselves(
    desk: narratives.Desk, session: LabelSession
) -> None:
    truth = by_loan(session)
    before = scored(desk, session.narrative)
    given = list(session.ask(12)["article"])
    for article in given:
        session.say(article, truth[article])
    bought = session.refit()
    after = scored(desk, session.narrative)
    others = sorted(set(after) - set(given))
    assert all(after[i]["scorer"] == "analyst" and after[i]["verdict"] == truth[i] for i in given)
    assert all(after[i]["scorer"].startswith("statements-") and "+12." in after[i]["scorer"] for i in others)

    def right(rows: dict[str, dict[str, Any]]) -> float:
        return np.mean([(rows[i]["p_opposes"] > rows[i]["p_supports"]) == (truth[i] == "opposes") for i in others])

    assert right(after) > right(before)
    assert bought.n_labels == 12
    assert bought.n_scored == len(others)
    assert bought.after is not None and bought.before is not None and bought.low is not None
    assert bought.after > bought.before
    assert bought.low <= bought.gain <= bought.high
    assert f"n = {bought.n_labels}" in str(bought)


def test_few_labels_are_said_to_be_too_few(session: LabelSession) -> None:
    session.say(session.ask(1)["article"][0], "supports")
    bought = session.refit()
    assert bought.gain is None
    assert "can be told from 8 labels" in str(bought)


def test_the_next_update_learns_from_labels_and_unlearns_what_was_taken_back(
    desk: narratives.Desk, session: LabelSession, add_stories: Callable[..., None]
) -> None:
    truth = by_loan(session)
    said = [session.say(article, truth[article]) for article in session.ask(9)["article"]]
    mark = judged_articles(desk.archive)[session.narrative].mark
    assert outdated(desk.archive, {session.narrative: mark})[session.narrative]
    add_stories(desk, [("plant", 5, 2)])
    assert not outdated(desk.archive, {session.narrative: mark})
    assert len({r["scorer"] for r in scored(desk, session.narrative).values()} - {"analyst"}) == 1
    for decision in said:
        desk.undo(decision)
    add_stories(desk, [("chips", 6, 1)])
    assert {r["scorer"] for r in scored(desk, session.narrative).values()} == {"statements-4"}


def test_two_labels_of_one_story_are_one_and_the_later_counts(desk: narratives.Desk, session: LabelSession) -> None:
    article = session.ask(1)["article"][0]
    session.say(article, "supports")
    session.say(article, "opposes")
    judged = session.judged()
    assert (len(judged), judged.labels) == (1, (1,))


def test_a_narrative_without_a_claim_cannot_be_labelled(desk: narratives.Desk, word_encoder: Any) -> None:
    found = desk.narratives().query("origin == 'discovered'")["id"].iloc[0]
    with pytest.raises(ValueError, match="no claim"):
        LabelSession(desk, found, desk.material(word_encoder))


@pytest.mark.parametrize(("typed", "meant"), [("S", "supports"), ("反对", "opposes"), ("rep", "reports"), ("x", "")])
def test_an_answer_may_be_short_or_chinese(typed: str, meant: str) -> None:
    assert stance_label(typed) == meant


def test_the_command_asks_records_and_says_what_it_bought(
    desk: narratives.Desk,
    session: LabelSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(narratives.Desk, "label_session", lambda self, narrative: session)
    monkeypatch.setattr("sys.stdin", io.StringIO("s\nwhat\no\nu\nr\n\nq\n"))
    assert main(["label", "plants", "--desk", str(desk.folder)]) == 0
    shown = capsys.readouterr().out
    assert "magnet plant output rises" in shown
    assert "2 labels" in shown
    assert list(desk.decisions().query("not undone and kind == 'stance'")["detail"].map(lambda d: d["label"])) == [
        "supports",
        "reports",
    ]


def test_statements_that_say_the_same_or_draw_every_article_are_named(desk: narratives.Desk, word_encoder: Any) -> None:
    definition = desk.definitions[0]
    twice = definition.model_copy(update={"pro": (*definition.pro, definition.pro[0] + ".")})
    advice = list(check_meanings([twice], desk.material(word_encoder), desk.archive))
    assert sum("say the same" in line for line in advice) == 1
    greedy = definition.model_copy(
        update={"neutral": (" ".join(desk.articles().query("narrative != ''")["text"].head(40)),), "claim": Bilingual()}
    )
    greedy = greedy.model_copy(update={"pro": ("fine",), "con": ("wrong", "bad", "ill")})
    assert any("nearest to" in line for line in check_meanings([greedy], desk.material(word_encoder), desk.archive))
