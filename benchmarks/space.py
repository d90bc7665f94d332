"""How well Chinese and English news meet in one space: raw vectors, each step of the recipe, the whole.

    python -m benchmarks.space ../shared/data [--cache FOLDER] [--articles 300] [--draws 50]

First table. A row is a set, a model and a recipe, cumulative from top to bottom. `ami`, `ari` and `bcubed` compare
average-link clusters on cosine, cut at the true number of stories, with the labels; `same` is the share of the ten
nearest neighbours that are in a text's own language, in a pool with as many of each (.5 is ideal for two); `cross`
is how often the nearest neighbour in the other language tells the same story (only texts that have one there).
Intervals are 95 %, by delete-a-fifth jackknife over stories (sentences with their translations in the sets of
sentences, articles in the two sets of one language, which leave out the row without a prompt): a bootstrap would put
copies of a text beside it, which every clustering joins. `--model` names a profile or any other model; what a model
does not have (a prompt, shipped means) is left out of its rows. A text of which the tokenizer makes the same tokens in
its normal form is encoded once.

Second table: Chinese texts and their traditional forms (as OpenCC writes them for Taiwan, for Hong Kong, and in
Taiwan's own words), as published and as `model_input` gives them; and the two independent Chinese translations of one
sentence in `topics_parallel`, a script each. Third: each whole recipe less the first model's, over the same draws.
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

from embeddings import Encoder, LanguageRemoval, VectorCache, load_encoder, model_input, same_language_share
from embeddings.encoder import PROFILES
from embeddings.hybrid import HybridEncoder, join_parts
from embeddings.languages import primary_language

SETS = {
    "parallel": ("stories_parallel_zh_en.jsonl", "story"),
    "blurbs": ("stories_blurbs_zh_en.jsonl", "story"),
    "sentences": ("topics_parallel.jsonl", "parallel_id"),
    "topics": ("topics_parallel.jsonl", "topic"),
    "zh events": ("stories_zh_events.jsonl", "story"),
    "en events": ("stories_en_events.jsonl", "story"),
}


def read(folder: Path, name: str, n_articles: int | None) -> pd.DataFrame:
    """Columns lang, title, text, label, and unit: what a draw leaves out; long sets cut to a fixed sample, if asked."""
    file, label = SETS[name]
    frame = pd.read_json(folder / file, lines=True, dtype=False)
    frame = frame[frame["lang"].isin(["zh", "en"])]
    if n_articles is not None and len(frame) > n_articles:
        if "parallel_id" in frame:
            ids = frame["parallel_id"].drop_duplicates().sample(n_articles // 2, random_state=0)
            frame = frame[frame["parallel_id"].isin(ids)]
        else:
            frame = frame.sample(n_articles, random_state=0)
    frame["unit"] = frame.get("parallel_id", frame[label] if frame["lang"].nunique() > 1 else frame["id"])
    frame = frame.reindex(columns=["lang", "title", "text", label, "unit"]).rename(columns={label: "label"})
    return frame.astype(object).fillna("").astype(str).reset_index(drop=True)


def encoded(cache: VectorCache, encoder: Encoder, texts: list[str], normal: list[str]) -> np.ndarray:
    """Vectors of texts, those of their normal forms where the model reads the same tokens."""
    if isinstance(encoder, HybridEncoder):
        return join_parts([encoded(cache, part, texts, normal) for part in encoder.parts], encoder.scales)
    if tokenise := getattr(encoder, "_tokenise", None):
        read_alike = [a == b for a, b in zip(tokenise(texts), tokenise(normal), strict=True)]
        texts = [other if alike else text for text, other, alike in zip(texts, normal, read_alike, strict=True)]
    return cache.encode(encoder, texts)


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


def drawn(
    vectors: np.ndarray, langs: np.ndarray, labels: np.ndarray, units: np.ndarray, n_draws: int
) -> list[dict[str, float]]:
    """The figures of the whole set, then those of each draw; the same draws for every recipe of a set."""
    rng = np.random.default_rng(0)
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


FORMS: dict[str, Callable[[str], str]] = {
    "as published": str,
    "as model_input gives it": lambda text: model_input("", text),
}


def scripts(folder: Path, cache: VectorCache, encoder: Encoder) -> list[dict[str, object]]:
    """How near traditional and simplified forms of a text lie, as published and in the model's input form."""
    import opencc

    frames = [read(folder, name, None) for name in ("blurbs", "parallel", "sentences")]
    chinese = pd.concat([frame[frame["lang"] == "zh"] for frame in frames])
    simplified = (chinese["title"] + "\n" + chinese["text"]).str.strip().tolist()
    rows: list[dict[str, object]] = []
    for name in ("s2tw", "s2hk", "s2twp"):
        converter = opencc.OpenCC(name)
        traditional = [converter.convert(text) for text in simplified]
        for form, change in FORMS.items():
            one, other = [change(text) for text in simplified], [change(text) for text in traditional]
            cosines = (encoded(cache, encoder, one, one) * encoded(cache, encoder, other, other)).sum(axis=1)
            rows.append(
                {
                    "pairs": f"a text and its {name} form ({len(one)})",
                    "form": form,
                    "same text": f"{np.mean([a == b for a, b in zip(one, other, strict=True)]):.3f}",
                    "least cosine": f"{cosines.min():.4f}",
                    "above .98": f"{(cosines > 0.98).mean():.4f}",
                }
            )
    table = pd.read_json(folder / "topics_parallel.jsonl", lines=True, dtype=False)
    pairs = table[table["lang"].isin(["zh", "zh-Hant"])].pivot(index="parallel_id", columns="lang", values="text")
    for form, change in FORMS.items():
        one, other = ([change(text) for text in pairs[lang]] for lang in ("zh", "zh-Hant"))
        vectors = np.concatenate([encoded(cache, encoder, texts, texts) for texts in (one, other)])
        near = vectors[: len(one)] @ vectors[len(one) :].T
        hits = [(near.argmax(axis=axis) == np.arange(len(one))).mean() for axis in (0, 1)]
        rows.append(
            {
                "pairs": f"two translations, a script each ({len(one)})",
                "form": form,
                "cross": f"{np.mean(hits):.3f}",
                "same script": f"{same_language_share(vectors, ['hans'] * len(one) + ['hant'] * len(one)):.3f}",
            }
        )
    return rows


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
    parser.add_argument("--articles", type=int, help="at most so many of each set; by default all")
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--model", nargs="*", default=list(PROFILES))
    parser.add_argument("--forms", action=argparse.BooleanOptionalAction, default=True, help="the second table")
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
            has_prompt = bare.fingerprint != encoder.fingerprint and len(set(langs)) > 1
            vectors = {
                "prompted": encoded(cache, encoder, plain, simplified),
                "input": cache.encode(encoder, simplified),
            }
            if has_prompt:
                vectors["bare"] = encoded(cache, bare, plain, simplified)
            for recipe, (needed, change) in recipes(encoder.fingerprint, has_prompt).items():
                changed = unit(change(vectors[needed], langs.tolist()))
                labels, units = frame["label"].to_numpy(str), frame["unit"].to_numpy(str)
                found = drawn(changed, langs, labels, units, arguments.draws)
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
    forms = [
        {"model": name, **row}
        for name, (encoder, _) in encoders.items()
        for row in scripts(arguments.data, cache, encoder)
    ]
    print(pd.DataFrame(rows).fillna("").to_string(index=False))
    print(pd.DataFrame(forms).fillna("").to_string(index=False))
    print(pd.DataFrame(against).fillna("").to_string(index=False))


if __name__ == "__main__":
    main()
