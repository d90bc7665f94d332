from datetime import date, timedelta

import pytest

from narratives.alerts import Newborn, judge, running_precision, settle
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


def test_running_precision_counts_settled_alerts_only():
    none = running_precision(["emerging", "held"])
    assert (none.n, none.share, none.low, none.n_open, none.n_held) == (0, None, None, 1, 1)
    some = running_precision(["confirmed", "retracted", "confirmed", "emerging"])
    assert (some.n, some.n_confirmed) == (3, 2)
    assert some.low < some.share < some.high, "few alerts, wide interval"
    assert running_precision(["confirmed"] * 100).low > 0.95
