"""How well Chinese and English news meet in one space: raw vectors, each step of the recipe, the whole.

    python benchmarks/space.py ../shared/data [--cache FOLDER] [--articles 300] [--draws 50]

One table. A row is a set, a model and a recipe, cumulative from top to bottom. `ami`, `ari` and `bcubed` compare
average-link clusters on cosine, cut at the true number of stories, with the labels; `same` is the share of the ten
nearest neighbours that are in a text's own language, in a pool with as many of each (.5 is ideal for two); `cross`
is how often the nearest neighbour in the other language tells the same story (only texts that have one there).
Intervals are 95 %, by delete-a-fifth jackknife over stories (over articles in the two sets of one language): a
bootstrap would put copies of a text beside it, which every clustering joins. `--model` names a profile or any other
model; what a model does not have (a prompt, shipped means) is left out of its rows. At the end stands each whole
recipe against the default's, as the difference with its interval over the same draws.
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
from embeddings.encoder import PROFILES
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


def drawn(vectors: np.ndarray, langs: np.ndarray, labels: np.ndarray, n_draws: int) -> list[dict[str, float]]:
    """The figures of the whole set, then those of each draw; the same draws for every recipe of a set."""
    rng = np.random.default_rng(0)
    units = labels if len(set(langs)) > 1 else np.arange(len(labels))
    names = np.unique(units)
    found = [measures(vectors, langs, labels)]
    for _ in range(n_draws):
        kept = np.isin(units, rng.choice(names, int(0.8 * len(names)), replace=False))
        found.append(measures(vectors[kept], langs[kept], labels[kept]))
    return found


def shown(found: list[dict[str, float]], less: list[dict[str, float]] | None = None) -> dict[str, str]:
    """Each figure, or its difference to another recipe's, with the half width of its 95 % interval."""
    said = {}
    for key in found[0]:
        values = np.array([draw[key] for draw in found]) - np.array([draw[key] for draw in less or []] or [0.0])
        # Deleting d of n: the variance of the whole is (n - d) / d = 4 times that between the draws.
        said[key] = f"{values[0]:{'+' if less else ''}.3f} ±{1.96 * 2 * float(np.std(values[1:])):.3f}"
    return said


def unit(vectors: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


WHOLE = "+ own means (the whole)"


def recipes(fingerprint: str, has_prompt: bool) -> dict[str, tuple[str, Callable[[np.ndarray, list[str]], np.ndarray]]]:
    """Name of a recipe to the input it needs and what is done to its vectors."""
    shipped = LanguageRemoval.shipped(fingerprint)
    found: dict[str, tuple[str, Callable[[np.ndarray, list[str]], np.ndarray]]] = {}
    if has_prompt:
        found["raw, no prompt"] = ("bare", lambda x, _: x)
    found["+ prompt" if has_prompt else "raw"] = ("prompted", lambda x, _: x)
    found["+ simplified"] = ("input", lambda x, _: x)
    if shipped.means_:
        erase = LanguageRemoval(subspace=shipped.subspace).fit(np.zeros((0, shipped.n_features_in_)), [])
        found["+ subspace erased"] = ("input", erase.transform)
        found["+ shipped means"] = ("input", shipped.transform)
    found[WHOLE] = ("input", lambda x, langs: LanguageRemoval.shipped(fingerprint).fit(x, langs).transform(x, langs))
    found["own means alone"] = ("input", lambda x, langs: LanguageRemoval().fit(x, langs).transform(x, langs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    parser.add_argument("--articles", type=int, default=300, help="at most so many of each set of one language")
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--model", nargs="*", default=list(PROFILES))
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    cache = VectorCache(arguments.cache)
    encoders = {name: (load_encoder(name, "cpu"), load_encoder(name, "cpu", prompt="")) for name in arguments.model}
    rows, against = [], []
    for set_name in arguments.sets:
        frame = read(arguments.data, set_name, arguments.articles)
        langs = frame["lang"].map(primary_language).to_numpy(str)
        plain = (frame["title"] + "\n" + frame["text"]).str.strip().tolist()
        simplified = [model_input(*pair) for pair in zip(frame["title"], frame["text"], strict=True)]
        wholes: dict[str, list[dict[str, float]]] = {}
        for name, (encoder, bare) in encoders.items():
            has_prompt = bare.fingerprint != encoder.fingerprint
            vectors = {"prompted": cache.encode(encoder, plain), "input": cache.encode(encoder, simplified)}
            if has_prompt:
                vectors["bare"] = cache.encode(bare, plain)
            for recipe, (needed, change) in recipes(encoder.fingerprint, has_prompt).items():
                changed = unit(change(vectors[needed], langs.tolist()))
                found = drawn(changed, langs, frame["label"].to_numpy(str), arguments.draws)
                rows.append({"set": f"{set_name} ({len(frame)})", "model": name, "recipe": recipe, **shown(found)})
                print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
                if recipe == WHOLE:
                    wholes[name] = found
        first = next(iter(wholes))
        against += [
            {"set": set_name, "whole recipe": f"{name} less {first}", **shown(found, wholes[first])}
            for name, found in wholes.items()
            if name != first
        ]
    print(pd.DataFrame(rows).fillna("").to_string(index=False))
    print(pd.DataFrame(against).fillna("").to_string(index=False))


if __name__ == "__main__":
    main()
