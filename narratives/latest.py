"""The latest members of narratives, read when somebody asks for them: most of a step needs sums only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import date

from narratives.affinity import Batch, joined

Load = Callable[[str], tuple[Batch, list[date]]]


class Latest(Mapping[str, Batch]):
    """Narrative -> its latest stories, oldest first, for every living narrative.

    Parameters
    ----------
    load
        Gives members, and the weeks in which they joined, of one narrative.
    """

    def __init__(self, load: Load | None = None, living: Iterable[str] = ()) -> None:
        self._load = load
        self._found: dict[str, tuple[Batch, list[date]] | None] = dict.fromkeys(living)

    def add(self, narrative_id: str) -> None:
        """One more, such as an ended narrative that a reprint of one of its stories joins."""
        self._found.setdefault(narrative_id, None)

    def _of(self, narrative_id: str) -> tuple[Batch, list[date]]:
        found = self._found[narrative_id]
        if found is None:
            assert self._load is not None
            found = self._found[narrative_id] = self._load(narrative_id)
        return found

    def __getitem__(self, narrative_id: str) -> Batch:
        return self._of(narrative_id)[0]

    def weeks(self, narrative_id: str) -> list[date]:
        """Weeks in which the members joined, in the order of the members."""
        return self._of(narrative_id)[1]

    def __contains__(self, narrative_id: object) -> bool:
        return narrative_id in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Members(Mapping[str, Batch]):
    """Narrative -> its latest stories after a step: without those that left, with those that joined.

    Parameters
    ----------
    leaving
        Articles that went to another narrative.
    joining
        Narrative -> what joined it.
    """

    def __init__(self, before: Latest, leaving: Set[str], joining: Mapping[str, Batch]) -> None:
        self._before, self._leaving, self._joining = before, leaving, joining
        self._names = dict.fromkeys([*before, *joining])
        self._found: dict[str, Batch] = {}

    def __getitem__(self, narrative_id: str) -> Batch:
        if narrative_id not in self._found:
            if narrative_id not in self._names:
                raise KeyError(narrative_id)
            parts = [self._joining[narrative_id]] if narrative_id in self._joining else []
            if narrative_id in self._before:
                old = self._before[narrative_id]
                keep = [i for i, article in enumerate(old.ids) if article not in self._leaving]
                parts.insert(0, old.take(keep) if len(keep) < len(old) else old)
            self._found[narrative_id] = joined(parts)
        return self._found[narrative_id]

    def __contains__(self, narrative_id: object) -> bool:
        return narrative_id in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
