"""How well reprints are found: recall a kind of copy, and what is wrongly joined.

    python -m benchmarks.reprints --data ../shared/data

Copies are made of Chinese and English news texts (cut short, re-titled, wrapped in boilerplate, converted
between scripts, with other numbers, with sentences left out) and each is placed into an index that holds all
originals. Three further figures come from texts as they are: how many of the pairs whose shingles really agree
(computed exactly) are found, how many of the pairs that were joined really agree, and how many reports of the
same event, written independently, are joined though they should stay apart. Two baselines run beside it on the
same copies: equality of the whole text, and MinHashLSH of datasketch (the extra `benchmarks`) with 128 permutations
over the same shingles, which joins a text to the most alike of its candidates from the same level of similarity on.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import opencc

from narratives.articles import short_hash
from narratives.characters import folded
from narratives.duplicates import Entry, ReprintIndex
from narratives.settings import IngestSettings
from narratives.sketches import shingle_width, sketch, sketch_all

_DIGITS = re.compile(r"\d+")
_SENTENCES = re.compile(r"[^。！？.!?\n]+[。！？.!?\n]*")
_BEFORE = {
    "zh": "【环球资讯网综合报道】来源：新华网 编辑：李明 责任编辑：王芳 字号：大中小 \n",
    "en": "(Adds details, background) Editing by J. Smith; Reporting by our correspondents in the region -- ",
}
_AFTER = {
    "zh": "\n声明：本文仅代表作者个人观点，与本网无关。转载请注明出处，版权问题请联系我们。扫描二维码关注。",
    "en": "\nAll rights reserved. Subscribe to our newsletter for more stories. Read our terms of use here.",
}
_S2T = opencc.OpenCC("s2t")


def _kinds(rng: random.Random) -> dict[str, Callable[[str, str], str]]:
    """Name of a kind to a function of text and language that makes the copy."""

    def without(text: str, share: float) -> str:
        parts = _SENTENCES.findall(text)
        return "".join(part for part in parts if rng.random() > share) or text

    return {
        "same text": lambda text, _: text,
        "cut to 70 %": lambda text, _: text[: int(len(text) * 0.7)],
        "cut to 50 %": lambda text, _: text[: int(len(text) * 0.5)],
        "cut to 30 %": lambda text, _: text[: int(len(text) * 0.3)],
        "first 120 (zh) / 300 (en)": lambda text, lang: text[: 120 if lang == "zh" else 300],
        "boilerplate": lambda text, lang: _BEFORE[lang] + text + _AFTER[lang],
        "boilerplate, cut to 50 %": lambda text, lang: _BEFORE[lang] + text[: int(len(text) * 0.5)] + _AFTER[lang],
        "other script": lambda text, lang: _S2T.convert(text) if lang == "zh" else text.upper(),
        "other numbers": lambda text, _: _DIGITS.sub(lambda m: str(rng.randrange(10 ** len(m.group()))), text),
        "a tenth of sentences out": lambda text, _: without(text, 0.1),
        "a third of sentences out": lambda text, _: without(text, 0.33),
    }


def _load(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _moment(row: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(row["published_at"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _index() -> ReprintIndex:
    settings = IngestSettings()
    return ReprintIndex(settings.reprint_window_days, settings.reprint_similarity)


class _Library:
    """The same task by datasketch: texts in, the most alike earlier text out."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._level = IngestSettings().reprint_similarity - 0.05  # ours favours finding by as much
        self._lsh = MinHashLSH(threshold=self._level, num_perm=128)
        self._known: dict[str, Any] = {}

    def _minhash(self, text: str) -> Any:
        from datasketch import MinHash

        made = MinHash(num_perm=128, seed=1)
        if found := _shingles(text):
            made.update_batch(list(found))
        return made

    def add(self, key: str, text: str) -> None:
        self._known[key] = self._minhash(text)
        self._lsh.insert(key, self._known[key])

    def find(self, text: str) -> str | None:
        own = self._minhash(text)
        scored = [(own.jaccard(self._known[key]), key) for key in self._lsh.query(own)]
        best = max(scored, default=(0.0, ""))
        return best[1] if best[0] >= self._level else None


def _copies(rows: list[dict[str, Any]], n: int, lang: str, seed: int) -> dict[str, dict[str, float]]:
    """Recall and wrong joins a kind of copy; each kind in an index of its own that holds all originals."""
    rng = random.Random(seed)
    entries = [Entry(f"o{i}", _moment(row), sketch(row["title"], row["text"])) for i, row in enumerate(rows)]
    chosen = rng.sample([i for i, row in enumerate(rows) if len(row["text"]) >= (200 if lang == "zh" else 500)], n)
    found: dict[str, dict[str, float]] = {}
    library = _Library()
    began = time.process_time()
    for i, row in enumerate(rows):
        library.add(f"o{i}", row["text"])
    their_seconds = time.process_time() - began
    began = time.process_time()
    sketched = sketch_all([row["title"] for row in rows], [row["text"] for row in rows])
    _index().place([Entry(e.id, e.published_at, of_it) for e, of_it in zip(entries, sketched, strict=True)])
    our_seconds = time.process_time() - began
    originals = {f"o{i}": row["text"] for i, row in enumerate(rows)}
    for kind, change in _kinds(rng).items():
        index = _index()
        story = {entry.id: placed.story for entry, placed in zip(entries, index.place(entries), strict=True)}
        texts = [change(rows[i]["text"], lang) for i in chosen]
        made = [
            Entry(
                f"c{i}",
                _moment(rows[i]) + timedelta(hours=rng.randrange(1, 72)),
                sketch("Another title 另一个标题", text),
            )
            for i, text in zip(chosen, texts, strict=True)
        ]
        placed = index.place(made)
        right = sum(p.story == story[f"o{i}"] for i, p in zip(chosen, placed, strict=True))
        wrong = sum(p.is_reprint and p.story != story[f"o{i}"] for i, p in zip(chosen, placed, strict=True))
        exact = {short_hash(rows[i]["text"]) for i in chosen}
        same = sum(short_hash(text) in exact for text in texts)
        theirs = [library.find(text) for text in texts]
        # An original that is itself a reprint of the one found counts as found, for both.
        their_right = sum(
            key is not None and (story[key] == story[f"o{i}"] or originals[key] == rows[i]["text"])
            for i, key in zip(chosen, theirs, strict=True)
        )
        n_joined = sum(key is not None for key in theirs)
        found[kind] = {"recall": right / n, "joined to another": wrong / n, "equality": same / n}
        found[kind] |= {"datasketch recall": their_right / n, "datasketch another": (n_joined - their_right) / n}
    found["speed"] = {"ours": len(rows) / our_seconds, "datasketch": len(rows) / their_seconds}
    return found


def _shingles(text: str) -> set[bytes]:
    codes = folded(text)
    width, _ = shingle_width(codes)
    return {codes[i : i + width].tobytes() for i in range(len(codes) - width + 1)}


def _agreement(a: set[bytes], b: set[bytes]) -> tuple[float, float]:
    """Exact Jaccard similarity and containment of the smaller."""
    both = len(a & b)
    return both / max(1, len(a | b)), both / max(1, min(len(a), len(b)))


def _as_they_are(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Against exact agreement of all pairs of one collection within the window."""
    settings = IngestSettings()
    rows = sorted(rows, key=_moment)
    index = _index()
    entries = [Entry(str(i), _moment(row), sketch(row["title"], row["text"])) for i, row in enumerate(rows)]
    placed = index.place(entries)
    sets = [_shingles(row["text"]) for row in rows]
    window = timedelta(days=settings.reprint_window_days)
    really = []
    for i, later in enumerate(rows):
        for j in range(i):
            if _moment(later) - _moment(rows[j]) > window or min(len(sets[i]), len(sets[j])) < 60:
                continue
            if 0.5 * len(sets[i]) <= len(sets[j]) <= 2 * len(sets[i]):
                jaccard, _ = _agreement(sets[i], sets[j])
                if jaccard >= settings.reprint_similarity:
                    really.append((i, j))
    kept = sum(placed[i].story == placed[j].story for i, j in really)
    groups = defaultdict(list)
    for i, placement in enumerate(placed):
        groups[placement.story].append(i)
    joined = [(i, j) for group in groups.values() for i in group for j in group if j < i]
    good = [max(_agreement(sets[i], sets[j])) >= 0.5 for i, j in joined]
    return {
        "n_texts": len(rows),
        "n_pairs_alike": len(really),
        "found": kept / max(1, len(really)),
        "n_pairs_joined": len(joined),
        "joined_and_alike": sum(good) / max(1, len(good)),
        "share_of_texts_that_are_reprints": sum(p.is_reprint for p in placed) / len(placed),
    }


def _same_event(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Independent texts on the same event (label 5), topic (3) or neither (0): how many are joined."""
    found: dict[str, dict[str, float]] = {}
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for label in (0, 3, 5):
        pairs = [row for row in rows if row["label"] == label]
        joined = alike = 0
        for row in pairs:
            index = _index()
            a, b = (Entry(name, moment, sketch("", row[name])) for name in ("text", "text_b"))
            if index.place([a, b])[1].is_reprint:
                joined += 1
                alike += max(_agreement(_shingles(row["text"]), _shingles(row["text_b"]))) >= 0.6
        found[str(label)] = {"n": len(pairs), "joined": joined, "of them really copies": alike}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-n", type=int, default=300, help="copies a kind and language")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    collections = {
        "zh": _load(arguments.data / "stories_zh_events.jsonl"),
        "en": _load(arguments.data / "stories_en_events.jsonl"),
    }
    start = time.perf_counter()
    for lang, rows in collections.items():
        runs = [_copies(rows, min(arguments.n, 300 if lang == "zh" else 200), lang, s) for s in range(arguments.seeds)]
        print(f"\n{lang}: copies, mean of {arguments.seeds} seeds (lowest); in brackets datasketch")
        for kind in runs[0]:
            if kind == "speed":
                ours, theirs = (sum(run[kind][who] for run in runs) / len(runs) for who in ("ours", "datasketch"))
                print(f"  articles a processor second    {ours:,.0f} [{theirs:,.0f}]")
                continue
            recall = [run[kind]["recall"] for run in runs]
            wrong = sum(run[kind]["joined to another"] for run in runs) / len(runs)
            base = sum(run[kind]["equality"] for run in runs) / len(runs)
            other = sum(run[kind]["datasketch recall"] for run in runs) / len(runs)
            other_wrong = sum(run[kind]["datasketch another"] for run in runs) / len(runs)
            mean = sum(recall) / len(recall)
            print(
                f"  {kind:28} recall {mean:.3f} ({min(recall):.3f}) [{other:.3f}]  wrong {wrong:.4f} "
                f"[{other_wrong:.4f}]  equality {base:.3f}"
            )
    for lang, rows in collections.items():
        print(f"\n{lang}: as they are")
        for name, value in _as_they_are(rows).items():
            print(f"  {name:34} {value:.3f}" if isinstance(value, float) else f"  {name:34} {value}")
    print("\npairs of independent reports (0 different, 3 same topic, 5 same event)")
    for label, figures in _same_event(_load(arguments.data / "pairs_zh_same_event.jsonl")).items():
        print(f"  {label}: {figures}")
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
