"""Work that leaves no cycles behind is looked through for them seldom, and only while it runs."""

from __future__ import annotations

import gc

import pytest

from narratives.garbage import seldom_collected


def test_python_s_own_rhythm_comes_back_also_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError), seldom_collected():
        assert gc.get_threshold()[0] > 50 * before[0] and gc.get_threshold()[1:] == before[1:]
        raise ValueError
    assert gc.get_threshold() == before


def test_who_turned_it_off_or_wants_it_rarer_is_not_overruled() -> None:
    before = gc.get_threshold()
    for said in ((0, 10, 10), (900_000, 10, 10)):
        gc.set_threshold(*said)
        with seldom_collected():
            assert gc.get_threshold()[0] == said[0]
    gc.set_threshold(*before)
