"""How an article speaks of the actors it names: the tone of the sentences that name them, toward them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from narratives.definitions import Definition
from narratives.evidence import EvidenceSpan
from narratives.material import Row
from narratives.plugins.protocols import Toner
from narratives.scoring import SCORER_CHARS, evidence_item
from narratives.sentences import Sentences
from narratives.tone import SPOKEN_WEIGHT

# Each pair of sentence and actor costs as much as a sentence's own tone: the most named actors, their first sentences.
MAX_ACTORS, MAX_SENTENCES = 3, 2
_NAME_CHARS = 128  # of the column
_HAN = re.compile(r"[\u3400-\u9fff]")


def actor_names(definitions: Iterable[Definition]) -> tuple[str, ...]:
    """Every actor that a definition names, once, as it is written there."""
    return tuple(dict.fromkeys(name.strip()[:_NAME_CHARS] for d in definitions for name in d.actors if name.strip()))


def actor_tone_rows(rows: Sequence[Row], said: Sentences, names: Sequence[str], scorer: Toner) -> list[dict[str, Any]]:
    """Rows of the table of tone toward actors: up to three actors an article, those that most sentences name.

    An actor's tone is the mean over the first two sentences that name it, the outlet's own before those in which
    somebody else speaks, which count a quarter. A name is found in both Chinese scripts and in full-width letters;
    a Latin one only as whole words.

    Parameters
    ----------
    rows, said
        Articles, and `sentences_of` them.
    names
        From `actor_names`.
    """
    patterns = [(name, _pattern(name)) for name in names]
    wanted: list[tuple[int, str, int, list[int], str]] = []
    for i in range(len(rows)):
        own = said.of(i)
        found = []
        for order, (name, pattern) in enumerate(patterns):
            mentions = [(int(j), m.group()) for j in own if (m := pattern.search(said.texts[j]))]
            if mentions:
                found.append((-len(mentions), order, name, mentions))
        for n_negative, _, name, mentions in sorted(found)[:MAX_ACTORS]:
            first = sorted(mentions, key=lambda mention: (said.speeches[mention[0]] is not None, mention[0]))
            wanted.append((i, name, -n_negative, [j for j, _ in first[:MAX_SENTENCES]], first[0][1]))
    pairs = [(j, written) for _, _, _, chosen, written in wanted for j in chosen]
    if not pairs:
        return []
    p = scorer.score([said.texts[j] for j, _ in pairs], targets=[written for _, written in pairs])
    result, at = [], 0
    for i, name, n, chosen, _ in wanted:
        inner, at = p[at : at + len(chosen)], at + len(chosen)
        weights = [1.0 if said.speeches[j] is None else SPOKEN_WEIGHT for j in chosen]
        shares = np.average(inner, axis=0, weights=weights)
        items = []
        for j, row_p in zip(chosen, inner, strict=True):
            start, end = said.spans[j]
            span = EvidenceSpan(start, end, float(row_p[2] - row_p[0]))
            items.append(evidence_item(span, "tone", rows[i], said, said.of(i)))
        result.append(
            {
                "article_id": rows[i]["id"],
                "actor": name,
                "tone": round(float(shares[2] - shares[0]), 4),
                "p_negative": round(float(shares[0]), 4),
                "p_neutral": round(float(shares[1]), 4),
                "p_positive": round(float(shares[2]), 4),
                "n_sentences": n,
                "evidence": items,
                "scorer": scorer.name[:SCORER_CHARS],
            }
        )
    return result


@lru_cache(maxsize=1_000)
def _pattern(name: str) -> re.Pattern[str]:
    """Finds a name as it may be written: in either script, in full-width letters, as whole words."""
    if _HAN.search(name):
        forms = {name, _convert("t2s", name), _convert("s2t", name), _convert("s2tw", name)}
        return re.compile("|".join(sorted(map(re.escape, forms), key=lambda form: (-len(form), form))))
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    return re.compile(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])|{re.escape(wide)}")


def _convert(direction: str, text: str) -> str:
    return str(_converter(direction).convert(text))


@lru_cache(maxsize=4)
def _converter(direction: str) -> Any:
    import opencc

    return opencc.OpenCC(direction)
