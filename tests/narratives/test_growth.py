import numpy as np
import pytest

from narratives.growth import growth, lookalikes, survival


def test_what_was_always_told_has_not_grown_and_what_is_new_has():
    steady = growth(8, [4, 3, 5, 4, 4, 3, 5, 4])
    new = growth(8, [0, 0, 0, 0, 0, 0, 0, 0])
    assert steady.p_value > 0.3 and steady.usual == 4.0
    assert new.p_value < 1e-4


def test_the_same_growth_is_less_surprising_where_news_comes_in_bursts():
    assert growth(12, [0, 11, 0, 0, 13, 0, 1, 7]).p_value > 2 * growth(12, [4, 4, 4, 4, 4, 4, 4, 4]).p_value


def test_a_short_past_says_less_and_none_says_nothing():
    p = [growth(5, [0] * n).p_value for n in (1, 3, 10)]
    assert p == sorted(p, reverse=True)
    assert growth(5, []).p_value is None


def test_a_thinned_past_counts_for_the_whole_of_it():
    assert growth(8, [2, 2, 2, 2, 2, 2], share=0.5).usual == 4.0
    assert growth(8, [2, 2, 2, 2, 2, 2], share=0.5).p_value > growth(8, [2, 2, 2, 2, 2, 2]).p_value


@pytest.mark.parametrize(("k", "mean", "size"), [(3, 2.0, 0.7), (12, 4.0, 3.0), (1, 0.1, 50.0)])
def test_the_tail_is_that_of_a_negative_binomial(k, mean, size):
    from scipy.stats import nbinom

    assert survival(k, mean, size) == pytest.approx(nbinom.sf(k - 1, size, size / (size + mean)), rel=1e-6)


def test_lookalikes_lie_as_near_to_the_centre_as_members_do():
    dice = np.random.default_rng(0)
    centre = np.zeros(40)
    centre[0] = 1.0

    def around(n: int) -> np.ndarray:
        rows = centre + 0.12 * dice.standard_normal((n, 40))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    strangers = dice.standard_normal((200, 40))
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    members = around(8)
    assert lookalikes(members, around(200)).mean() > 0.5
    assert lookalikes(members, strangers).mean() < 0.02
