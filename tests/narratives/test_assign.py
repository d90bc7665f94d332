import numpy as np
import pytest

from narratives.affinity import Known
from narratives.assign import MEMBER_POOL, NAMED_POOL, Pool, calibration, floors, place, pooled
from narratives.settings import DiscoverSettings

SETTINGS = DiscoverSettings()


def known(name: str, mean: float = 0.35, sd: float = 0.08) -> Known:
    return Known(name, np.array([1.0]), mean=mean, sd=sd)


def placed(rows, groups, names=("N0001", "N0002"), forbidden=None):
    return place(
        np.array(rows, dtype=float),
        np.array(groups),
        [known(name) for name in names],
        SETTINGS,
        forbidden,
    )


def test_an_article_joins_the_narrative_whose_level_it_reaches():
    assert placed([[0.4, 0.1], [0.1, 0.5]], [0, 1]).narrative == ("N0001", "N0002")


def test_an_article_below_every_level_stays_unassigned():
    assert placed([[0.15, 0.1]], [0]).narrative == ("",)


def test_none_of_them_is_the_answer_when_all_are_ruled_out():
    assert placed([[0.6, 0.5]], [0], forbidden=np.array([[True, True]])).narrative == ("",)


def test_within_a_group_each_article_takes_the_nearer_of_the_narratives_that_the_group_fits():
    rows = [[0.5, 0.4], [0.5, 0.4], [0.35, 0.6]]
    assert placed(rows, [0, 0, 0]).narrative == ("N0001", "N0001", "N0002")


def test_a_group_is_decided_by_its_mean_so_that_its_weakest_member_comes_along():
    rows = [[0.45, 0.0], [0.40, 0.0], [0.38, 0.0], [0.10, 0.0]]
    assert placed(rows, [0, 0, 0, 0]).narrative == ("N0001",) * 4
    assert placed(rows, [0, 0, 0, 1]).narrative[3] == ""


def test_five_articles_alike_that_fit_nothing_are_born_together():
    found = placed([[0.16, 0.05]] * 5, [7] * 5)
    assert found.narrative == ("",) * 5
    assert [(list(group.rows), group.nearest) for group in found.newborn] == [([0, 1, 2, 3, 4], "N0001")]
    assert found.small == ()


def test_a_group_of_two_known_narratives_is_no_new_one():
    rows = [[0.5, 0.0]] * 3 + [[0.0, 0.5]] * 3
    assert placed(rows, [7] * 6).narrative == ("N0001",) * 3 + ("N0002",) * 3
    assert placed(rows, [7] * 6).newborn == ()
    half = [*rows[:3], *[[0.0, 0.16]] * 3]
    assert len(placed(half, [7] * 6).newborn) == 1  # three of six are new


def test_four_articles_alike_that_fit_nothing_wait_for_others_like_them():
    found = placed([[0.16, 0.05]] * 4, [7] * 4)
    assert found.newborn == () and [list(group.rows) for group in found.small] == [[0, 1, 2, 3]]
    assert placed([[0.16, 0.05]], [7]).small == ()  # one alone is no group
    assert placed([[0.4, 0.1], [0.16, 0.05]], [7, 7]).small == ()  # one of the two has a place


def test_what_the_analyst_has_ruled_out_is_not_chosen():
    forbidden = np.array([[True, False]])
    assert placed([[0.6, 0.4]], [0], forbidden=forbidden).narrative == ("N0002",)


def test_further_narratives_that_are_reached_are_kept_as_secondary():
    found = placed([[0.5, 0.45]], [0])
    assert found.others == ((("N0002", 0.45),),)


def test_identical_articles_get_identical_answers():
    rows = [[0.3, 0.2], [0.3, 0.2]]
    found = placed(rows, [0, 1])
    assert found.narrative[0] == found.narrative[1]


def test_without_any_narrative_a_group_can_still_be_born():
    found = place(np.zeros((6, 0)), np.zeros(6, dtype=int), [], SETTINGS)
    assert len(found.newborn) == 1 and found.newborn[0][1] == ""


def test_few_members_are_shrunk_toward_the_pool():
    assert calibration((0, 0.0, 0.0), named=False, settings=SETTINGS) == pytest.approx(MEMBER_POOL)
    assert calibration((0, 0.0, 0.0), named=True, settings=SETTINGS) == pytest.approx(NAMED_POOL)
    mean, _ = calibration((5, 0.6, 0.0), named=False, settings=SETTINGS)
    many, _ = calibration((2_000, 0.6, 0.0), named=False, settings=SETTINGS)
    assert MEMBER_POOL[0] < mean < many == pytest.approx(0.6, abs=0.01)


def test_a_stray_in_a_group_goes_to_the_narrative_that_it_reaches_alone():
    rows = [[0.5, 0.1], [0.5, 0.1], [0.5, 0.1], [0.25, 0.6]]
    assert placed(rows, [0, 0, 0, 0]).narrative == ("N0001", "N0001", "N0001", "N0002")


def test_floors_rise_with_how_well_members_fit_and_with_the_cut_for_what_was_discovered():
    loose = pooled([Known(f"N{i}", np.zeros(2), own=(20, 0.35, 0.01)) for i in range(5)])
    tight = pooled([Known(f"N{i}", np.zeros(2), own=(20, 0.8, 0.03)) for i in range(5)])
    assert floors(tight, 0.0, False, SETTINGS) > floors(loose, 0.0, False, SETTINGS)
    assert floors(loose, 0.3, False, SETTINGS) == pytest.approx((0.45, 0.345))
    assert floors(loose, 0.3, True, SETTINGS) == floors(loose, 0.0, True, SETTINGS)
    assert floors(tight, 0.3, False, SETTINGS.model_copy(update={"floor": 0.2, "group_floor": 0.1})) == (0.2, 0.1)


def test_one_narrative_does_not_set_the_level_of_all():
    one = pooled([Known("N1", np.zeros(2), own=(1000, 0.9, 0.0))])
    assert MEMBER_POOL.mean < one.mean < 0.8
    assert pooled([]) == Pool(*MEMBER_POOL)
