"""How fast articles are encoded on this machine, beside plain sentence-transformers and the matrix-product rate.

    python -m benchmarks.encode ../shared/data [--articles 60] [--threads 1] [--rounds 3] [--device cuda]

Same texts for all (Chinese and English articles of 60 to 600 tokens; and two other mixes, all short and all long), each
encoder in a process of its own, in processor seconds on a CPU, so that other work on the machine matters little, and in
seconds, tokenisation included, on a GPU, which gets copies of the texts enough to be kept busy (20,000 articles); the
best of the rounds, with the worst in brackets. `share` is the part of the measured product rate that the products of
the model take at that speed. `least cosine` is to plain sentence-transformers, on a GPU to its vectors of the
processor. `peak` is the most memory the process ever had (of the GPU, where there is one), without what the
exporters of OpenVINO and ONNX Runtime needed once.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from embeddings import load_encoder, model_input
from embeddings.backends import BACKENDS, possible_backends
from embeddings.bundled import bundled_model

PLAIN = "plain sentence-transformers"
COMPARED = 64  # vectors of a mix that are compared with plain sentence-transformers
MILLION_TOKENS = 250_000_000  # a million articles of 250 tokens


def texts_by_mix(folder: Path, n: int) -> dict[str, list[str]]:
    """Length mix to texts; the first is the one that counts."""
    from transformers import AutoTokenizer

    articles = pd.read_json(folder / "stories_parallel_zh_en.jsonl", lines=True)
    sentences = pd.read_json(folder / "topics_parallel.jsonl", lines=True)
    sentences = sentences[sentences["lang"].isin(["zh", "en"])]
    long = copies([model_input(*pair) for pair in zip(articles["title"], articles["text"], strict=True)], n)
    short = copies([model_input("", str(text)) for text in sentences["text"]], 4 * n)
    tokenizer = AutoTokenizer.from_pretrained(bundled_model().directory)
    # Cut articles to lengths spread evenly from 60 to 600 tokens, in both languages.
    mixed = []
    tokenised = {text: tokenizer(text, return_offsets_mapping=True, truncation=False, verbose=False) for text in long}
    for i, text in enumerate(long):
        offsets = tokenised[text]["offset_mapping"]
        wanted = min(60 + 540 * i // max(1, n - 1), len(offsets) - 2)
        mixed.append(text[: offsets[wanted][1]])
    return {"60 to 600 tokens": mixed, "short": short, "long": long}


def copies(texts: list[str], n: int) -> list[str]:
    """n texts, from the beginning again where there are fewer."""
    return [texts[i % len(texts)] for i in range(n)]


def product_rate(dtype_name: str, device: str) -> float:
    """Giga-operations a second (a processor second on a CPU) of the model's widest product."""
    import torch

    dtype, n_rows = getattr(torch, dtype_name), 2_048 if device == "cpu" else 131_072
    x = torch.randn(n_rows, 384, dtype=dtype, device=device)
    layer = torch.nn.Linear(384, 1_536).to(device, dtype)
    best = 0.0
    with torch.inference_mode():
        for _ in range(3):
            layer(x)
            started = now(device)
            for _ in range(30):
                layer(x)
            best = max(best, 30 * 2 * n_rows * 384 * 1_536 / (now(device) - started) / 1e9)
    return best


def now(device: str) -> float:
    """Processor seconds on a CPU, seconds on a GPU once it has finished."""
    import torch

    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def contestant(name: str, device: str) -> Callable[[list[str]], np.ndarray]:
    """What encodes, by its name in the table."""
    if name == PLAIN:
        from sentence_transformers import SentenceTransformer

        plain = SentenceTransformer(str(bundled_model().directory), device=device)
        return lambda texts: plain.encode(texts, show_progress_bar=False)
    if name in ("fast", "hybrid"):
        return load_encoder(name, device).encode
    return load_encoder("default", device, "auto" if device != "cpu" else name).encode


def measure(name: str, data: Path, n: int, rounds: int, threads: int, device: str) -> None:
    """In a process of its own: print one line of JSON a mix."""
    import torch

    torch.set_num_threads(threads)
    mixes = texts_by_mix(data, n)
    encode = contestant(name, device)
    for mix, texts in mixes.items():
        encode(texts[:2])
        taken = []
        for _ in range(rounds):
            started = now(device)
            vectors = encode(texts)
            taken.append(now(device) - started)
        peak = peak_megabytes()
        on_device = torch.cuda.max_memory_allocated() / 2**20 if device != "cpu" else 0
        found = vectors[:COMPARED].tolist()
        row = {"mix": mix, "seconds": taken, "peak": peak, "device_peak": on_device, "vectors": found, "n": len(texts)}
        print(json.dumps(row), flush=True)


def peak_megabytes() -> float:
    """The most memory that this process ever had; getrusage would also count its parent's at the moment of the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, help="by default 60 on a processor, 20,000 elsewhere")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="cpu, cuda")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    own = parser.parse_args()
    own.articles = own.articles or (60 if own.device == "cpu" else 20_000)
    if own.only:
        measure(own.only, own.data, own.articles, own.rounds, own.threads, own.device)
        return
    torch.set_num_threads(own.threads)
    plain: Any = load_encoder("default", "cpu", "torch-float32")
    names = [PLAIN, *possible_backends(plain._model), "fast", "hybrid"] if own.device == "cpu" else [PLAIN, "default"]
    rates = {name: product_rate(name, own.device) for name in ("float32", "bfloat16")}
    print({name: f"{rate:,.0f} G/s" for name, rate in rates.items()}, flush=True)
    config = plain._model.transformers_model.config
    weights = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    mixes = texts_by_mix(own.data, own.articles)
    n_tokens = {mix: [len(t) for t in plain._tokenise(texts)] for mix, texts in mixes.items()}
    exact: dict[str, np.ndarray] = {}
    if own.device != "cpu":
        exact = {mix: contestant(PLAIN, "cpu")(texts[:COMPARED]) for mix, texts in mixes.items()}
    rows: list[dict[str, Any]] = []
    first: dict[str, float] = {}
    for name in names:
        asked = [
            sys.executable,
            "-m",
            "benchmarks.encode",
            str(own.data),
            "--only",
            name,
            "--articles",
            str(own.articles),
        ]
        asked += ["--rounds", str(own.rounds), "--threads", str(own.threads), "--device", own.device]
        if name in BACKENDS:  # export first, so that its memory is not counted
            load_encoder("default", "cpu", name).encode(["a"])
        done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True)
        for found in map(json.loads, done.stdout.splitlines()):
            mix, taken, vectors = found["mix"], found["seconds"], np.array(found["vectors"])
            reference, before = exact.setdefault(mix, vectors), first.setdefault(mix, min(taken))
            rate = sum(n_tokens[mix]) / min(taken)
            same_space = vectors.shape == reference.shape and name != "fast"
            product = rates["bfloat16" if name.endswith("bfloat16") or name == "default" else "float32"]
            rows.append(
                {
                    "mix": f"{mix} ({found['n']} texts, {np.mean(n_tokens[mix]):.0f} tokens)",
                    "encoder": name,
                    "tokens/s": f"{rate:,.0f} ({sum(n_tokens[mix]) / max(taken):,.0f})",
                    "articles/s": round(found["n"] / min(taken), 1),
                    "times plain": round(before / min(taken), 2),
                    "share": round(2 * weights * rate / 1e9 / product, 2) if same_space else "",
                    "least cosine": round(float((vectors * reference).sum(axis=1).min()), 5) if same_space else "",
                    "peak MB": round(found["device_peak"] or found["peak"]),
                    "a million": f"{MILLION_TOKENS / rate / 60:,.1f} min",
                }
            )
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    frame = pd.DataFrame(rows)
    print(frame.sort_values("mix", kind="stable").to_string(index=False))


if __name__ == "__main__":
    main()
