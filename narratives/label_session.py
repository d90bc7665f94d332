"""Labelling the stance of one narrative's articles: what to ask next, what was said, what it bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.archive import schema
from narratives.definitions import Definition
from narratives.drafts import usable_statements
from narratives.judged import UNJUDGED, Judged, judged_articles
from narratives.labelling import most_useful
from narratives.lookup import find_article, find_narrative
from narratives.metrics import macro_f1
from narratives.scoring import stance_rows, stance_scorer, toward_actor
from narratives.space import current_space, form_tag
from narratives.stance import StanceScorer, StanceScores
from narratives.statements import CLASSES
from narratives.tone import Toward, toward

if TYPE_CHECKING:
    import pandas as pd

    from narratives.decisions import Decision
    from narratives.desk import Desk
    from narratives.material import Material
    from narratives.plugins.protocols import Toner

Row = Mapping[str, Any]
COLUMNS = [
    "article", "title", "source", "lang", "published_at", "url",
    "verdict", "p_supports", "p_opposes", "p_reports", "evidence",
]  # fmt: skip
# Fewer labels than these, or of one class only, are too few to be cross-validated.
LEAST_LABELS = 8
_N_FOLDS, _N_SHUFFLES, _N_DRAWS = 5, 3, 500


@dataclass(frozen=True)
class Bought:
    """What labels are worth: macro-F1 (0 to 1) on the labelled articles, without labels and cross-validated with.

    `gain` is the difference, `low` to `high` its 95 % bootstrap interval over the labelled articles; None where
    there are too few labels to tell. The labelled articles are those that were asked about, open ones above all: both
    figures are lower than they would be on articles at random.
    """

    narrative: str
    n_labels: int
    n_scored: int
    before: float | None = None
    after: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        said = f"{self.narrative}: {self.n_labels} labels, {self.n_scored} articles scored anew"
        if self.before is None or self.after is None or self.gain is None:
            return f"{said}; what they bought can be told from {LEAST_LABELS} labels of two classes on"
        return (
            f"{said}. Macro-F1 on the labelled ones: {self.before:.2f} by the statements alone, {self.after:.2f} with "
            f"labels (cross-validated), {self.gain:+.2f} [{self.low:+.2f}, {self.high:+.2f}], n = {self.n_labels}"
        )


class LabelSession:
    """One narrative's articles, loaded once: `ask`, `say`, `refit`.

    Parameters
    ----------
    desk
        Open for writing where `say` or `refit` is called.
    narrative
        Its id, or its definition's; it must have a claim.
    tone
        In place of the shipped tone scorer.

    Raises
    ------
    ValueError
        There is no such narrative, it has no claim with statements on both sides, or nothing was processed yet.
    """

    def __init__(self, desk: Desk, narrative: str, material: Material | None = None, tone: Toner | None = None) -> None:
        self.desk, self.archive = desk, desk.archive
        row = find_narrative(self.archive, narrative)
        self.narrative = str(row["id"])
        kept = row["definition"] or {}
        definition = Definition.model_validate(kept) if "id" in kept else None
        statements = usable_statements(self.narrative, row, definition)
        if statements is None or not statements.decidable:
            raise ValueError(
                f"{self.narrative} has no claim with statements for it and against it, or only a draft that nobody has "
                "confirmed: there is nothing that an article could support or oppose"
            )
        self.statements = statements
        self.material = material or desk.material()
        self._tone = tone
        self.rows = self._articles()
        self.langs = [str(r["lang"]) for r in self.rows]
        self.space = current_space(self.archive, self.desk.definitions, self.material)
        self.vectors = self.space.project(
            self.material.article_vectors(self.rows), [form_tag(row) for row in self.rows]
        )

    def _articles(self) -> list[dict[str, Any]]:
        """Voices of the narrative's stories, the latest as many as an update keeps in mind."""
        member, article = schema.membership, schema.article
        rows = self.archive.rows(member, member.c.narrative_id == self.narrative, member.c.primary, ~member.c.weak)
        ids = [r["article_id"] for r in sorted(rows, key=lambda r: (r["week"], r["article_id"])) if r["how"] != "copy"]
        ids = ids[-self.desk.settings.discover.max_members :]
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), 500):
            some = self.archive.rows(article, article.c.id.in_(ids[start : start + 500]))
            found |= {r["id"]: r for r in some}
        return [found[i] for i in sorted(found)]

    @cached_property
    def tone(self) -> Any:
        from narratives.tone import ToneScorer

        return _Remembering(self._tone or ToneScorer.load(device=self.desk.settings.encode.device))

    @cached_property
    def toward(self) -> Toward | None:
        """Tone of every article toward the claim's actor, computed once a session."""
        return toward_actor(self.rows, self.statements, self.tone)

    def judged(self) -> Judged:
        """The labels that stand."""
        return judged_articles(self.archive).get(self.narrative, UNJUDGED)

    def scorer(self, judged: Judged) -> StanceScorer:
        members = (self.vectors, self.langs)
        return stance_scorer(self.statements, members, self.space, self.material, self.tone, judged)

    def scores(self, judged: Judged) -> StanceScores:
        scorer = self.scorer(judged)
        return scorer.score(self.vectors, self.langs, self.toward if scorer.uses_tone else None)

    # -- asking ----------------------------------------------------------------------------------------------

    def ask(self, n: int = 10) -> pd.DataFrame:
        """The articles whose labels would teach most, best first.

        Columns: article, title, source, lang, published_at, url, verdict and p_supports, p_opposes, p_reports (what
        the scorer thinks now), evidence (the sentences behind it, a list).
        """
        import pandas as pd

        judged = self.judged()
        stories = {r["story_id"] for r in judged.rows}
        known = [i for i, r in enumerate(self.rows) if r["story_id"] in stories]
        now = self.scores(judged)
        picked = most_useful(now, self.vectors, known, n)
        rows = [self.rows[i] for i in picked.tolist()]
        evidence = self._evidence(rows)
        found = [
            (r["id"], r["title"], r["source"], r["lang"], r["published_at"], r["url"], now.verdict[i],
             *(round(float(p), 4) for p in now.p[i]), evidence[r["id"]])
            for i, r in zip(picked.tolist(), rows, strict=True)
        ]  # fmt: skip
        frame = pd.DataFrame(found, columns=COLUMNS)
        frame["published_at"] = pd.to_datetime(frame["published_at"], utc=True).astype("datetime64[us, UTC]")
        return frame

    def _evidence(self, rows: Sequence[Row]) -> dict[str, list[str]]:
        table = schema.score
        ids = [r["id"] for r in rows]
        stored = self.archive.rows(table, table.c.narrative_id == self.narrative, table.c.article_id.in_(ids))
        spans = {s["article_id"]: s["evidence"] for s in stored}
        return {r["id"]: [r["text"][e["start"] : e["end"]] for e in spans.get(r["id"]) or []] for r in rows}

    def say(self, article: str, label: str) -> Decision:
        """Record a label; see `Desk.label_stance`."""
        return self.desk.label_stance(article, self.narrative, label)

    # -- what it bought --------------------------------------------------------------------------------------

    def refit(self) -> Bought:
        """Score the narrative's articles anew with the labels that stand, at once.

        What a person said stays, and so does what a scorer from elsewhere has read. The next update would do the same.
        """
        judged = self.judged()
        table = schema.score
        stored = self.archive.rows(table, table.c.narrative_id == self.narrative)
        wanted = [r["article_id"] for r in stored if r["scorer"].startswith(StanceScorer.family)]
        rows = [find_article(self.archive, i) for i in wanted]
        fresh = stance_rows(
            rows, self.statements, (self.vectors, self.langs), self.space, self.material, self.tone, judged=judged
        )
        with self.archive.lock("narratives label"), self.archive.begin() as connection:
            self.archive.put(connection, table, fresh)
        return replace(self.bought(judged), n_scored=len(fresh))

    def bought(self, judged: Judged | None = None) -> Bought:
        """Compare the scorer without labels with one that was given four fifths of them, on the other fifth."""
        judged = self.judged() if judged is None else judged
        y, n = np.array(judged.labels, dtype=np.int64), len(judged)
        if n < LEAST_LABELS or len(set(judged.labels)) < 2:
            return Bought(self.narrative, n, 0)
        without = self._predicted(UNJUDGED, judged)
        guesses = []
        for shuffle in range(_N_SHUFFLES):
            order = np.random.default_rng(shuffle).permutation(n)
            out = np.empty(n, dtype=np.int64)
            for k in range(_N_FOLDS):
                test = np.sort(order[k::_N_FOLDS])
                train = np.setdiff1d(np.arange(n), test)
                out[test] = self._predicted(_some(judged, train), _some(judged, test))
            guesses.append(out)

        def figures(rows: np.ndarray) -> tuple[float, float]:
            after = np.mean([macro_f1(y[rows], guess[rows]) for guess in guesses])
            return macro_f1(y[rows], without[rows]), float(after)

        before, after = figures(np.arange(n))
        dice = np.random.default_rng(0)
        draws = [figures(dice.integers(0, n, n)) for _ in range(_N_DRAWS)]
        low, high = np.percentile([a - b for b, a in draws], [2.5, 97.5])
        return Bought(self.narrative, n, 0, before, after, after - before, float(low), float(high))

    def _predicted(self, given: Judged, asked: Judged) -> np.ndarray:
        """(n,) columns of `CLASSES` for `asked`, by a scorer that was told `given`."""
        scorer = self.scorer(given)
        langs = [str(r["lang"]) for r in asked.rows]
        tags = [form_tag(row) for row in asked.rows]
        vectors = self.space.project(self.material.article_vectors(asked.rows), tags)
        said = toward_actor(asked.rows, self.statements, self.tone) if scorer.uses_tone else None
        return scorer.score(vectors, langs, said).p.argmax(axis=1)


class _Remembering:
    """A tone scorer that judges each text once a session: the folds of the comparison ask for the same ones."""

    def __init__(self, scorer: Toner) -> None:
        self._scorer, self.name = scorer, scorer.name
        self._known: dict[tuple[str, str], tuple[np.ndarray, np.ndarray | None]] = {}

    def score(self, texts: Sequence[str], encode: Any = None, targets: Sequence[str] | None = None) -> np.ndarray:
        return self._scorer.score(texts, encode, targets)

    def toward(self, texts: Sequence[str], targets: Sequence[str]) -> Toward:
        pairs = list(zip(texts, targets, strict=True))
        for actor in sorted(set(targets)):
            new = sorted({text for text, of in pairs if of == actor and (text, of) not in self._known})
            if new:
                found = toward(new, actor, self._scorer)
                states = [None] * len(new) if found.states is None else list(found.states)
                self._known |= {(t, actor): (p, s) for t, p, s in zip(new, found.p, states, strict=True)}
        found_p = np.array([self._known[pair][0] for pair in pairs]).reshape(-1, 3)
        kept = [s for s in (self._known[pair][1] for pair in pairs) if s is not None]
        return Toward(found_p, np.stack(kept) if kept and len(kept) == len(pairs) else None)


def _some(judged: Judged, rows: np.ndarray) -> Judged:
    picked = rows.tolist()
    return Judged(tuple(judged.rows[i] for i in picked), tuple(judged.labels[i] for i in picked))


def stance_label(said: str) -> str:
    """A label from what a person types: its first letter, its number, or a Chinese word for it; empty if none.

    >>> stance_label("s"), stance_label("2"), stance_label("报道"), stance_label("?")
    ('supports', 'opposes', 'reports', '')
    """
    word = said.strip().lower()
    for name, other in zip(CLASSES, (("1", "支持"), ("2", "反对"), ("3", "报道")), strict=True):
        if word and (name.startswith(word) or word in other):
            return name
    return ""
