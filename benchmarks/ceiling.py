"""A replay with hindsight: births that are somewhere in a tree of the texts, and IDF1 were every label right.

    python -m benchmarks.ceiling ../shared/data [--stream 1987] [--seeds 5] [--first-seed 0] [--cache FOLDER]

`found`: planted stories of five texts a week and more that the pipeline found (`narratives.replay.measures`). `or in
the tree`: with those that it missed, but that a node of an average-link tree holds at any level, in one of their first
four weeks: five texts or more, half of the story's so far or more, and half of them or more the story's. The tree is of
all texts up to that week in no narrative born before the story, once with the shipped weight of shared words and once
with a greater one; which story to look for, week, weight and node are chosen in hindsight. `IDF1, labels right`: of the
pipeline's answer with each text of a story put into a narrative of that story alone; the texts without a label stay
where the pipeline put them.

`IDF1, all topics right`, on 1987 alone, where every text has a topic and only some topics count as a story: of the
topics themselves for an answer.

The first two are no bound for every tracker: one that cuts no such tree may find others, and one that leaves more of
the texts without a label alone has less against it in IDF1.

Means over seeds with 95 % intervals by Student's t.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.replay_material import read
from benchmarks.replay_streams import STREAMS
from narratives.affinity import Batch, WordOverlap
from narratives.describe import content_words
from narratives.discover import at_grain, similarities
from narratives.granularity import linked
from narratives.material import Material
from narratives.replay.measures import MANY, Tracked, home_of, idf1
from narratives.replay.streams import Stream
from narratives.replay.summary import table_of
from narratives.replay.tracker import pipeline, vectors_of
from narratives.settings import Settings

_MORE_WORDS = 1.5  # weight of shared words in the second tree
_WEEKS, _LEAST = 4, 5


def topics_of(stream: Stream, data: Path) -> list[str]:
    """The topic of each text of the newswire, of a planted text the story."""
    topic_of = {(row["title"], row["text"]): row["topic"] for row in read(data / "stream_en_1987.jsonl")}
    return [text.story or topic_of[text.title, text.body] for text in stream.texts]


def batch_of(stream: Stream, vectors: np.ndarray) -> Batch:
    """The stream's texts with their content words, in its order."""
    said = [f"{text.title}\n{text.body}" for text in stream.texts]
    return Batch(
        ids=tuple(map(str, range(len(said)))),
        vectors=vectors,
        langs=tuple(text.lang for text in stream.texts),
        terms=tuple(tuple(dict.fromkeys(content_words(text))) for text in said),
        texts=tuple(said),
    )


def held_by_a_node(similarity: np.ndarray, own: np.ndarray) -> bool:
    """Whether a node of the average-link tree is of five rows or more, half of `own` or more, and half of it `own`.

    >>> held_by_a_node(np.kron(np.eye(2), np.ones((5, 5))), np.arange(10) < 5)
    True
    >>> held_by_a_node(np.kron(np.eye(2), np.ones((5, 5))), np.arange(10) % 5 == 0)
    False
    """
    n = len(own)
    n_own = [*own.astype(int), *np.zeros(n - 1, dtype=int)]
    for node, (left, right, _, size) in enumerate(linked(similarity), start=n):
        n_own[node] = n_own[int(left)] + n_own[int(right)]
        if size >= _LEAST and 2 * n_own[node] >= max(own.sum(), size):
            return True
    return False


def in_the_tree(stream: Stream, tracked: Tracked, batch: Batch, story: str) -> bool:
    """Whether a planted story could have been found at some level in one of its first weeks."""
    born = stream.born[story]
    base = at_grain(Settings(), named=False)
    is_open = np.array([not name or tracked.born.get(name, 0) >= born for name in tracked.narrative])
    week, is_own = np.array([t.week for t in stream.texts]), np.array([t.story == story for t in stream.texts])
    for last in range(born, min(born + _WEEKS, stream.n_weeks)):
        rows = np.flatnonzero((week <= last) & is_open)
        some = batch.take(rows)
        words = WordOverlap(some, [])
        for weight in (base.group_word_weight, _MORE_WORDS):
            settings = base.model_copy(update={"group_word_weight": weight})
            if held_by_a_node(similarities(some, words, settings), is_own[rows]):
                return True
    return False


def rows_of(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """The figures of each seed."""
    from embeddings import load_encoder

    encoder, wire = load_encoder(device="cpu"), arguments.stream == "1987"
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        stream = STREAMS[arguments.stream](arguments.data, seed)
        tracked = pipeline(stream, encoder, arguments.cache, Settings())
        batch = batch_of(stream, vectors_of(stream, Material(arguments.cache, Settings(), encoder)))
        many = [story for story in sorted(stream.born) if stream.rate[story] >= MANY and story not in stream.in_both]
        found = {story for story in many if home_of(stream, tracked, story)}
        missed = [story for story in many if story not in found]
        could = found | {story for story in missed if in_the_tree(stream, tracked, batch, story)}
        truth = [text.story for text in stream.texts]
        right = [story or name for story, name in zip(truth, tracked.narrative, strict=True)]
        print(f"{arguments.stream}, seed {seed}: of no level {sorted(set(many) - could)}", file=sys.stderr)
        yield {
            "tracker": "narratives",
            "seed": seed,
            "found": len(found) / len(many),
            "or in the tree": len(could) / len(many),
            "IDF1": idf1(truth, tracked.narrative),
            "IDF1, labels right": idf1(truth, right),
            **({"IDF1, all topics right": idf1(truth, topics_of(stream, arguments.data))} if wire else {}),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--stream", choices=list(STREAMS), default="1987")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-replay-vectors")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    if not (arguments.data / "stories_en_headlines.jsonl").is_file():
        print(f"skipped: no labelled sets in {arguments.data}")
        return
    print(table_of(list(rows_of(arguments)), ()).to_string())


if __name__ == "__main__":
    main()
