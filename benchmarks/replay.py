"""History replayed week by week with planted births: what is found, how late, at how many false alarms.

    python -m benchmarks.replay ../shared/data [--streams en zh 1987 mixed] [--seeds 5] [--cache FOLDER]
    python -m benchmarks.replay ../shared/data --only baselines --out rows.jsonl       once
    python -m benchmarks.replay ../shared/data --only pipeline --out rows.jsonl        after each change
    python -m benchmarks.replay ../shared/data --only forced --out rows.jsonl          merges and splits by force
    python -m benchmarks.replay --summary rows.jsonl more.jsonl

How each stream is made and what in it is not true to life: `benchmarks/replay_streams.py`. The pipeline runs on a desk
of its own without definitions and with tone scored by a stub, with the shipped settings (`0`) or others:
`--settings 0 88 99:.45:.35` are `discover.tau_percentile` and, after colons, `floor` and `group_floor`. Three baselines
run on the same vectors (`narratives/replay/baselines.py`), in a space fitted to the whole stream, which they could not
have had in time. What each figure means: `narratives.replay.measures.measure`. Processor seconds are without
encoding and ingest. Tables show means over seeds with 95 % intervals by Student's t; the last columns are differences
to the baseline with the best mean, paired by seed.

Runs may go side by side: each appends a row for each tracker, seed and stream to `--out`; of several with the same
three the last counts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.replay_streams import STREAMS
from narratives.discover import coarse_parts
from narratives.material import Material
from narratives.replay.baselines import BASELINES
from narratives.replay.forced import repairs
from narratives.replay.measures import Tracked, measure
from narratives.replay.streams import Stream
from narratives.replay.summary import latest, table_of
from narratives.replay.tracker import pipeline, vectors_of
from narratives.settings import DiscoverSettings, Settings

PARTS = ["pipeline", "baselines", "forced"]


def discover_settings(said: str) -> dict[str, float]:
    """`99:.3:.2` as settings.

    >>> discover_settings("99:.3")
    {'tau_percentile': 99.0, 'floor': 0.3}
    """
    names = ("tau_percentile", "floor", "group_floor")
    return {name: float(value) for name, value in zip(names, said.split(":"), strict=False)}


def digest_of(stream: Stream) -> str:
    """Tells two streams apart: their texts, dates and what was planted."""
    said = [(t.title, t.body, t.lang, t.source, t.story, t.published_at.isoformat()) for t in stream.texts]
    return hashlib.sha256(json.dumps([said, stream.born, stream.rate]).encode()).hexdigest()[:16]


def runs(arguments: argparse.Namespace, stream: Stream) -> Iterator[tuple[str, Tracked]]:
    """Each tracker that was asked for, with what it left behind."""
    material = Material(arguments.cache, Settings(), arguments.encoder)
    if "baselines" in arguments.only:
        vectors = vectors_of(stream, material)
        for name, track in BASELINES.items():
            yield name, track(stream, vectors)
    if "pipeline" in arguments.only:
        for said in arguments.settings:
            changed = Settings().discover.model_copy(update=discover_settings(said))
            settings = Settings().model_copy(update={"discover": changed})
            tracked = pipeline(stream, arguments.encoder, arguments.cache, settings)
            yield f"{arguments.name} {said}".removesuffix(" 0"), tracked


def forced_rows(arguments: argparse.Namespace, stream: Stream) -> Iterator[tuple[str, dict[str, float]]]:
    """What became of forced merges and splits, in a run of its own: what is forced disturbs identity."""
    for said in arguments.settings if "forced" in arguments.only else ():
        changed = Settings().discover.model_copy(update=discover_settings(said))
        settings = Settings().model_copy(update={"discover": changed})
        found = repairs(stream, arguments.encoder, arguments.cache, settings)
        yield f"{arguments.name} {said}".removesuffix(" 0") + ", forced", found


def print_tables(rows: list[dict[str, object]]) -> None:
    rows = latest(rows)
    for name in dict.fromkeys(row["stream"] for row in rows):
        own = [row for row in rows if row["stream"] == name]
        print(f"\n{name}: seeds {sorted({int(str(row['seed'])) for row in own})}")
        print(table_of(own, tuple(BASELINES)).to_string(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--streams", nargs="+", choices=list(STREAMS), default=["en"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-replay-vectors")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--settings", nargs="*", default=["0"])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=["pipeline", "baselines"])
    parser.add_argument("--name", default="pipeline", help="what the pipeline is called in the tables")
    parser.add_argument("--out", type=Path, help="rows are appended to this file")
    parser.add_argument("--summary", type=Path, nargs="+", help="print the tables of these files and run nothing")
    arguments = parser.parse_args()
    if arguments.summary:
        lines = [line for file in arguments.summary for line in file.read_text(encoding="utf-8").splitlines()]
        print_tables([json.loads(line) for line in lines if line])
        return
    if arguments.data is None or not (arguments.data / "stories_en_headlines.jsonl").is_file():
        print(f"skipped: no labelled sets in {arguments.data}")
        return
    import torch

    from embeddings import load_encoder

    torch.set_num_threads(1)
    arguments.encoder = load_encoder(device="cpu")
    if "pipeline" in arguments.only:  # compiles, outside the timing
        coarse_parts(np.random.default_rng(0).standard_normal((60, 8)), DiscoverSettings())
    rows: list[dict[str, object]] = []
    for name in arguments.streams:
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            stream = STREAMS[name](arguments.data, seed)
            print(f"{name}, seed {seed}: {len(stream.texts)} texts in {stream.n_weeks} weeks", file=sys.stderr)
            keys = {"stream": name, "seed": seed, "digest": digest_of(stream)}
            for tracker, figures in [
                *((tracker, measure(stream, tracked)) for tracker, tracked in runs(arguments, stream)),
                *forced_rows(arguments, stream),
            ]:
                rows.append({**keys, "tracker": tracker, **figures})
                if arguments.out:
                    with arguments.out.open("a", encoding="utf-8") as out:
                        out.write(json.dumps(rows[-1]) + "\n")
    print_tables(rows)


if __name__ == "__main__":
    main()
