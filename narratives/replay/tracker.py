"""The pipeline as one tracker among others: a stream through a desk in a temporary folder."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import narratives
from narratives.archive import schema
from narratives.definitions import Definition
from narratives.material import Material
from narratives.pipeline import update
from narratives.replay.measures import Alert, Tracked
from narratives.replay.streams import Stream
from narratives.settings import Settings
from narratives.space import Space, form_tag
from narratives.tone import ToneScorer

if TYPE_CHECKING:
    from embeddings import Encoder


class NoTone(ToneScorer):
    """Says neutral to everything: tone is not what is measured here."""

    name = "no-tone"

    def __init__(self) -> None:
        pass

    def score(self, texts: Sequence[str], encode: object = None, targets: object = None) -> np.ndarray:
        return np.tile([0.0, 1.0, 0.0], (len(texts), 1))


def vectors_of(stream: Stream, material: Material) -> np.ndarray:
    """(n, d) unit vectors of a stream, language and common mean removed; fitted to all of it."""
    rows = [{"title": text.title, "text": text.body, "lang": text.lang} for text in stream.texts]
    tags = [form_tag(row) for row in rows]
    raw = material.article_vectors(rows)
    space = Space(material.prior_means)
    space.learn(raw, tags)
    vectors = space.project(raw, tags)
    vectors[~vectors.any(axis=1), 0] = 1.0  # the only text of its language is its mean; a zero has no direction
    return vectors


def pipeline(
    stream: Stream,
    encoder: Encoder | None,
    cache: Path,
    settings: Settings,
    definitions: Sequence[Definition] = (),
) -> Tracked:
    """Run every week of a stream; vectors come from the cache in `cache`, tone and stance are left out.

    Processor seconds are without ingest, and without encoding where the cache holds the texts.
    """
    with desk_of(stream, settings) as desk:
        material = Material(cache, settings, encoder)
        material.article_vectors([{"title": text.title, "text": text.body} for text in stream.texts])
        began = time.process_time()
        update(desk.archive, settings, definitions, material, NoTone())
        return _as_tracked(desk, stream, time.process_time() - began)


@contextmanager
def desk_of(stream: Stream, settings: Settings) -> Iterator[narratives.Desk]:
    """A desk in a temporary folder that has taken in a stream and updated nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
        file = place / "stream.jsonl"
        with file.open("w", encoding="utf-8") as out:
            for i, text in enumerate(stream.texts):
                row = {
                    "title": text.title,
                    "text": text.body,
                    "lang": text.lang,
                    "source": text.source or f"Source {i % 7}",
                    "url": f"https://replay.invalid/{i}",
                    "published_at": text.published_at.isoformat(),
                }
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        desk = narratives.init(place / "desk", place / "none.yaml")
        try:
            desk.settings = settings
            desk.ingest([file])
            yield desk
        finally:
            desk.close()


def row_of(url: str) -> int:
    """Place in its stream of an article of `desk_of`."""
    return int(url.rsplit("/", 1)[1])


def _as_tracked(desk: narratives.Desk, stream: Stream, cpu_seconds: float) -> Tracked:
    first = stream.start.date()

    def week_of(monday: date) -> int:
        return (monday - first).days // 7

    articles, table = desk.articles(), desk.narratives()
    at = {row.id: row_of(row.url) for row in articles.itertuples()}
    narrative = [""] * len(stream.texts)
    for row in articles.itertuples():
        narrative[at[row.id]] = row.narrative
    born = {row.id: week_of(row.born_week) for row in table.itertuples() if isinstance(row.born_week, date)}
    found = [
        Alert(
            week_of(row.week),
            tuple(at[i] for i in row.evidence["article_ids"]),
            row.tier == "alert",
            row.state == "confirmed",
        )
        for row in desk.alerts().itertuples()
    ]
    kinds = Counter(desk.events()["kind"])
    notes = {name: float(kinds[kind]) for name, kind in (("births", "born"), ("merges", "merged"), ("splits", "split"))}
    steps = [row["counts"] for row in desk.archive.rows(schema.step) if row["counts"]]
    for name in ("cut", "floor", "group_floor"):
        notes[name] = float(np.median([counts[name] for counts in steps]))
    weak = frozenset(at[row.id] for row in articles.itertuples() if row.weak)
    return Tracked(narrative, born, found, cpu_seconds, notes, weak)
