"""Sentiment and narrative tracking of a subject in the news.

Example
-------
>>> import narratives
>>> desk = narratives.open("my-desk")    # doctest: +SKIP
>>> desk.timeline()                      # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["Desk", "init", "open"]

_HOME = {"Desk": "Desk", "init": "init", "open": "open_desk"}


def __getattr__(name: str) -> Any:
    # The desk brings SQLAlchemy and pydantic; `narratives --help` must not wait for them.
    if name in _HOME:
        from narratives import desk

        return getattr(desk, _HOME[name])
    raise AttributeError(f"module 'narratives' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
