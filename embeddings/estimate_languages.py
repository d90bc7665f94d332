"""Makes `models/languages*.json`: the language subspaces and means that are shipped.

    python -m embeddings.estimate_languages topics_parallel.jsonl [--profile fast] [--cache FOLDER] [--compare]

The input is SIB-200 (Adelani et al., EACL 2024; the texts are FLORES-200's, CC BY-SA 4.0, the labels
Apache-2.0) as JSON Lines with `lang`, `text`, `topic`, `parallel_id`: the same sentences in every language.
What is shipped are averages over all of them; no text can be had back from it.

Language shows differently in a sentence and in an article, so each language's mean is estimated at three
lengths: single sentences, and sentences of one topic joined by 6 and by 14 into documents. The subspace holds
the leading directions of the differences between a language and the average of all, over the lengths.

`--compare` writes nothing and says how far what is shipped lies from what this machine finds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from embeddings.articles import encode_articles
from embeddings.cache import VectorCache
from embeddings.encoder import Encoder, load_encoder
from embeddings.languages import SHIPPED_FILES, primary_language
from embeddings.vector_file import write_whole

SENTENCES_A_TEXT = (1, 6, 14)
N_DIRECTIONS = 5
_NO_BLANKS = ("zh", "ja")


def texts_of_length(sentences: pd.DataFrame, n: int) -> pd.DataFrame:
    """Join n sentences of one topic into a text, the same ones in every language.

    Parameters
    ----------
    sentences
        Columns `lang`, `topic`, `parallel_id`, `text`.
    n
        Sentences a text; a rest of fewer than half of it is left out.

    Returns
    -------
    pd.DataFrame
        Columns `lang`, `title` (empty), `text`.
    """
    rows = []
    for (_, lang), group in sentences.groupby(["topic", "lang"], sort=True):
        texts = group.sort_values("parallel_id")["text"].tolist()
        glue = "" if lang in _NO_BLANKS else " "
        rows += [
            {"lang": lang, "title": "", "text": glue.join(texts[i : i + n])}
            for i in range(0, len(texts), n)
            if len(texts[i : i + n]) > n // 2
        ]
    return pd.DataFrame(rows)


def estimate(sentences: pd.DataFrame, encoder: Encoder, cache: VectorCache | None = None) -> dict[str, Any]:
    """The content of `models/languages.json` for an encoder; `sentences` as in `texts_of_length`."""
    by_length = []
    spreads = []
    for n in SENTENCES_A_TEXT:
        texts = texts_of_length(sentences, n)
        vectors = encode_articles(texts, encoder, cache)
        langs = texts["lang"].to_numpy()
        by_length.append({lang: vectors[langs == lang].mean(axis=0) for lang in sorted(set(langs))})
        spreads.append(np.mean([vectors[langs == lang].var(axis=0).sum() for lang in sorted(set(langs))]))
    languages = sorted(by_length[0])
    stacked = np.array([[means[lang] for lang in languages] for means in by_length])
    apart = (stacked - stacked.mean(axis=1, keepdims=True)).reshape(-1, encoder.dimension)
    _, _, directions = np.linalg.svd(apart, full_matrices=False)
    return {
        "fingerprint": encoder.fingerprint,
        "source": "SIB-200 (Adelani et al. 2024), sentences of FLORES-200; averages only",
        "licence": "labels Apache-2.0, texts CC BY-SA 4.0",
        "made_by": "python -m embeddings.estimate_languages",
        "n_sentences": len(sentences),
        "sentences_a_text": list(SENTENCES_A_TEXT),
        "subspace": directions[:N_DIRECTIONS].round(7).tolist(),
        "spread_by_length": [round(float(spread), 4) for spread in spreads],
        "means": {lang: mean.round(7).tolist() for lang, mean in zip(languages, stacked.mean(axis=0), strict=True)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="SIB-200 as JSON Lines")
    parser.add_argument("--profile", choices=list(SHIPPED_FILES), default="default")
    parser.add_argument("--cache", type=Path, help="keep the vectors in this folder")
    parser.add_argument("--compare", action="store_true", help="compare with what is shipped, write nothing")
    arguments = parser.parse_args()
    cache = VectorCache(arguments.cache) if arguments.cache else None
    content = estimate(read_sentences(arguments.sentences), load_encoder(arguments.profile, "cpu"), cache)
    path = SHIPPED_FILES[arguments.profile]
    if arguments.compare:
        print(json.dumps(compare(content, json.loads(path.read_text(encoding="utf-8")))))
    else:
        write_whole(path, json.dumps(content, ensure_ascii=False, indent=None))


def read_sentences(path: Path) -> pd.DataFrame:
    """SIB-200 as JSON Lines, without the second script of a language."""
    sentences = pd.read_json(path, lines=True).astype({"text": str})
    return sentences[sentences["lang"] == sentences["lang"].map(primary_language)]


def compare(found: dict[str, Any], shipped: dict[str, Any]) -> dict[str, float]:
    """How far two estimates lie apart: least cosine of two means, and of the subspaces' principal angles."""
    means = [(np.array(found["means"][lang]), np.array(shipped["means"][lang])) for lang in shipped["means"]]
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in means]
    angles = np.linalg.svd(np.array(found["subspace"]) @ np.array(shipped["subspace"]).T, compute_uv=False)
    return {"least_cosine_of_means": float(min(cosines)), "least_cosine_of_subspaces": float(angles.min())}


if __name__ == "__main__":
    main()
