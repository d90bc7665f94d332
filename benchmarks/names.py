"""How good are working names? `python -m benchmarks.names ../shared/data [--show N]`.

The stories of labelled sets stand for narratives: twelve articles at most of each name it. The seven Chinese stories
are drawn five times, each draw a desk of its own. Beside our names: the first three words by class-based TF-IDF over
the whole texts, not parts of each other (what names were before, BERTopic's way).

- in titles: share of a name's words that stand in at least half of the titles of all articles of the story;
- terms in titles: the same of whole terms, which is harder for phrases;
- distinct: share of names whose words are in more articles of their own story than of any other.

A single word is the easiest to find in titles, so the names must be read as well: `--show`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from narratives.describe import content_words
from narratives.language import to_simplified, words
from narratives.naming import JOINT, name_from
from narratives.stop_words import is_stop_word
from narratives.term_sums import count, texts_of
from narratives.terms import HAN

SETS = {"stories_zh_events": ("zh", 5), "stories_en_events": ("en", 1), "stories_en_headlines": ("en", 1)}
_NAMING, _LEAST = 12, 5  # articles that name a story; fewer than five make none
Row = Mapping[str, Any]
Stories = dict[str, list[Row]]


def load(file: Path, seed: int) -> Stories:
    """Story -> its articles in a random order, one a title."""
    by_story: dict[str, dict[str, Row]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = {"text": "", "source": "", **json.loads(line)}
        by_story.setdefault(str(row["story"]), {}).setdefault(row["title"].strip(), row)
    rng, found = random.Random(seed), Stories()
    for story in sorted(by_story):
        rows = sorted(by_story[story].values(), key=lambda row: str(row["id"]))
        rng.shuffle(rows)
        if len(rows) >= _LEAST:
            found[story] = rows
    return found


def ours(stories: Stories, lang: str) -> dict[str, str]:
    counts = {story: count(rows[:_NAMING]) for story, rows in stories.items()}
    every = texts_of(counts.values())
    return {story: name_from(own, every, lang) for story, own in counts.items()}


def plain(stories: Stories, lang: str) -> dict[str, str]:
    """Three words, or pairs of English words, by class-based TF-IDF over texts that hold them."""
    classes: dict[str, Counter[str]] = {}
    for story, rows in stories.items():
        classes[story] = Counter()
        for row in rows[:_NAMING]:
            found, text = content_words(f"{row['title']}\n{row['text']}"), f"{row['title']}\n{row['text']}".casefold()
            pairs = (f"{a} {b}" for a, b in itertools.pairwise(found) if not HAN.search(a + b) and f"{a} {b}" in text)
            classes[story].update({*found, *pairs})
    sizes = {story: len(rows[:_NAMING]) for story, rows in stories.items()}
    total, overall = sum(sizes.values()), Counter[str]()
    for held in classes.values():
        overall.update(held)
    names = {}
    for story, held in classes.items():
        n = sizes[story]
        weights = {
            term: (c / n) * math.log(1 + (c / n) / ((overall[term] + 1) / (total + 1)))
            for term, c in held.items()
            if c > 1
        }
        kept: list[str] = []
        for term in sorted(weights, key=lambda term: (-weights[term], -len(term.split()), term)):
            apart = all(
                term not in other and other not in term and not set(term.split()) & set(other.split()) for other in kept
            )
            if bool(HAN.search(term)) == (lang == "zh") and apart and len(kept) < 3:
                kept.append(term)
        names[story] = JOINT.join(kept)
    return names


def measure(names: Mapping[str, str], stories: Stories) -> tuple[list[bool], list[bool], list[bool]]:
    """Of each term, of each word, of each name: is it in half of the titles, is it distinct?"""
    texts = {k: [set(words(f"{r['title']}\n{r['text']}")) for r in rows[:_NAMING]] for k, rows in stories.items()}
    terms_in, words_in, distinct = list[bool](), list[bool](), list[bool]()
    for story, name in names.items():
        titles = [to_simplified(row["title"]).casefold() for row in stories[story]]
        cut = [set(words(title)) for title in titles]
        terms = name.split(JOINT) if name else []
        said = [w for term in terms for w in words(term) if len(w) > 1 and not is_stop_word(w)]
        terms_in += [2 * sum(term.casefold() in title for title in titles) >= len(titles) for term in terms]
        words_in += [2 * sum(word in title for title in cut) >= len(cut) for word in said]
        found = {k: sum(sum(w in held for held in some) / len(some) for w in said) for k, some in texts.items()}
        best = max(found.values())
        distinct.append(bool(said) and found[story] == best and list(found.values()).count(best) == 1)
    return terms_in, words_in, distinct


def wilson(hits: Sequence[bool]) -> str:
    """Share with its 95 % interval (Wilson)."""
    n, z = len(hits), 1.96
    if not n:
        return "none"
    p = sum(hits) / n
    middle, reach = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * reach) / (1 + z * z / n) for sign in (-1, 1))
    return f"{p:.2f} [{low:.2f}, {high:.2f}] (n={n})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the labelled sets")
    parser.add_argument("--show", type=int, default=0, help="names to print of each set")
    given = parser.parse_args()
    for name, (lang, n_draws) in SETS.items():
        for label, namer in (("plain words", plain), ("ours", ours)):
            hits: tuple[list[bool], ...] = ([], [], [])
            n_terms = n_names = 0
            for seed in range(n_draws):
                stories = load(given.data / f"{name}.jsonl", seed)
                names = namer(stories, lang)
                for all_hits, new in zip(hits, measure(names, stories), strict=True):
                    all_hits += new
                n_names, n_terms = n_names + len(names), n_terms + sum(len(x.split(JOINT)) for x in names.values())
                for story in list(names)[: given.show if seed == 0 else 0]:
                    print(f"    {names[story]}   <- {stories[story][0]['title'][:60]}")
            print(
                f"{name}, {label}: words in half of titles {wilson(hits[1])}; "
                f"terms in half of titles {wilson(hits[0])}; "
                f"distinct {wilson(hits[2])}; {n_terms / n_names:.1f} terms a name",
                flush=True,
            )


if __name__ == "__main__":
    main()
