from datetime import date, timedelta

import numpy as np

from narratives.affinity import Batch, WordOverlap, unit
from narratives.lineage import held, propose_merges, propose_split, status_after
from narratives.settings import DiscoverSettings

SETTINGS = DiscoverSettings(group_word_weight=0)
WEEK = timedelta(weeks=1)


def around(centre: list[float], n: int, seed: int, prefix: str) -> Batch:
    rng = np.random.default_rng(seed)
    vectors = unit(np.array(centre) + 0.15 * rng.standard_normal((n, len(centre))))
    return Batch(tuple(f"{prefix}{i}" for i in range(n)), vectors, ("en",) * n, ((),) * n, ("",) * n)


def both(a: Batch, b: Batch) -> Batch:
    return Batch(
        a.ids + b.ids, np.vstack([a.vectors, b.vectors]), a.langs + b.langs, a.terms + b.terms, a.texts + b.texts
    )


def test_two_parts_of_five_are_proposed_and_the_smaller_leaves():
    members = both(around([1, 0, 0, 0], 9, 0, "a"), around([0, 1, 0, 0], 6, 1, "b"))
    proposal = propose_split("N0004", members, WordOverlap(members, []), 0.5, SETTINGS)
    assert proposal is not None
    assert set(proposal.leaving) == {f"b{i}" for i in range(6)}


def test_one_narrative_is_not_split():
    members = around([1, 0, 0, 0], 15, 0, "a")
    assert propose_split("N0004", members, WordOverlap(members, []), 0.5, SETTINGS) is None


def test_a_part_of_four_does_not_leave():
    members = both(around([1, 0, 0, 0], 9, 0, "a"), around([0, 1, 0, 0], 4, 1, "b"))
    assert propose_split("N0004", members, WordOverlap(members, []), 0.5, SETTINGS) is None


def test_two_names_for_one_thing_are_proposed_for_a_merge_and_strangers_are_not():
    a, twin, stranger = (
        around([1, 0, 0, 0], 8, 0, "a"),
        around([1, 0, 0, 0], 8, 1, "b"),
        around([0, 1, 0, 0], 8, 2, "c"),
    )
    living = {"N0001": a, "N0002": twin, "N0003": stranger}
    assert propose_merges(living, WordOverlap(a, []), 0.5, SETTINGS) == [("N0001", "N0002")]


def test_the_same_part_is_found_again_by_other_texts_and_when_it_has_become_the_larger():
    """None of the texts is among the latest at both reviews, as in a narrative of a hundred a week."""
    a, b = [1.0, 0, 0, 0], [0, 1.0, 0, 0]
    before = around(b, 6, 2, "old")
    for n_a, n_b in ((9, 6), (6, 9)):
        members = both(around(a, n_a, 0, "a"), around(b, n_b, 1, "b"))
        proposal = propose_split("N0004", members, WordOverlap(members, []), 0.5, SETTINGS)
        assert proposal is not None and len(proposal.leaving) == 6
        again = held(before, proposal, members, 0.5)
        assert again is not None and set(again.leaving) == {f"b{i}" for i in range(n_b)}
        assert held(around([0, 0, 1.0, 0], 6, 3, "other"), proposal, members, 0.5) is None
    assert held(before.take([]), proposal, members, 0.5) is None


def test_silence_makes_dormant_then_ended_and_a_member_revives():
    week = date(2025, 11, 10)
    assert status_after("active", week - 7 * WEEK, week, SETTINGS) == "active"
    assert status_after("active", week - 8 * WEEK, week, SETTINGS) == "dormant"
    assert status_after("dormant", week - 26 * WEEK, week, SETTINGS) == "ended"
    assert status_after("dormant", week, week, SETTINGS) == "active"
    assert status_after("merged", week - 30 * WEEK, week, SETTINGS) == "merged"
