import numpy as np
import pytest

from narratives.labelling import check_statements, most_useful
from narratives.stance import StanceScores
from narratives.statements import Statements


def scores_of(p: list[list[float]]) -> StanceScores:
    a = np.array(p)
    return StanceScores(a, a[:, 0] - a[:, 1], a.max(axis=1), np.ones(len(a)), ("reports",) * len(a), "t")


def test_the_open_question_is_asked_first_and_its_copy_last():
    p = [[0.9, 0.05, 0.05], [0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.5, 0.3, 0.2]]
    vectors = np.eye(4)[[0, 1, 1, 2]]
    assert most_useful(scores_of(p), vectors, n=4).tolist() == [1, 3, 0, 2]


def test_what_has_a_label_is_not_asked_again():
    p = [[0.4, 0.4, 0.2], [0.5, 0.3, 0.2], [0.9, 0.1, 0.0]]
    assert most_useful(scores_of(p), np.eye(3), known=[0], n=9).tolist() == [1, 2]


def test_statements_that_are_missing_alike_or_greedy_are_named():
    statements = Statements("x", pro=("good",), con=("bad", "worse"), neutral=("meeting",))
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    articles = np.tile([0, 0, 1.0], (30, 1))
    advice = list(check_statements(statements, vectors, articles))
    assert any("1 statements for `supports`, stance wants 4" in a for a in advice)
    assert any("'good' and 'bad' are on `supports` and `opposes`" in a for a in advice)
    assert any("'meeting' is the nearest to 100% of the articles" in a for a in advice)


def test_well_spread_statements_get_no_advice():
    statements = Statements("x", pro=("a",) * 4, con=("b",) * 4, neutral=("c",) * 3)
    assert list(check_statements(statements, np.eye(11), np.eye(11).repeat(4, axis=0))) == []


def test_numbers_that_differ_are_an_error():
    with pytest.raises(ValueError, match="1 statements and 2 vectors differ"):
        list(check_statements(Statements("x", pro=("a",)), np.eye(2)))
