"""Makes `models/languages.json`: the language subspace and means that are shipped.

    python -m embeddings.estimate_languages topics_parallel.jsonl

The input is SIB-200 (Adelani et al., EACL 2024; the texts are FLORES-200's, CC BY-SA 4.0, the labels
Apache-2.0) as JSON Lines with `lang`, `text`, `topic`, `parallel_id`: the same sentences in every language.
What is shipped are averages over all of them; no text can be had back from it.

Language shows differently in a sentence and in an article, so each language's mean is estimated at three
lengths: single sentences, and sentences of one topic joined by 6 and by 14 into documents. The subspace holds
the leading directions of the differences between a language and the average of all, over the lengths.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from embeddings.cache import encode_articles
from embeddings.encoder import Encoder, load_encoder
from embeddings.languages import SHIPPED_FILE, primary_language
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


def estimate(sentences: pd.DataFrame, encoder: Encoder) -> dict[str, object]:
    """The content of `models/languages.json` for an encoder; `sentences` as in `texts_of_length`."""
    by_length = []
    for n in SENTENCES_A_TEXT:
        texts = texts_of_length(sentences, n)
        vectors = encode_articles(texts, encoder)
        langs = texts["lang"].to_numpy()
        by_length.append({lang: vectors[langs == lang].mean(axis=0) for lang in sorted(set(langs))})
    languages = sorted(by_length[0])
    stacked = np.array([[means[lang] for lang in languages] for means in by_length])
    differences = (stacked - stacked.mean(axis=1, keepdims=True)).reshape(-1, encoder.dimension)
    _, _, directions = np.linalg.svd(differences, full_matrices=False)
    return {
        "fingerprint": encoder.fingerprint,
        "source": "SIB-200 (Adelani et al. 2024), sentences of FLORES-200; averages only",
        "licence": "labels Apache-2.0, texts CC BY-SA 4.0",
        "made_by": "python -m embeddings.estimate_languages",
        "n_sentences": len(sentences),
        "sentences_a_text": SENTENCES_A_TEXT,
        "subspace": directions[:N_DIRECTIONS].round(7).tolist(),
        "means": {lang: mean.round(7).tolist() for lang, mean in zip(languages, stacked.mean(axis=0), strict=True)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="SIB-200 as JSON Lines")
    parser.add_argument("--out", type=Path, default=SHIPPED_FILE)
    arguments = parser.parse_args()
    sentences = pd.read_json(arguments.sentences, lines=True)
    sentences = sentences[sentences["lang"] == sentences["lang"].map(primary_language)]
    content = estimate(sentences.astype({"text": str}), load_encoder(device="cpu"))
    write_whole(arguments.out, json.dumps(content, ensure_ascii=False, indent=None))


if __name__ == "__main__":
    main()
