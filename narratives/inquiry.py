"""What a notebook asks of a desk: what says this, what is like that, why is it there, what if it were otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narratives.archive import Archive
from narratives.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.definitions import Definition
    from narratives.desk import Desk
    from narratives.explain import Explanation
    from narratives.search import Library
    from narratives.what_if import Comparison, Trial


class Inquiry:
    """Questions to a desk; nothing here writes.

    `encoder` of every method is for tests and other models; left out, the desk's own is loaded when first needed.
    """

    archive: Archive
    settings: Settings
    folder: Path
    _library: tuple[tuple[Any, ...], Library] | None = None
    _encoder: Encoder | None = None

    def search(self, query: str, n: int = 20, encoder: Encoder | None = None) -> pd.DataFrame:
        """Stories that a question in any language finds, the best first: `desk.search("镝 export licence")`.

        Parameters
        ----------
        query
            Words or a sentence; Chinese and others may be mixed.
        n
            At most so many rows.

        Returns
        -------
        One row a story. Columns: id (of its first article), score (how far it stands out among the stories of its
        language by meaning and words, in sd: above 2 is worth reading), meaning (cosine, -1 to 1, language removed),
        words (0 to 1: share of the question's words it holds, rare ones counting more), shared (those words), title,
        source, lang, published_at, week, narrative, url.

        Raises
        ------
        ValueError
            The question is empty, or no update has run yet.
        """
        from narratives.search import search

        return search(self._desk(), self._books(), query, encoder or self._own_encoder(), n)

    def neighbours(self, article: str, n: int = 10) -> pd.DataFrame:
        """Stories nearest in meaning to an article's (id, beginning of it, or address), other than its own.

        Columns: id, cosine (-1 to 1, language and subject mean removed; unrelated ones scatter about 0 with an sd of
        about .1), title, source, lang, published_at, week, narrative, url.

        Raises
        ------
        ValueError
            There is no such article, or it waits for an update.
        """
        from narratives.lookup import find_article
        from narratives.search import neighbours

        row = find_article(self.archive, article)
        return neighbours(self._books(), row["id"], row["story_id"], n)

    def places(self) -> pd.DataFrame:
        """Places of all stories on a plane, for a picture: id, x, y (-1 to 1); near is alike, the axes mean nothing."""
        import pandas as pd

        from narratives.map import story_places

        try:
            books = self._books()
        except ValueError:
            return pd.DataFrame({"id": [], "x": [], "y": []})
        return story_places(self._desk(), books.articles["id"].to_numpy(), books.vectors)

    def explain(self, article: str, narrative: str | None = None, encoder: Encoder | None = None) -> Explanation:
        """Why an article is where it is, and how far from `narrative`; see `narratives.explain.Explanation`.

        Raises
        ------
        ValueError
            There is no such article or narrative.
        """
        from narratives.explain import explain_article
        from narratives.lookup import find_article, find_narrative

        wanted = find_narrative(self.archive, narrative)["id"] if narrative else None
        own = str(find_article(self.archive, article)["id"])
        return explain_article(self._desk(), own, wanted, encoder=encoder or self._own_encoder())

    def try_definition(
        self,
        definition: Definition | Mapping[str, Any] | str,
        weeks: int | None = None,
        instead_of: Sequence[str] = (),
        encoder: Encoder | None = None,
    ) -> Trial:
        """Which stories a definition would take, and from which narratives, without writing anything.

        Parameters
        ----------
        definition
            As in `definitions.yaml`: a mapping, or its YAML (one narrative, or a list with one). With the `id` of one
            that is there already it is tried in its stead, and what that would lose is told too.
        weeks
            Look at the latest so many weeks only; None at the latest 5,000 stories.
        instead_of
            Narratives that it would take the place of (by `same_as`, say): they do not compete for the stories.

        Returns
        -------
        `Trial`: its `articles` frame, `taken` and `n_looked_at`.

        Raises
        ------
        ValueError
            The definition is not valid, there is no such narrative, or no update has run yet.
        """
        from narratives.what_if import try_definition

        return try_definition(self._desk(), definition, encoder or self._own_encoder(), weeks, instead_of)

    def compare_settings(self, changed: Mapping[str, Any], encoder: Encoder | None = None) -> Comparison:
        """What other settings would have done to this desk's articles, without writing anything.

        All weeks are run twice in a temporary archive, as the settings are and changed, with cached vectors and
        without stance, tone and decisions: minutes for ten thousand articles, seconds for some hundred.

        Parameters
        ----------
        changed
            `{"discover.floor": 0.2}` or `{"discover": {"floor": 0.2}}`; the others stay.

        Returns
        -------
        `Comparison`: its frames `articles`, `narratives` and `figures`, and `agreement`.

        Raises
        ------
        ValueError
            There is no such setting, or its value is out of range.
        """
        from narratives.what_if import compare_settings

        return compare_settings(self._desk(), changed, encoder)

    def _books(self) -> Library:
        from narratives.search import library

        state = self.archive.state()
        if self._library is None or self._library[0] != state:
            self._library = (state, library(self._desk()))
        return self._library[1]

    def _own_encoder(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._desk().material().encoder
        return self._encoder

    def _desk(self) -> Desk:
        from narratives.desk import Desk

        assert isinstance(self, Desk)
        return self
