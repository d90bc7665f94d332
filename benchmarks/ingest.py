"""How fast articles come in: JSON Lines to archive, with language and reprints.

    python -m benchmarks.ingest --sizes 10000 100000

Made-up news, half Chinese and half English, 10,000 a day, one in five a reprint; each size goes into an archive
of its own, in one call of `ingest_paths`. The last tenth is timed apart, to see whether speed falls as the
archive grows; processor time is given beside wall time, because other work may share the cores. Then what a
person waits for: opening the archive, one day's articles, and running the same file again.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from narratives.archive import Archive
from narratives.ingest import ingest_paths
from narratives.settings import Settings

_START = datetime(2024, 1, 1, tzinfo=UTC)
_A_DAY = 10_000


def write_corpus(file: Path, n: int, seed: int = 0) -> None:
    """Write `n` made-up articles as JSON Lines, in order of time."""
    rng = random.Random(seed)
    han = [chr(c) for c in range(0x4E00, 0x4E00 + 1500)]
    zh_words = ["".join(rng.choices(han, k=rng.choice((1, 2, 2, 2, 3, 4)))) for _ in range(8_000)]
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = range(30, 4, -1)
    en_words = ["".join(rng.choices(letters, weights, k=rng.randint(2, 11))) for _ in range(8_000)]
    # Two in five words of English news are such words.
    en_words += "the of and to in for on that with as by from has will said its are was at it".split() * 260

    def sentence(chinese: bool) -> str:
        if chinese:
            return "".join(rng.choices(zh_words, k=rng.randint(10, 24))) + "。"
        return " ".join(rng.choices(en_words, k=rng.randint(9, 26))).capitalize() + ". "

    recent: list[tuple[str, str]] = []
    with file.open("w", encoding="utf-8") as out:
        for i in range(n):
            chinese = i % 2 == 0
            if recent and rng.random() < 0.2:
                title, text = rng.choice(recent)
                text = text[: rng.randint(len(text) // 2, len(text))]
            else:
                title = sentence(chinese)
                text = "".join(sentence(chinese) for _ in range(rng.randint(8, 24)))
                recent = [*recent[-300:], (title, text)]
            published = _START + timedelta(days=i / _A_DAY)
            row = {"title": title, "text": text, "published_at": published.isoformat()}
            row |= {"source": f"Paper {rng.randrange(400)}", "url": f"https://example.com/{i}"}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _one(n: int, folder: Path) -> None:
    file = folder / f"{n}.jsonl"
    write_corpus(file, n)
    marks: list[tuple[int, float]] = []
    with Archive.create(folder / f"{n}.sqlite") as archive:
        start, busy = time.perf_counter(), time.process_time()
        counts = ingest_paths(
            archive,
            [file],
            Settings(),
            progress=lambda _, done: marks.append((done, time.perf_counter() - start)),
        ).counts
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    late = next(mark for mark in marks if mark[0] >= 0.9 * n)
    last_rate = (n - late[0]) / max(1e-9, seconds - late[1]) if late[0] < n else float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = (folder / f"{n}.sqlite").stat().st_size / 1e6
    start = time.perf_counter()
    with Archive.open(folder / f"{n}.sqlite") as archive:
        opened = time.perf_counter() - start
        start = time.perf_counter()
        day = archive.articles_frame(since=_START, until=_START + timedelta(days=1))
        read = time.perf_counter() - start
        start = time.perf_counter()
        again = ingest_paths(archive, [file], Settings()).counts if n <= 100_000 else {"repeated": -1}
        repeated = time.perf_counter() - start
    print(
        f"{n:>9,}  {n / seconds:>7,.0f} articles/s  {n / busy:>7,.0f} per processor second  "
        f"last tenth {last_rate:>7,.0f}/s  reprints {counts['reprints'] / n:.3f}  peak {peak:,.0f} MB  "
        f"archive {size:,.0f} MB  open {opened * 1e3:.0f} ms  one day ({len(day):,}) {read:.2f} s  "
        f"again ({again['repeated']:,}) {repeated:.1f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n in arguments.sizes:
            _one(n, Path(folder))


if __name__ == "__main__":
    main()
