"""Fake desks for the tests of the report: twelve weeks, the first week, any number of weeks, and a big one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.fake_desk import FakeDesk, make_big_desk, make_desk


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    """Twelve weeks."""
    return make_desk(tmp_path)


@pytest.fixture
def first_desk(tmp_path: Path) -> FakeDesk:
    """A desk after its first week."""
    return make_desk(tmp_path, n_weeks=1)


@pytest.fixture(scope="session")
def desk_maker() -> Callable[..., FakeDesk]:
    """The builder itself, for desks of another length."""
    return make_desk


@pytest.fixture(scope="session")
def big_desk(tmp_path_factory: pytest.TempPathFactory) -> FakeDesk:
    """500 narratives, 50,000 articles, twelve weeks."""
    return make_big_desk(tmp_path_factory.mktemp("big"))
