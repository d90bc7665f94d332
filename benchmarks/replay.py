"""History replayed week by week with planted births: what is found, how late, at how many false alarms.

    python -m benchmarks.replay ../shared/data [--cache FOLDER] [--seeds 3] [--settings 0 88 99:.45:.35]
    python -m benchmarks.replay ../shared/data --sets stories_en_headlines.jsonl stories_zh_events.jsonl

Labelled stories are hidden and then planted at five, three and ten texts a week, among known stories and single
texts (`replay_streams.py`). The pipeline runs on a desk of its own without definitions and with tone scored by a
stub, with the shipped settings (`0`) or others: `discover.tau_percentile` and, after colons, `floor` and
`group_floor`. Three baselines run in the same process on the same vectors (`narratives/replay/baselines.py`), in a
space fitted to the whole stream, which they could not have had in time. What each figure means:
`narratives.replay.measures.measure`. Processor seconds are without encoding and ingest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.replay_streams import load_stories, make_stream
from narratives.discover import coarse_parts
from narratives.material import Material
from narratives.replay.baselines import BASELINES
from narratives.replay.measures import measure, table_of
from narratives.replay.tracker import pipeline, vectors_of
from narratives.settings import DiscoverSettings, Settings


def discover_settings(said: str) -> dict[str, float]:
    """`99:.3:.2` as settings.

    >>> discover_settings("99:.3")
    {'tau_percentile': 99.0, 'floor': 0.3}
    """
    names = ("tau_percentile", "floor", "group_floor")
    return {name: float(value) for name, value in zip(names, said.split(":"), strict=False)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["stories_en_headlines.jsonl"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-replay-vectors")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--births", type=int, default=24)
    parser.add_argument("--known", type=int, default=40)
    parser.add_argument("--settings", nargs="*", default=["0"])
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
        runs = {name: track(stream, vectors) for name, track in BASELINES.items()}
        for said in arguments.settings:
            changed = Settings().discover.model_copy(update=discover_settings(said))
            settings = Settings().model_copy(update={"discover": changed})
            tracked = pipeline(stream, encoder, arguments.cache, settings)
            runs[f"pipeline {said}".removesuffix(" 0")] = tracked
            print(f"  {said}: {tracked.cpu_seconds:.0f} s", file=sys.stderr)
        rows += [{"tracker": name, "seed": seed, **measure(stream, tracked)} for name, tracked in runs.items()]
        print(table_of(rows).to_string(), flush=True)


if __name__ == "__main__":
    main()
