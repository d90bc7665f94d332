"""What one week's update costs as the archive grows, and what refitting BERTopic on the same vectors would.

    python -m benchmarks.update ../shared/data [--rounds 3] [--sizes 10000 100000 1000000] [--cache FOLDER]
        [--bertopic 100000]

Archives of 2, 20 and 200 weeks of 5,000 articles are made from real texts with real vectors, repeated with noise and
drift (`update_texts.Copies`), in the form in which the pipeline leaves them (`update_archive`). Then two weeks of 5,000
new articles are processed by `narratives.pipeline.update`, each size in a process of its own: the first with the review
for splits and merges, which takes place every second week, and with new themes, the next without. Processor seconds are
user and system of the update alone; vectors lie in the cache and tone is left out, so that no model is loaded (peak
memory is without one: `benchmarks.encode` measures that). Every size has its turn in each round, with a copy of its
desk; the median of the rounds is told with the least and the most. Peak memory is the process's own; UMAP, which only
the first clustering of a desk asks, is not part of it.

BERTopic is fitted in the same run to all vectors and texts of the archive of that size, with its defaults
(UMAP of 15 neighbours to 5 dimensions, HDBSCAN of 10 articles, class-based TF-IDF, `low_memory` off) and a random
state, compiled before: what a user would do each week to have the new week in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

import numpy as np

from benchmarks.update_archive import START, Archives, Recorded
from benchmarks.update_texts import FILES, Base, encoded, load_texts
from narratives.weeks import WEEK


def _busy() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    """Largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def encode(data: Path, cache: Path, folder: Path, model: str) -> None:
    """Real texts and their vectors into the folder; encodes what the cache does not have."""
    from embeddings import model_input
    from narratives.material import Material
    from narratives.settings import EncodeSettings, Settings

    rows = load_texts(data)
    material = Material(cache, Settings(encode=EncodeSettings(model=model)))
    vectors = material.encode([model_input(str(row["title"]), str(row["body"])) for row in rows])
    np.save(folder / "vectors.npy", vectors)
    (folder / "texts.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    (folder / "encoder.json").write_text(json.dumps([material.encoder.fingerprint, material.encoder.dimension]))


def archives(folder: Path, a_week: int) -> Archives:
    """What makes desks in the folder."""
    rows = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    base: Base = encoded(rows, np.load(folder / "vectors.npy"))
    return Archives(folder, base, Recorded(*json.loads((folder / "encoder.json").read_text())), a_week)


def measure(folder: Path, n: int, a_week: int, profile: Path | None = None) -> list[dict[str, Any]]:
    """Update the desk of n articles by two weeks; one row of figures a week."""
    import narratives
    from narratives.archive import schema
    from narratives.pipeline import update
    from narratives.replay.tracker import NoTone

    encoder = Recorded(*json.loads((folder / "encoder.json").read_text()))
    found = []
    for more in range(2):
        week = START + (n // a_week + more) * WEEK
        wall, cpu = time.perf_counter(), _busy()
        desk = narratives.open(folder / f"measured-{n}")
        watch = _profiled(profile and profile.with_suffix(f".{n}.{more}.prof"))
        report = update(desk.archive, desk.settings, [], desk.material(encoder), NoTone(), until=week)
        watch()
        cpu, wall = _busy() - cpu, time.perf_counter() - wall
        rows = desk.archive.rows(schema.narrative)
        living = [row for row in rows if row["status"] not in ("ended", "merged")]
        merges = desk.archive.rows(schema.event, schema.event.c.kind == "merged", schema.event.c.week == week)
        kinds = {"narratives": len(rows), "living": len(living), "merges": len(merges)}
        desk.close()
        facts = {"size": n, "review": not more, "cpu": cpu, "wall": wall, "peak_mb": _peak(), **kinds, **report.counts}
        found.append(facts)
    return found


def _profiled(file: Path | None) -> Any:
    """Begin to profile into a file, where one is asked for; returns what ends it."""
    if file is None:
        return lambda: None
    import cProfile

    watch = cProfile.Profile()
    watch.enable()

    def end() -> None:
        watch.disable()
        watch.dump_stats(file)

    return end


def refit(folder: Path, n: int, a_week: int) -> dict[str, Any]:
    """Fit BERTopic to everything in the desk of n articles that was processed when it was made."""
    import umap
    from bertopic import BERTopic
    from sqlalchemy import select

    import narratives
    from narratives.archive import schema

    encoder = Recorded(*json.loads((folder / "encoder.json").read_text()))
    desk, article = narratives.open(folder / f"desk-{n}"), schema.article
    until = START + (n // a_week) * WEEK
    with desk.archive.reading() as connection:
        query = select(article.c.title, article.c.text).where(article.c.step_week < until).order_by(article.c.id)
        rows = [dict(row) for row in connection.execute(query).mappings()]
    vectors = desk.material(encoder).article_vectors(rows)
    assert encoder.n_texts == 0 and len(rows) == n
    desk.close()
    umap.UMAP(random_state=0, n_jobs=1).fit(vectors[:200])  # compiles
    model = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0, n_jobs=1)
    wall, cpu = time.perf_counter(), _busy()
    topics, _ = BERTopic(umap_model=model).fit_transform([f"{row['title']}\n{row['text']}" for row in rows], vectors)
    cpu, wall = _busy() - cpu, time.perf_counter() - wall
    return {"size": n, "cpu": cpu, "wall": wall, "peak_mb": _peak(), "topics": len(set(topics) - {-1})}


def _show(facts: dict[str, Any]) -> None:
    print(", ".join(f"{k} {v:,.1f}" if isinstance(v, float) else f"{k} {v}" for k, v in facts.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--bertopic", type=int, nargs="*", default=[100_000], help="sizes at which it is fitted")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-update-vectors")
    parser.add_argument("--week", type=int, default=5_000, help="articles of a week; sizes are multiples of it")
    parser.add_argument("--model", default="fast", help="whose vectors; how long a vector is matters, not whose it is")
    parser.add_argument("--rounds", type=int, default=3, help="how often each size is measured, from the same desk")
    parser.add_argument("--folder", type=Path, help="desks are made here and stay; those that are there are measured")
    parser.add_argument("--profile", type=Path, help="cProfile's figures go to files of this name")
    parser.add_argument("--stage", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if any(not (arguments.data / name).is_file() for name in FILES):
        print(f"skipped: {arguments.data} lacks one of {', '.join(FILES)}")
        return
    if arguments.stage:
        _stage(arguments, arguments.stage[0], int(arguments.stage[1]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)

        def run(stage: str, n: int = 0) -> Any:
            command = [sys.executable, "-m", "benchmarks.update", str(arguments.data), "--stage", stage, str(n)]
            command += ["--folder", str(folder), "--cache", str(arguments.cache)]
            command += ["--model", arguments.model, "--week", str(arguments.week)]
            command += ["--profile", str(arguments.profile)] if arguments.profile else []
            began = time.perf_counter()
            subprocess.run(command, check=True)
            print(f"[{stage} {n or ''} took {time.perf_counter() - began:,.0f} s]", file=sys.stderr, flush=True)
            file = folder / f"{stage}-{n}.json"
            return json.loads(file.read_text()) if file.exists() else None

        if not (folder / "first" / "ids.json").exists():
            run("encode")
            run("first")
        for n in arguments.sizes:
            if not (folder / f"desk-{n}").exists():
                run("grow", n)
        for n in sorted({*arguments.bertopic} & {*arguments.sizes}):
            _show({"": "BERTopic", **run("refit", n)})
        spent: dict[int, list[list[float]]] = {n: [] for n in arguments.sizes}
        for _ in range(arguments.rounds):
            for n in arguments.sizes:
                shutil.copytree(folder / f"desk-{n}", folder / f"measured-{n}")
                weeks = run("measure", n)
                shutil.rmtree(folder / f"measured-{n}")
                for facts in weeks:
                    _show(facts)
                spent[n].append([facts["cpu"] for facts in weeks])
        _compare(spent)


def _compare(spent: dict[int, list[list[float]]]) -> None:
    """Medians over the rounds of size -> round -> processor seconds of the two weeks, and of the ratios of a round."""
    least, most = min(spent), max(spent)
    for name, weight in (("with the review", (1, 0)), ("without", (0, 1)), ("on average", (0.5, 0.5))):
        told = {n: [float(np.dot(weight, weeks)) for weeks in rounds] for n, rounds in spent.items()}
        seconds = ", ".join(f"{n:,}: {_spread(own)}" for n, own in told.items())
        ratio = [a / b for a, b in zip(told[most], told[least], strict=True)]
        print(f"processor seconds, week {name}: {seconds}; {most:,} to {least:,}: {_spread(ratio)}")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def _stage(arguments: argparse.Namespace, stage: str, n: int) -> None:
    folder, a_week = arguments.folder, arguments.week
    if stage == "encode":
        encode(arguments.data, arguments.cache, folder, arguments.model)
    elif stage == "first":
        archives(folder, a_week).first(arguments.model)
    elif stage == "grow":
        archives(folder, a_week).grow(n)
    else:
        found = refit(folder, n, a_week) if stage == "refit" else measure(folder, n, a_week, arguments.profile)
        (folder / f"{stage}-{n}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
