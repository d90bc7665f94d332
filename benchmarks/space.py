"""How well Chinese and English news meet in one space: raw vectors, each step of the recipe, the whole.

    python benchmarks/space.py ../shared/data [--cache FOLDER] [--articles 300] [--draws 50]

One table. A row is a recipe, cumulative from top to bottom; columns are sets. `ami`, `ari` and `bcubed` compare
average-link clusters on cosine, cut at the true number of stories, with the labels; `same` is the share of the ten
nearest neighbours that are in a text's own language, in a pool with as many of each (.5 is ideal for two); `cross`
is how often the nearest neighbour in the other language tells the same story (only texts that have one there).
Intervals are 95 %, by delete-a-fifth jackknife over stories (over articles in the two sets of one language).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from embeddings import LanguageRemoval, VectorCache, load_encoder, model_input, same_language_share
from embeddings.languages import primary_language

SETS = {
    "parallel": ("stories_parallel_zh_en.jsonl", "story"),
    "blurbs": ("stories_blurbs_zh_en.jsonl", "story"),
    "topics": ("topics_parallel.jsonl", "parallel_id"),
    "zh events": ("stories_zh_events.jsonl", "story"),
    "en events": ("stories_en_events.jsonl", "story"),
}


def read(folder: Path, name: str, n_articles: int) -> pd.DataFrame:
    """Columns lang, title, text, label; long sets cut to a fixed sample."""
    file, label = SETS[name]
    frame = pd.read_json(folder / file, lines=True, dtype=False)
    frame = frame[frame["lang"].map(primary_language).isin(["zh", "en"])]
    if name == "topics":
        kept = frame["parallel_id"].drop_duplicates().sample(150, random_state=0)
        frame = frame[frame["parallel_id"].isin(kept)]
    elif name.endswith("events") and len(frame) > n_articles:
        frame = frame.sample(n_articles, random_state=0)
    frame = frame.reindex(columns=["lang", "title", "text", label]).rename(columns={label: "label"})
    return frame.astype(object).fillna("").astype(str).reset_index(drop=True)


def bcubed_f1(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Harmonic mean of BCubed precision and recall (Bagga and Baldwin 1998), one label a text."""
    table = pd.crosstab(labels, clusters).to_numpy().astype(float)
    precision = (table**2 / table.sum(axis=0)).sum() / table.sum()
    recall = (table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum()
    return float(2 * precision * recall / (precision + recall))


def measures(vectors: np.ndarray, langs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """All figures of one set."""
    distances = np.clip(1 - vectors @ vectors.T, 0, None)
    n = len(set(labels))
    model = AgglomerativeClustering(n, metric="precomputed", linkage="average")
    clusters = model.fit_predict(distances)
    found = {
        "ami": adjusted_mutual_info_score(labels, clusters),
        "ari": adjusted_rand_score(labels, clusters),
        "bcubed": bcubed_f1(labels, clusters),
    }
    if len(set(langs)) > 1:
        hits = []
        for here, there in (("zh", "en"), ("en", "zh")):
            rows, others = np.flatnonzero(langs == here), np.flatnonzero(langs == there)
            rows = rows[np.isin(labels[rows], labels[others])]
            nearest = others[(vectors[rows] @ vectors[others].T).argmax(axis=1)]
            hits += (labels[nearest] == labels[rows]).tolist()
        found["same"] = same_language_share(vectors, list(langs))
        found["cross"] = float(np.mean(hits))
    return found


def with_intervals(
    vectors: np.ndarray, langs: np.ndarray, labels: np.ndarray, n_draws: int
) -> dict[str, tuple[float, float]]:
    """Figure and half width of its 95 % interval."""
    rng = np.random.default_rng(0)
    units = labels if len(set(langs)) > 1 else np.arange(len(labels))
    names = np.unique(units)
    draws = []
    for _ in range(n_draws):
        kept = np.isin(units, rng.choice(names, int(0.8 * len(names)), replace=False))
        draws.append(measures(vectors[kept], langs[kept], labels[kept]))
    # Deleting d of n: the variance of the whole is (n - d) / d = 4 times that between the draws.
    return {
        key: (value, 1.96 * 2 * float(np.std([draw[key] for draw in draws])))
        for key, value in measures(vectors, langs, labels).items()
    }


def unit(vectors: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def recipes(fingerprint: str) -> dict[str, tuple[str, Callable[[np.ndarray, list[str]], np.ndarray]]]:
    """Name of a recipe to the input it needs and what is done to its vectors."""
    shipped = LanguageRemoval.shipped(fingerprint)
    erase = LanguageRemoval(subspace=shipped.subspace).fit(np.zeros((0, shipped.n_features_in_)), [])
    return {
        "raw, no prompt": ("bare", lambda x, _: x),
        "+ prompt": ("prompted", lambda x, _: x),
        "+ simplified": ("input", lambda x, _: x),
        "+ subspace erased": ("input", erase.transform),
        "+ shipped means": ("input", shipped.transform),
        "+ own means (the whole)": (
            "input",
            lambda x, langs: LanguageRemoval.shipped(fingerprint).fit(x, langs).transform(x, langs),
        ),
        "own means alone": ("input", lambda x, langs: LanguageRemoval().fit(x, langs).transform(x, langs)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    parser.add_argument("--articles", type=int, default=300, help="at most so many of each set of one language")
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--model", default="default")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    encoder, cache = load_encoder(arguments.model, "cpu"), VectorCache(arguments.cache)
    prompted = encoder.fingerprint
    print(f"{prompted}; {encoder.backend}", flush=True)
    rows = []
    for name in arguments.sets:
        frame = read(arguments.data, name, arguments.articles)
        langs = frame["lang"].map(primary_language).to_numpy(str)
        plain = (frame["title"] + "\n" + frame["text"]).str.strip().tolist()
        simplified = [model_input(*pair) for pair in zip(frame["title"], frame["text"], strict=True)]
        vectors = {"prompted": cache.encode(encoder, plain), "input": cache.encode(encoder, simplified)}
        vectors["bare"] = cache.encode(load_encoder(arguments.model, "cpu", prompt=""), plain)
        for recipe, (needed, change) in recipes(encoder.fingerprint).items():
            changed = unit(change(vectors[needed], langs.tolist()))
            found = with_intervals(changed, langs, frame["label"].to_numpy(str), arguments.draws)
            shown = {key: f"{value:.3f} ±{half:.3f}" for key, (value, half) in found.items()}
            rows.append({"set": f"{name} ({len(frame)})", "recipe": recipe, **shown})
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    print(pd.DataFrame(rows).fillna("").to_string(index=False))


if __name__ == "__main__":
    main()
