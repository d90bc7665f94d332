"""The garbage collector, which looks at everything that lives each time a few hundred objects more were made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 50_000  # more than were freed, before it looks; Python's own number is 700


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect a seventieth as often.

    Work that makes millions of words, counts and rows and leaves hardly any cycle behind spent a sixth of its time on
    looking for cycles (an update of 5,000 articles; its peak memory is the same).
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
