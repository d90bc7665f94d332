"""Discovery on a labelled file, beside groupings that know less: `narratives evaluate clusters FILE`."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.metrics import bcubed, bootstrap_interval
from narratives.settings import Settings

if TYPE_CHECKING:
    from embeddings import Encoder

_LINKED = 3_000  # average-link holds all pairs


@dataclass(frozen=True)
class GroupEvaluation:
    """A row of `table` for each way of grouping; figures with a 95 % bootstrap interval are (value, low, high)."""

    kind: str
    n_rows: int
    table: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    predictions: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; without the predictions."""
        return {"kind": self.kind, "n_rows": self.n_rows, "table": list(self.table), "notes": list(self.notes)}

    def as_text(self) -> str:
        """A table for the terminal."""
        names = [name for name in self.table[0] if name != "by"]
        lines = [f"{self.kind}: {self.n_rows} rows", f"{'':<24}" + "".join(f"{name:<22}" for name in names)]
        lines += [f"{row['by']:<24}" + "".join(f"{_cell(row[name]):<22}" for name in names) for row in self.table]
        return "\n".join([*lines, *self.notes])


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def read_grouped(path: Path, dated: bool = False) -> list[dict[str, Any]]:
    """JSON Lines with `story` (or `topic`) and a `title` or `text`; with `dated` also `published_at`.

    Raises
    ------
    ValueError
        A line lacks one of them; the message names it.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: not JSON: {error}") from error
        label = row.get("story") or row.get("topic") if isinstance(row, dict) else None
        if not label or not (row.get("title") or row.get("text")):
            raise ValueError(f"{path}:{number}: needs a `story` or a `topic`, and a `title` or a `text`")
        if dated and not row.get("published_at"):
            raise ValueError(f"{path}:{number}: needs a `published_at`: alerts are judged in the order of time")
        rows.append({**row, "story": str(label)})
    if not rows:
        raise ValueError(f"{path}: no labelled row")
    return rows


def evaluate_clusters(
    rows: Sequence[Mapping[str, Any]], settings: Settings, encoder: Encoder, cache: Path | None = None
) -> GroupEvaluation:
    """Group the texts as a desk's first clustering does, and compare with the labels.

    Figures: bcubed (F1, a text in no group of `discover.min_stories` stands alone), ami (adjusted mutual information),
    joined (of the stories told in two languages, those of which both lie in one group), grouped (share of texts in a
    group of that size).

    Baselines: average-link cut at the true number of stories on raw vectors and on TF-IDF of words, all in one,
    each alone.
    """
    from narratives.discover import bootstrap_groups, cut_level
    from narratives.language import base_language, detect_language
    from narratives.material import Material
    from narratives.overlap import WordOverlap
    from narratives.space import Space, form_tag

    with tempfile.TemporaryDirectory() as folder:
        material = Material(cache or Path(folder), settings, encoder)
        texts = [
            {
                "id": f"{i:06d}",
                "title": str(row.get("title") or ""),
                "text": str(row.get("text") or ""),
                "lang": str(row.get("lang") or "") or detect_language(f"{row.get('title', '')} {row.get('text', '')}"),
                "content_hash": f"{i:06d}",
                "story_id": f"{i:06d}",
            }
            for i, row in enumerate(rows)
        ]
        raw = material.article_vectors(texts)
        langs = [text["lang"] for text in texts]
        space = Space(material.prior_means)
        space.learn(raw, [form_tag(text) for text in texts])
        batch = material.batch(texts, space)
        words = WordOverlap(batch, [])
        cut = cut_level(batch, words, settings.discover)
        found = bootstrap_groups(batch, words, cut, settings.discover)
        likeness = words.between(batch) if len(batch) <= _LINKED else None
    truth = [str(row["story"]) for row in rows]
    sizes = np.bincount(found)
    ours = [f"g{g}" if sizes[g] >= settings.discover.min_stories else f"alone {i}" for i, g in enumerate(found)]
    n_stories = len(set(truth))
    ways: dict[str, list[str]] = {"narratives": ours}
    if len(rows) <= _LINKED and likeness is not None:
        ways["raw vectors, true k"] = _linked(raw @ raw.T, n_stories)
        ways["TF-IDF, true k"] = _linked(likeness, n_stories)
    ways["all in one"] = ["one"] * len(rows)
    ways["each alone"] = [str(i) for i in range(len(rows))]
    base = [base_language(tag) for tag in langs]
    table = tuple({"by": name, **_agreement(truth, labels, base)} for name, labels in ways.items())
    notes = [f"{n_stories} labelled stories; groups were cut at a similarity of {cut:.3f}."]
    if len(rows) > _LINKED:
        notes.append(f"More than {_LINKED} texts: the baselines by average-link are left out.")
    predictions = tuple(
        {"id": str(row.get("id", i)), "story": row["story"], "group": label}
        for i, (row, label) in enumerate(zip(rows, ours, strict=True))
    )
    return GroupEvaluation("clusters", len(rows), table, tuple(notes), predictions)


def _linked(similarity: np.ndarray, k: int) -> list[str]:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1.0 - np.asarray(similarity, dtype=np.float64), 0.0, 2.0)
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0.0)
    return [str(g) for g in fcluster(linkage(squareform(distance, checks=False), "average"), k, "maxclust")]


def _agreement(truth: Sequence[str], found: Sequence[str], langs: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import adjusted_mutual_info_score

    y, z = np.asarray(truth), np.asarray(found)

    def ami(rows: np.ndarray) -> float:
        return float(adjusted_mutual_info_score(y[rows], z[rows]))

    everything = np.arange(len(y))
    by_story: dict[str, list[int]] = {}
    for i, story in enumerate(truth):
        by_story.setdefault(story, []).append(i)
    both = [
        _one_group([i for i in own if langs[i] == "zh"], [i for i in own if langs[i] == "en"], found)
        for own in by_story.values()
        if {"zh", "en"} <= {langs[i] for i in own}
    ]
    sizes = Counter(found)
    return {
        "bcubed": _interval(lambda rows: bcubed(y[rows].tolist(), z[rows].tolist()), len(y)),
        "ami": (ami(everything), *bootstrap_interval(ami, len(y), 50)),
        "joined": _interval(lambda rows: float(np.mean([both[i] for i in rows])), len(both)) if both else None,
        "grouped": float(np.mean([sizes[label] > 1 for label in found])),
    }


def _one_group(zh: Sequence[int], en: Sequence[int], found: Sequence[str]) -> bool:
    """Do the largest groups of both languages' texts agree?"""
    largest = [Counter(found[i] for i in own).most_common(1)[0][0] for own in (zh, en)]
    return largest[0] == largest[1]


def _interval(measure: Callable[[np.ndarray], float], n: int) -> tuple[float, float, float]:
    return (measure(np.arange(n)), *bootstrap_interval(measure, n, 100))
