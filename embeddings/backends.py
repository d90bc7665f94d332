"""Which program computes a model on this machine's processor: the fastest that agrees with float32.

    torch-float32         the reference; without padding for BERT models with mean pooling (`bert_forward.py`)
    torch-bfloat16        the same with bfloat16 products
    openvino-float32, openvino-bfloat16, onnxruntime-float32
                          an exported graph (`exported.py`), with the extra `[fast-cpu]`

bfloat16 is considered only where the processor multiplies it itself. With torch alone that decides. With other
programs installed, all are tried once on built-in texts: whose vectors have a cosine of less than .999 to float32 is
out, and of the rest the one that takes the least processor time is chosen. The decision is written down beside the
unpacked model for this processor and these versions, so that it does not change from run to run; `VectorCache` keeps
for each desk what its vectors were made with, and asks for that again.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.bert_forward import PackedBert, bfloat16_is_native, supports
from embeddings.bundled import cache_root
from embeddings.exported import can_be_exported, onnx_forward, openvino_forward
from embeddings.vector_file import write_whole

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BACKENDS = ("torch-float32", "torch-bfloat16", "openvino-float32", "openvino-bfloat16", "onnxruntime-float32")
AGREEMENT = 0.999
_TOKENS_PER_BATCH = 4_096
_log = logging.getLogger(__name__)
_PARAGRAPH = (
    "Core Insights - 钕铁硼 NdFeB 2025-11-15: the plant in Sumter, South Carolina, made its first block. "
    "商务部宣布对中重稀土实施出口管制，企业须逐单申领许可证，磁体价格随之上涨。"
)
CHECK_TEXTS = [
    "商务部宣布对中重稀土实施出口管制，企业须逐单申领许可证，磁体价格随之上涨。",
    "The ministry tightened export controls on rare earth magnets, and prices rose 3.5 percent.",
    "稀土",
    "OK",
    *(_PARAGRAPH * n for n in (1, 2, 4, 6, 8)),
]

Forward = Callable[[Sequence[Sequence[int]]], np.ndarray]
Tokenise = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Choice:
    """What computes.

    Parameters
    ----------
    name
        One of `BACKENDS`.
    reason
        Why this one, in words.
    forward
        Tokenised texts to (n, d) vectors; None: through `SentenceTransformer.encode`.
    tokens_per_batch
        What suits it.
    """

    name: str
    reason: str
    forward: Forward | None
    tokens_per_batch: int = _TOKENS_PER_BATCH


def possible_backends(model: SentenceTransformer) -> list[str]:
    """Names of the backends that are installed, know this model, and suit this processor."""
    native = bfloat16_is_native()
    found = ["torch-float32"]
    if supports(model) and native:
        found.append("torch-bfloat16")
    if can_be_exported(model):
        if importlib.util.find_spec("openvino"):
            found += ["openvino-float32", *(["openvino-bfloat16"] if native else [])]
        if all(importlib.util.find_spec(name) for name in ("onnxruntime", "onnx", "onnxscript")):
            found.append("onnxruntime-float32")
    return found


def make_backend(name: str, reason: str, model: SentenceTransformer, key: str) -> Choice:
    """A backend by name.

    Raises
    ------
    ValueError
        It is not one of `BACKENDS`, does not know this model, or is not installed.
    """
    program, _, precision = name.partition("-")
    if name not in BACKENDS:
        raise ValueError(f"backend {name!r}; there is auto, {', '.join(BACKENDS)}")
    if program == "torch":
        import torch

        if supports(model):
            return Choice(name, reason, PackedBert(model, getattr(torch, precision)))
        if precision == "float32":
            return Choice(name, reason, None)
        raise ValueError(f"{name} computes BERT models with mean pooling only; take torch-float32")
    if not can_be_exported(model):
        raise ValueError(f"{name} takes transformers with mean or first-token pooling only; take torch-float32")
    try:
        forward = openvino_forward(model, key, precision) if program == "openvino" else onnx_forward(model, key)
    except ImportError as error:
        raise ValueError(f"{name} needs {error.name}: pip install 'narratives[fast-cpu]'") from error
    return Choice(name, reason, forward, forward.tokens_per_batch)


def choose_backend(model: SentenceTransformer, key: str, tokenise: Tokenise, family: str = "") -> Choice:
    """The fastest backend that agrees with float32, among those whose names begin with `family`."""
    names = [name for name in possible_backends(model) if name.startswith(family)]
    if not names:
        raise ValueError(
            f"no backend {family!r} is here for this model; there is {', '.join(possible_backends(model))}"
        )
    if all(name.startswith("torch") for name in names):
        return _choose_of_torch(names, model, key, tokenise)
    from filelock import FileLock

    path = _decision_path(key, names)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # who asks meanwhile gets the same answer
        try:
            decided = json.loads(path.read_text(encoding="utf-8"))
            return make_backend(decided["name"], decided["reason"], model, key)
        except (OSError, ValueError, KeyError):
            choice, trials = _try_out(names, model, key, tokenise)
            said = {"name": choice.name, "reason": choice.reason, "tried": trials, "key": key}
            write_whole(path, json.dumps({**said, "processor": _processor()}, indent=1))
            return choice


def decided_before(key: str) -> str | None:
    """Name of the backend that was chosen here last for a model, and why; None if nothing was tried.

    Parameters
    ----------
    key
        Hash of the weights.
    """
    paths = sorted((cache_root() / "backends").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in paths:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.get("key", "").startswith(key) and said.get("processor") == _processor():
            return f"{said['name']}: {said['reason']}"
    return None


def _choose_of_torch(names: list[str], model: SentenceTransformer, key: str, tokenise: Tokenise) -> Choice:
    if "torch-bfloat16" not in names:
        why = "this processor has no bfloat16 of its own" if supports(model) else "nothing else is installed for it"
        return make_backend("torch-float32", why, model, key)
    exact, fast = (make_backend(name, "", model, key) for name in names)
    agreement = _agreement(_vectors(fast, CHECK_TEXTS, tokenise), _vectors(exact, CHECK_TEXTS, tokenise))
    if agreement < AGREEMENT:
        why = f"bfloat16 agrees only to a cosine of {agreement:.5f}"
        return make_backend("torch-float32", why, model, key)
    return Choice(fast.name, f"cosine to float32 at least {agreement:.5f}", fast.forward)


def _try_out(
    names: list[str], model: SentenceTransformer, key: str, tokenise: Tokenise
) -> tuple[Choice, list[dict[str, Any]]]:
    """Time each on the check texts, the reference first; the fastest that agrees, and what was measured."""
    trials: list[dict[str, Any]] = []
    choices: dict[str, Choice] = {}
    exact = np.zeros(0)
    n_tokens = sum(map(len, tokenise(CHECK_TEXTS)))
    for name in dict.fromkeys(["torch-float32", *names]):
        try:
            choice = make_backend(name, "", model, key)
            vectors = _vectors(choice, CHECK_TEXTS, tokenise, model)
            seconds = []
            for _ in range(2):
                started = time.process_time()
                _vectors(choice, CHECK_TEXTS, tokenise, model)
                seconds.append(time.process_time() - started)
        except Exception as error:  # whatever an optional program raises, the others remain
            _log.warning("%s cannot compute this model: %s", name, error)
            trials.append({"name": name, "failed": f"{type(error).__name__}: {error}"[:300]})
            continue
        exact = vectors if name == "torch-float32" else exact
        rate = n_tokens / max(min(seconds), 1e-9)
        trials.append({"name": name, "tokens_a_second": round(rate), "cosine": round(_agreement(vectors, exact), 6)})
        choices[name] = choice
    fit = [trial for trial in trials if trial["name"] in names and trial.get("cosine", 0) >= AGREEMENT]
    if not fit:
        raise ValueError(f"none of {', '.join(names)} can compute this model: {trials}")
    best = max(fit, key=lambda trial: trial["tokens_a_second"])
    others = ", ".join(f"{t['name']} {t['tokens_a_second']:,}" for t in fit if t is not best)
    reason = (
        f"{best['tokens_a_second']:,} tokens a processor second when tried here ({others}), "
        f"cosine to float32 at least {best['cosine']:.5f}"
    )
    chosen = choices[best["name"]]
    return Choice(chosen.name, reason, chosen.forward, chosen.tokens_per_batch), trials


def _vectors(
    choice: Choice, texts: list[str], tokenise: Tokenise, model: SentenceTransformer | None = None
) -> np.ndarray:
    if choice.forward is None:
        assert model is not None
        return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False))
    return np.concatenate([choice.forward([ids]) for ids in tokenise(texts)])


def _agreement(vectors: np.ndarray, exact: np.ndarray) -> float:
    return float((vectors * exact).sum(axis=1).min())


def _decision_path(key: str, names: list[str]) -> Path:
    """A file for this model, processor, and versions."""
    import hashlib

    import torch

    versions = [f"{name} {_version(name)}" for name in ("torch", "openvino", "onnxruntime")]
    about = [key, platform.machine(), _processor(), str(torch.get_num_threads()), *versions, *names]
    return cache_root() / "backends" / f"{hashlib.sha256('|'.join(about).encode()).hexdigest()[:16]}.json"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    import torch

    return f"{platform.processor()} {torch.backends.cpu.get_cpu_capability()} {bfloat16_is_native()}"
