"""Streams for the replay: stories hidden from the start and planted later, among known ones and single texts.

Labelled texts are given new dates, so that when each story begins is known exactly. That takes the bursts out of
the background: false alarms are fewer here than in a true order of days.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from narratives.replay.streams import START, Stream, Text

_FIRST_KNOWN = 6  # texts of every known story in week 0, on which trackers may learn it
_EXTRAS = 4  # texts of any further story, each in a week drawn at random: not a story to be found


def load_stories(files: Sequence[Path], max_chars: int = 300) -> list[dict[str, list[dict[str, str]]]]:
    """A mapping of story to rows for each file; bodies are cut to `max_chars` characters."""
    found = []
    for file in files:
        stories: dict[str, list[dict[str, str]]] = {}
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                kept = {name: str(row.get(name) or "") for name in ("title", "text", "lang", "source", "story")}
                kept["text"] = kept["text"][:max_chars]
                stories.setdefault(f"{file.stem}/{kept['story']}", []).append(kept)
        found.append(stories)
    return found


def make_stream(
    files: Sequence[dict[str, list[dict[str, str]]]],
    seed: int,
    n_births: int,
    n_known: int,
    rates: Sequence[int] = (5, 3, 10),
    n_weeks: int = 16,
) -> Stream:
    """Draw the stories of one replay and date their texts.

    Planted stories are drawn from the files in turn, their rates in turn; each begins in a week from the third on
    that leaves it four. A known story has six texts in week 0 and the rest (20 at most in all) evenly after it.

    Raises
    ------
    ValueError
        Too few stories with 15 texts.
    """
    rng = random.Random(seed)
    large = []
    for stories in files:
        names = sorted(name for name, rows in stories.items() if len(rows) >= 15)
        rng.shuffle(names)
        large.append(names)
    rows_of = {name: rows for stories in files for name, rows in stories.items()}
    if sum(map(len, large)) < n_births + n_known:
        raise ValueError(f"{n_births} + {n_known} stories of 15 texts needed, got {sum(map(len, large))}")
    planted: list[str] = []
    while len(planted) < n_births:
        planted += [names.pop() for names in large if names][: n_births - len(planted)]
    left = [name for names in large for name in names]
    rng.shuffle(left)
    known = left[:n_known]
    texts: list[Text] = []
    born: dict[str, int] = {}
    rate: dict[str, int] = {}
    for i, story in enumerate(planted):
        born[story], rate[story] = rng.randrange(2, n_weeks - 3), rates[i % len(rates)]
        some = rng.sample(rows_of[story], min(20, len(rows_of[story])))
        at = [born[story] + j // rate[story] for j in range(len(some))]
        texts += [_dated(row, story, week, rng) for row, week in zip(some, at, strict=True) if week < n_weeks]
    for story in known:
        some = rng.sample(rows_of[story], min(20, len(rows_of[story])))
        rest = len(some) - _FIRST_KNOWN
        at = [0] * _FIRST_KNOWN + [1 + j * (n_weeks - 1) // rest for j in range(rest)]
        texts += [_dated(row, story, week, rng) for row, week in zip(some, at, strict=True)]
    for story in sorted(set(rows_of) - set(planted) - set(known)):
        for row in rng.sample(rows_of[story], min(_EXTRAS, len(rows_of[story]))):
            texts.append(_dated(row, "", rng.randrange(n_weeks), rng))
    texts.sort(key=lambda text: (text.published_at, text.title))
    return Stream(tuple(texts), born, rate, n_weeks)


def _dated(row: dict[str, str], story: str, week: int, rng: random.Random) -> Text:
    at = START + timedelta(weeks=week, minutes=rng.randrange(7 * 24 * 60 - 60))
    return Text(row["title"], row["text"], row["lang"], row["source"], story, week, at)
