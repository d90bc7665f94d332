"""How fast articles are encoded on this machine, beside plain sentence-transformers and the matrix-product rate.

    python benchmarks/encode.py ../shared/data [--articles 60] [--threads 1] [--rounds 3]

Same texts for all (Chinese and English, mixed lengths, and all short or all long), in one process, in turn, in CPU
seconds, so that other work on the machine matters little; the best of the rounds, with the worst in brackets.
`share` is the part of the measured product rate that the products of the model take at that speed.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from embeddings import load_encoder, model_input
from embeddings.bundled import bundled_model


def texts_by_mix(folder: Path, n: int) -> dict[str, list[str]]:
    """Length mix to texts."""
    articles = pd.read_json(folder / "stories_parallel_zh_en.jsonl", lines=True)
    sentences = pd.read_json(folder / "topics_parallel.jsonl", lines=True)
    sentences = sentences[sentences["lang"].isin(["zh", "en"])]
    long = [model_input(*pair) for pair in zip(articles["title"], articles["text"], strict=True)][:n]
    short = [model_input("", str(text)) for text in sentences["text"]][: 4 * n]
    return {"mixed": long[: n // 2] + short[: n // 2], "short": short, "long": long}


def product_rate(dtype_name: str) -> float:
    """Giga-operations a CPU second of the model's widest product."""
    import torch

    dtype = getattr(torch, dtype_name)
    x, layer = torch.randn(2_048, 384, dtype=dtype), torch.nn.Linear(384, 1_536).to(dtype)
    with torch.inference_mode():
        layer(x)
        started = time.process_time()
        for _ in range(50):
            layer(x)
    return 50 * 2 * 2_048 * 384 * 1_536 / (time.process_time() - started) / 1e9


def main() -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plain = SentenceTransformer(str(bundled_model().directory), device="cpu")
    contestants: dict[str, Callable[[list[str]], np.ndarray]] = {
        "plain sentence-transformers": lambda texts: plain.encode(texts, show_progress_bar=False)
    }
    for precision in ("float32", "bfloat16"):
        contestants[f"ours, {precision}"] = load_encoder("default", "cpu", precision).encode
    rates = {name: product_rate(name) for name in ("float32", "bfloat16")}
    print({name: f"{rate:.0f} G/s" for name, rate in rates.items()}, flush=True)
    config: Any = plain.transformers_model.config  # type: ignore[union-attr]
    weights = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    rows = []
    for mix, texts in texts_by_mix(arguments.data, arguments.articles).items():
        encoded = plain.tokenizer(["passage: " + text for text in texts], truncation=True, max_length=512)
        n_tokens = sum(map(len, encoded["input_ids"]))
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        vectors = {}
        for _ in range(arguments.rounds):
            for name, encode in contestants.items():
                started = time.process_time()
                vectors[name] = encode(texts)
                seconds[name].append(time.process_time() - started)
        reference = vectors["plain sentence-transformers"]
        for name, taken in seconds.items():
            rate = n_tokens / min(taken)
            product = rates["bfloat16" if "bfloat16" in name else "float32"]
            rows.append(
                {
                    "mix": f"{mix} ({len(texts)} texts, {n_tokens / len(texts):.0f} tokens)",
                    "encoder": name,
                    "tokens a CPU second": f"{rate:.0f} ({n_tokens / max(taken):.0f})",
                    "articles a CPU second": round(len(texts) / min(taken), 1),
                    "times plain": round(min(seconds["plain sentence-transformers"]) / min(taken), 2),
                    "share": round(2 * weights * rate / 1e9 / product, 2),
                    "least cosine": round(float((vectors[name] * reference).sum(axis=1).min()), 5),
                }
            )
            print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_string(index=False))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (all of them together)")


if __name__ == "__main__":
    main()
