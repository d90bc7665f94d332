"""A narrative that lives in one language only is told from one that is small by chance."""

from __future__ import annotations

from datetime import date, timedelta

from narratives.one_language import one_language

DAY = date(2025, 9, 1)
MIXED = [("", DAY, "zh"), ("", DAY, "en")] * 50


def test_many_stories_in_one_language_are_no_chance_and_few_are() -> None:
    found = one_language([*MIXED, *[("N1", DAY, "zh-Hant")] * 6, *[("N1", DAY, "zh")] * 6, *[("N2", DAY, "en")] * 4])
    assert set(found) == {"N1"} and found["N1"][0] == "zh" and found["N1"][1] < 0.01


def test_a_story_in_the_other_language_ends_it() -> None:
    assert one_language([*MIXED, *[("N1", DAY, "zh")] * 20, ("N1", DAY, "en")]) == {}


def test_an_archive_of_one_language_has_no_such_narratives() -> None:
    assert one_language([("N1", DAY, "zh")] * 30 + [("", DAY, "zh")] * 30 + [("", DAY, "en")]) == {}


def test_the_mix_is_that_of_the_narratives_own_weeks() -> None:
    """English came into the archive later: that a narrative of the weeks before is Chinese says nothing."""
    before = [("", DAY, "zh")] * 400
    after = [("", DAY + timedelta(weeks=1), tag) for tag in ("zh", "en") for _ in range(200)]
    own = [("N1", DAY, "zh")] * 8
    assert one_language([*before, *after, *own]) == {}
    moved = [("N1", DAY + timedelta(weeks=1), "zh")] * 8
    assert set(one_language([*before, *after, *moved])) == {"N1"}
