"""How fast articles come in: JSON Lines to archive, with language and reprints; and how fast they are found again.

    python -m benchmarks.ingest --sizes 10000 100000 1000000
    python -m benchmarks.ingest --texts ../shared/data --sizes 10000 100000

Articles are half Chinese and half English, 10,000 a day, one in five a reprint cut to between half and all of its
length. Without `--texts` they are of made-up words (600 Chinese or 1,500 English characters on average). With it,
they are of real sentences: each article is put together from 8 to 24 sentences drawn at random from all sentences
of the real articles, with its numbers changed, so that its words and lengths are those of news and it is still no
copy of another.

Each size goes into a desk of its own, in a process of its own, in one call of `ingest_paths`. The last tenth is
timed apart, to see whether speed falls as the archive grows. Wall time is what a person waits; processor time (of
both processes) stands beside it, because other work may share the cores. Then what a person asks: opening the desk
and reading one week of one narrative (the middle one and the largest of 200, whose sizes fall as 1 / (rank + 3)),
a whole day, and running the same file again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from sqlalchemy import insert, text, update

import narratives
from narratives.archive import Archive, schema
from narratives.ingest import ingest_paths
from narratives.settings import Settings

_START = datetime(2024, 1, 1, tzinfo=UTC)
_A_DAY = 10_000
_N_NARRATIVES = 200
_SENTENCE = re.compile(r"[^。！？.!?\n]{8,300}[。！？.!?]+")
_DIGITS = re.compile(r"\d+")
Sentence = Callable[[bool], str]


def made_up(rng: random.Random) -> Sentence:
    """Sentences of words that do not exist."""
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

    return sentence


def of_news(rng: random.Random, folder: Path) -> Sentence:
    """Sentences of real articles, with other numbers."""
    pools: dict[bool, list[str]] = {}
    for chinese, name in ((True, "stories_zh_events.jsonl"), (False, "stories_en_events.jsonl")):
        with (folder / name).open(encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines]
        pools[chinese] = sorted({found for body in texts for found in _SENTENCE.findall(body)})

    def sentence(chinese: bool) -> str:
        drawn = rng.choice(pools[chinese]).strip()
        said = _DIGITS.sub(lambda match: str(rng.randrange(10 ** min(6, len(match.group())))), drawn)
        return said if chinese else said + " "

    return sentence


def write_corpus(file: Path, n: int, seed: int = 0, texts: Path | None = None) -> None:
    """Write `n` articles as JSON Lines, in order of time."""
    rng = random.Random(seed)
    sentence = made_up(rng) if texts is None else of_news(rng, texts)
    recent: list[tuple[str, str]] = []
    with file.open("w", encoding="utf-8") as out:
        for i in range(n):
            chinese = i % 2 == 0
            if recent and rng.random() < 0.2:
                title, body = rng.choice(recent)
                body = body[: rng.randint(len(body) // 2, len(body))]
            else:
                title = sentence(chinese)
                body = "".join(sentence(chinese) for _ in range(rng.randint(8, 24)))
                recent = [*recent[-300:], (title, body)]
            published = _START + timedelta(days=i / _A_DAY)
            row = {"title": title, "text": body, "published_at": published.isoformat()}
            row |= {"source": f"Paper {rng.randrange(400)}", "url": f"https://example.com/{i}"}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def put_in_narratives(archive: Archive, seed: int = 0) -> list[str]:
    """Give every article a narrative and a step, as an update would; returns ids, the largest first."""
    rng = random.Random(seed)
    ids = [f"N{k:04d}" for k in range(_N_NARRATIVES)]
    weights = list(accumulate(1 / (k + 3) for k in range(_N_NARRATIVES)))
    with archive.begin() as connection:
        connection.execute(
            insert(schema.narrative), [{"id": key, "origin": "discovered", "status": "active"} for key in ids]
        )
        connection.execute(update(schema.article).values(step_week=date(2024, 1, 1)))
        keys = connection.scalars(text("SELECT id FROM article ORDER BY id")).all()
        for start in range(0, len(keys), 50_000):
            own = keys[start : start + 50_000]
            drawn = rng.choices(ids, cum_weights=weights, k=len(own))
            rows = [
                {"article_id": key, "narrative_id": to, "weight": 0.5, "how": "assigned", "week": date(2024, 1, 1)}
                | {"primary": True, "weak": False}
                for key, to in zip(own, drawn, strict=True)
            ]
            connection.execute(insert(schema.membership), rows)
    return ids


def _one(n: int, folder: Path, texts: Path | None) -> None:
    file = folder / "in.jsonl"
    write_corpus(file, n, texts=texts)
    marks: list[tuple[int, float]] = []
    place = folder / "desk"
    narratives.init(place).close()
    load = os.getloadavg()[0]
    with Archive.open(place / "archive.sqlite") as archive:
        start, busy = time.perf_counter(), _busy()
        counts = ingest_paths(
            archive,
            [file],
            Settings(),
            progress=lambda _, done: marks.append((done, time.perf_counter() - start)),
        ).counts
        seconds, busy = time.perf_counter() - start, _busy() - busy
        late = next(mark for mark in marks if mark[0] >= 0.9 * n)
        last_rate = (n - late[0]) / max(1e-9, seconds - late[1])
        peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        ids = put_in_narratives(archive)
    size = (place / "archive.sqlite").stat().st_size / 1e6
    print(
        f"{n:>9,}  {n / seconds:,.0f} articles/s (last tenth {last_rate:,.0f}), {1e6 * busy / n:.0f} processor "
        f"microseconds an article, {file.stat().st_size / n:,.0f} bytes each, reprints {counts['reprints'] / n:.3f}, "
        f"peak {peaks[0]:,.0f} + {peaks[1]:,.0f} MB, archive {size:,.0f} MB, "
        f"load before {load:.1f}",
        flush=True,
    )
    for narrative in (ids[_N_NARRATIVES // 2], ids[0]):
        took = []
        for _ in range(5):
            start = time.perf_counter()
            desk = narratives.open(place)
            opened = time.perf_counter() - start
            frame = desk.articles(narrative=narrative, week=date(2024, 1, 1))
            took.append(time.perf_counter() - start)
            desk.close()
        took.sort()
        print(
            f"{'':11}open and one week of {narrative} ({len(frame):,} articles): {took[2]:.3f} s "
            f"({took[0]:.3f} to {took[-1]:.3f}), opening alone {opened:.3f} s",
            flush=True,
        )
    with Archive.open(place / "archive.sqlite") as archive:
        start = time.perf_counter()
        day = archive.articles_frame(since=_START, until=_START + timedelta(days=1))
        said = f"one day ({len(day):,}) {time.perf_counter() - start:.2f} s"
        if n <= 100_000:
            start = time.perf_counter()
            again = ingest_paths(archive, [file], Settings()).counts
            said += f", the same file again ({again['repeated']:,} repeated) {time.perf_counter() - start:.1f} s"
    print(f"{'':11}{said}", flush=True)


def _busy() -> float:
    """Processor seconds of this process and of those it has ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--texts", type=Path, help="folder of real news texts")
    arguments = parser.parse_args()
    if len(arguments.sizes) > 1:  # a process each, so that each has a peak of its own
        more = ["--texts", str(arguments.texts)] if arguments.texts else []
        for n in arguments.sizes:
            subprocess.run([sys.executable, "-m", "benchmarks.ingest", "--sizes", str(n), *more], check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        _one(arguments.sizes[0], Path(folder), arguments.texts)


if __name__ == "__main__":
    main()
