"""What an analyst tells a desk: names, places of articles, merges and splits, stances; and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from narratives.archive import Archive

if TYPE_CHECKING:
    import pandas as pd

    from narratives.decisions import Decision, Decisions


class Analyst:
    """The verbs of a desk; each takes effect at once, is recorded, and holds through every later update.

    Narratives are named by id (`N0042`) or by their definition's id, articles by id, the beginning of the id, or
    address. Every verb returns the `Decision` on record and raises `ValueError` where it makes no sense: then nothing
    is changed. The command line has the same verbs (`narratives decide`) on the same records.
    """

    archive: Archive
    zone: ZoneInfo

    def _decisions(self) -> Decisions:
        from narratives.decisions import Decisions

        return Decisions(self.archive, self.zone)

    def rename(self, narrative: str, zh: str = "", en: str = "") -> Decision:
        """Give a narrative a Chinese name, an English one, or both. It stays, whatever the machine would call it."""
        return self._decisions().rename(narrative, zh, en)

    def merge(self, narrative: str, into: str) -> Decision:
        """Make a narrative part of another: articles move, its id leads there for ever, new ones like it join there."""
        return self._decisions().merge(narrative, into)

    def split(self, narrative: str, articles: Iterable[str], zh: str = "", en: str = "") -> Decision:
        """Make some articles of a narrative (with their reprints) one of their own; it is never merged back."""
        return self._decisions().split(narrative, articles, zh, en)

    def pin(self, article: str, narrative: str) -> Decision:
        """Put an article into a narrative and keep it there; its reprints follow."""
        return self._decisions().pin(article, narrative)

    def reject(self, article: str, narrative: str) -> Decision:
        """Keep an article out of a narrative for ever; it counts as a counter-example from now on."""
        return self._decisions().reject(article, narrative)

    def same_as(self, narrative: str, slug: str) -> Decision:
        """Say that a narrative that was found is the one that `definitions.yaml` calls `slug`."""
        return self._decisions().same_as(narrative, slug)

    def label_stance(self, article: str, narrative: str, label: str) -> Decision:
        """Say whether an article `supports`, `opposes` or only `reports` a narrative's claim."""
        return self._decisions().label_stance(article, narrative, label)

    def confirm(self, narrative: str) -> Decision:
        """Let a drafted claim stand: it was read by a person."""
        return self._decisions().confirm(narrative)

    def undo(self, decision: int | Decision) -> Decision:
        """Take a decision back, by its number; articles go back as far as they are still where it put them."""
        return self._decisions().undo(decision)

    def decisions(self) -> pd.DataFrame:
        """Every decision, oldest first.

        Columns: id, kind (rename, merge, split, pin, not_this, same_as, stance, confirm, undo), narrative, article,
        said (as a sentence), week (the last one processed when it was made), decided_at (UTC), undone, detail (dict).
        """
        return self._decisions().frame()
