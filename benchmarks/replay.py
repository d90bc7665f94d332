"""History replayed week by week with planted births: what is found, how late, at how many false alarms.

    python -m benchmarks.replay ../shared/data [--cache FOLDER] [--seeds 3] [--settings 88 95 98 99 99:.3:.2]
    python -m benchmarks.replay ../shared/data --sets stories_en_headlines.jsonl stories_zh_events.jsonl

Labelled stories are hidden and then planted at five and at three texts a week, among known stories and single
texts (`replay_streams.py`). The pipeline runs on a desk of its own without definitions and with tone scored by a
stub; its setting `discover.tau_percentile` is swept, because general news needs finer groups than one subject,
and with it, after colons, `floor` and `group_floor`. Two baselines run in the same process on the same vectors
(`replay_baselines.py`), in a space fitted to the whole stream, which they could not have had in time. What each
column means: `replay_measures.measure`. Processor seconds are without encoding and ingest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import narratives
from benchmarks.replay_baselines import single_pass, weekly_merged
from benchmarks.replay_measures import Alert, Tracked, measure
from benchmarks.replay_streams import START, Stream, load_stories, make_stream
from narratives.archive import schema
from narratives.discover import coarse_parts
from narratives.material import Material
from narratives.pipeline import update
from narratives.settings import DiscoverSettings, Settings
from narratives.space import Space
from narratives.tone import ToneScorer

if TYPE_CHECKING:
    from embeddings import Encoder


class _NoTone(ToneScorer):
    """Says neutral to everything: tone is not what is measured here."""

    name = "no-tone"

    def __init__(self) -> None:
        pass

    def score(self, texts: Sequence[str], encode: object = None, targets: object = None) -> np.ndarray:
        return np.tile([0.0, 1.0, 0.0], (len(texts), 1))


def vectors_of(stream: Stream, material: Material) -> np.ndarray:
    """(n, d) unit vectors of a stream, language and common mean removed; fitted to all of it."""
    rows = [{"title": text.title, "text": text.body} for text in stream.texts]
    langs = [text.lang for text in stream.texts]
    raw = material.article_vectors(rows)
    space = Space(material.prior_means)
    space.learn(raw, langs)
    return space.project(raw, langs)


def pipeline(stream: Stream, encoder: Encoder, cache: Path, discover: dict[str, float]) -> Tracked:
    """The stream through a desk in a temporary folder; vectors come from the shared cache.

    Parameters
    ----------
    discover
        Settings of that section that differ from the defaults.
    """
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
            desk.ingest([file])
            changed = desk.settings.discover.model_copy(update=discover)
            settings = desk.settings.model_copy(update={"discover": changed})
            material = Material(cache, settings, encoder)
            began = time.process_time()
            update(desk.archive, settings, [], material, _NoTone())
            return _as_tracked(desk, len(stream.texts), time.process_time() - began)
        finally:
            desk.close()


def discover_settings(said: str) -> dict[str, float]:
    """`99:.3:.2` as settings.

    >>> discover_settings("99:.3")
    {'tau_percentile': 99.0, 'floor': 0.3}
    """
    names = ("tau_percentile", "floor", "group_floor")
    return {name: float(value) for name, value in zip(names, said.split(":"), strict=False)}


def _as_tracked(desk: narratives.Desk, n_texts: int, cpu_seconds: float) -> Tracked:
    articles, alerts, table = desk.articles(), desk.alerts(), desk.narratives()
    at = {row.id: int(row.url.rsplit("/", 1)[1]) for row in articles.itertuples()}
    narrative = [""] * n_texts
    for row in articles.itertuples():
        narrative[at[row.id]] = row.narrative
    born = {row.id: (row.born_week - START.date()).days // 7 for row in table.itertuples()}
    found = [
        Alert(
            (row.week - START.date()).days // 7,
            tuple(at[i] for i in row.evidence["article_ids"]),
            row.tier == "alert",
            row.state == "confirmed",
        )
        for row in alerts.itertuples()
    ]
    kinds = Counter(desk.events()["kind"])
    notes = {name: float(kinds[kind]) for name, kind in (("births", "born"), ("merges", "merged"), ("splits", "split"))}
    steps = [row["counts"] for row in desk.archive.rows(schema.step) if row["counts"]]
    for name in ("cut", "floor", "group_floor"):
        notes[name] = float(np.median([counts[name] for counts in steps]))
    return Tracked(narrative, born, found, cpu_seconds, notes)


def table_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Mean over seeds a tracker, with the lowest and the highest."""
    frame = pd.DataFrame(rows)
    names = [name for name in frame.columns if name not in ("tracker", "seed")]
    grouped = frame.groupby("tracker", sort=False)[names]
    mean, low, high = grouped.mean(), grouped.min(), grouped.max()
    cells = {
        name: [
            "-" if pd.isna(m) else f"{m:.2f} ({a:.2f}-{b:.2f})"
            for m, a, b in zip(mean[name], low[name], high[name], strict=True)
        ]
        for name in names
    }
    return pd.DataFrame(cells, index=mean.index).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["stories_en_headlines.jsonl"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-replay-vectors")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--births", type=int, default=24)
    parser.add_argument("--known", type=int, default=40)
    parser.add_argument("--settings", nargs="*", default=["88", "95", "98", "99"])
    arguments = parser.parse_args()
    files = [arguments.data / name for name in arguments.sets]
    absent = [str(file) for file in files if not file.is_file()]
    if absent:
        print(f"skipped: {', '.join(absent)} not found")
        return
    import torch

    from embeddings import load_encoder

    torch.set_num_threads(1)
    stories = load_stories(files)
    encoder = load_encoder(device="cpu")
    coarse_parts(np.random.default_rng(0).standard_normal((60, 8)), DiscoverSettings())  # compiles, outside the timing
    rows: list[dict[str, object]] = []
    for seed in range(arguments.seeds):
        stream = make_stream(stories, seed, arguments.births, arguments.known)
        vectors = vectors_of(stream, Material(arguments.cache, Settings(), encoder))
        print(f"seed {seed}: {len(stream.texts)} texts in {stream.n_weeks} weeks", file=sys.stderr)
        runs = {"single pass": single_pass(stream, vectors), "weekly, merged": weekly_merged(stream, vectors)}
        for said in arguments.settings:
            tracked = pipeline(stream, encoder, arguments.cache, discover_settings(said))
            runs[f"pipeline {said}"] = tracked
            print(f"  {said}: {tracked.cpu_seconds:.0f} s", file=sys.stderr)
        rows += [{"tracker": name, "seed": seed, **measure(stream, tracked)} for name, tracked in runs.items()]
        print(table_of(rows).to_string(), flush=True)


if __name__ == "__main__":
    main()
