from dataclasses import replace
from datetime import date, timedelta

import pytest

from narratives.alerts import Newborn, growth_asked, judge, running_precision, settle, told_before_said
from narratives.circumstances import false_p_values
from narratives.growth import Growth
from narratives.level import Level
from narratives.routine import Series
from narratives.settings import AlertSettings

BORN = date(2025, 10, 20)
SOURCES = ["a", "b", "c", "d", "e"]


def newborn(n_recent: int = 5, n_old: int = 0, sources=None, cohesion: float = 0.3, cut: float = 0.12) -> Newborn:
    weeks = [BORN] * n_recent + [BORN - timedelta(weeks=4)] * n_old
    return Newborn(weeks, sources or (SOURCES * 4)[: len(weeks)], cohesion, cut)


def test_a_tight_recent_group_from_several_sources_is_an_alert():
    assert judge(newborn(), BORN, AlertSettings()).tier == "alert"


@pytest.mark.parametrize(
    ("weak", "part"),
    [
        (newborn(n_recent=3, n_old=2), "recent_stories"),
        (newborn(n_recent=4, n_old=6), "recent_share"),
        (newborn(cohesion=0.13), "cohesion"),
        (newborn(sources=["same"] * 5), "sources"),
    ],
)
def test_each_part_of_the_rule_can_hold_an_alert_back_and_is_named(weak, part):
    said = judge(weak, BORN, AlertSettings())
    assert said.tier == "watch"
    assert said.why["passed"][part] is False


def test_the_same_source_in_other_letters_is_one_source():
    assert (
        judge(newborn(sources=["Wire", "wire", " WIRE ", "wire", "Wire"]), BORN, AlertSettings()).why["n_sources"] == 1
    )


def test_growth_confirms_and_silence_retracts():
    week = timedelta(weeks=1)
    first = (BORN, "a")
    assert settle(BORN, [first], BORN) == "emerging"
    assert settle(BORN, [first], BORN + week) == "emerging"
    assert settle(BORN, [first, (BORN + week, "a")], BORN + week) == "confirmed"
    assert settle(BORN, [first], BORN + 2 * week) == "retracted"


def judged(**facts):
    weeks, sources = [BORN] * 6, ["a", "b", "c", "d", "a", "b"]
    return judge(Newborn(weeks, sources, 0.3, 0.12, **facts), BORN, AlertSettings())


def test_what_did_not_grow_is_a_watch_and_what_has_no_past_too():
    assert judged(growth=Growth(6, 0.1, 9, 0.0004)).tier == "alert"
    assert judged(growth=Growth(6, 4.2, 9, 0.3)).why["passed"]["growth"] is False
    assert judged(growth=Growth(6, 0.0, 0, None)).tier == "watch"


def test_the_calibrated_level_decides_over_the_default():
    newborn = Newborn([BORN] * 5, SOURCES, 0.3, 0.12, Growth(5, 0.5, 9, 0.01))
    assert judge(newborn, BORN, AlertSettings()).tier == "alert"
    strict = judge(newborn, BORN, AlertSettings(), Level(0.001, True, 30, 2, 1.0, 12))
    assert strict.tier == "watch" and strict.why["level"]["n_weeks"] == 30


@pytest.mark.parametrize(("p_value", "tier"), [(0.002, "alert"), (0.003, "watch")])
def test_where_the_like_of_it_was_told_before_it_must_have_grown_ten_times_as_surprisingly(p_value, tier):
    growth = Growth(6, 0.5, 9, p_value)
    assert judged(growth=growth, told_before=0.79).tier == "alert"
    said = judged(growth=growth, told_before=0.8)
    assert said.tier == tier
    assert growth_asked(said.why) == pytest.approx(AlertSettings().max_p_value / 10)
    assert "80% as like it" in told_before_said(said.why, "en") and "10 倍" in told_before_said(said.why, "zh")


def test_what_nobody_followed_weighs_on_the_level_by_what_was_asked_of_it():
    said = [judged(growth=Growth(6, 0.5, 9, 0.004), told_before=told) for told in (0.0, 0.9)]
    rows = [{"tier": one.tier, "state": "retracted", "evidence": one.why} for one in said]
    assert false_p_values(rows) == pytest.approx([0.004, 0.04])
    del rows[0]["evidence"]["growth_times"]  # of an archive from before it was asked
    assert false_p_values(rows)[0] == 0.004 and told_before_said(rows[0]["evidence"], "en") == ""


def test_of_a_story_born_of_parts_less_is_asked():
    newborn = Newborn([BORN] * 6, ["a", "b", "c"] * 2, 0.3, 0.35)
    assert judge(newborn, BORN, AlertSettings()).tier == "watch"
    of_parts = judge(replace(newborn, loose=0.55), BORN, AlertSettings())
    assert of_parts.tier == "alert" and of_parts.threshold == pytest.approx(0.55 * 0.35 + 0.02)


def test_a_routine_series_is_no_alert_however_it_grew():
    said = judged(growth=Growth(6, 0.0, 9, 1e-5), series=Series(0.67, "spot table # oxide at #", 9, 3.0))
    assert (said.tier, said.why["series"]["every_days"]) == ("routine", 3.0)
    assert judged(series=Series(0.33, "spot table #", 4, 7.0)).tier == "alert"


def test_a_second_birth_beside_a_young_alert_is_the_same_alert():
    said = judged(nearest_young="N0007", likeness=0.2)
    assert (said.tier, said.why["same_as"]) == ("watch", "N0007")
    assert judged(nearest_young="N0007", likeness=0.05).tier == "alert"


def test_what_rests_on_an_unusual_feed_is_held_until_others_have_it():
    said = judged(suspects=frozenset({"A", "b"}))
    assert (said.tier, said.state) == ("alert", "held") and said.why["suspect_share"] > 0.5
    assert judged(suspects=frozenset({"a"})).state == "emerging", "a third of its stories is no majority"
    week, first = timedelta(weeks=1), [(BORN, "a")] * 4

    def settled(*joined, at=1):
        return settle(BORN, [*first, *joined], BORN + at * week, "held", ["a", "b"])

    assert settled((BORN + week, "a")) == "held"
    assert settled((BORN + week, "other")) == "confirmed"
    assert settled((BORN + week, "a"), (BORN + 2 * week, "b"), at=2) == "confirmed", "it lasts"
    assert settled(at=3) == "held" and settled(at=4) == "retracted"


def test_more_than_one_later_story_can_be_asked_for():
    later = (BORN + timedelta(weeks=1), "b")
    assert settle(BORN, [later], later[0], confirm_stories=2) == "emerging"
    assert settle(BORN, [later, later], later[0], confirm_stories=2) == "confirmed"


def test_running_precision_counts_settled_alerts_only():
    none = running_precision(["emerging", "held"])
    assert (none.n, none.share, none.low, none.n_open, none.n_held) == (0, None, None, 1, 1)
    some = running_precision(["confirmed", "retracted", "confirmed", "emerging"])
    assert (some.n, some.n_confirmed) == (3, 2)
    assert some.low < some.share < some.high, "few alerts, wide interval"
    assert running_precision(["confirmed"] * 100).low > 0.95
