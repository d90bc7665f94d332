"""A sentence-transformers model exported for OpenVINO or ONNX Runtime (extra `[fast-cpu]`), and run there.

The packages that sentence-transformers uses for this (optimum-intel, optimum-onnx) want an older transformers, so the
model is exported here: its transformer, the pooling and the scaling to length one as one graph with the inputs
`input_ids` and `attention_mask`. Exported graphs are kept in the cache directory beside the unpacked model.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.bundled import cache_root

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LAYOUT = 1  # of what we export; raise it when the graph changes
_POOLINGS = ("mean", "cls")


def can_be_exported(model: SentenceTransformer) -> bool:
    """A transformer, mean or first-token pooling over all tokens, perhaps a scaling: what we know how to export."""
    modules = list(model)
    pooling = modules[1] if len(modules) in (2, 3) else None
    return (
        model.transformers_model is not None
        and callable(model.tokenizer)
        and _pooling(pooling) in _POOLINGS
        and bool(getattr(pooling, "include_prompt", True))
        and all(type(module).__name__ == "Normalize" for module in modules[2:])
    )


def openvino_forward(model: SentenceTransformer, key: str, precision: str) -> PaddedForward:
    """The model in OpenVINO.

    Parameters
    ----------
    key
        Of weights and pooling: names the folder of the exported graph.
    precision
        `float32` or `bfloat16`, of the whole network; sums in it stay in float32.
    """
    import openvino
    import torch

    path = _exported(key, "openvino", lambda folder: _export_openvino(model, folder / "model.xml"))
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    options = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
    }
    compiled = openvino.Core().compile_model(path / "model.xml", "CPU", options)
    return PaddedForward(lambda ids, mask: np.array(compiled([ids, mask])[0]), int(model.tokenizer.pad_token_id or 0))


def onnx_forward(model: SentenceTransformer, key: str) -> PaddedForward:
    """The model in ONNX Runtime, float32: its CPU kernels know no bfloat16."""
    import onnxruntime
    import torch

    path = _exported(key, "onnx", lambda folder: _export_onnx(model, folder / "model.onnx"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path / "model.onnx", options, providers=["CPUExecutionProvider"])
    return PaddedForward(
        lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0],
        int(model.tokenizer.pad_token_id or 0),
    )


class PaddedForward:
    """Runs a graph on a padded batch.

    Parameters
    ----------
    run
        (n, longest) int64 token ids and mask -> (n, d) float32.
    padding
        The token that fills short texts up.
    """

    tokens_per_batch = 1_024  # what a core's caches hold; four times as many are 15 to 40 % slower

    def __init__(self, run: Callable[[np.ndarray, np.ndarray], np.ndarray], padding: int) -> None:
        self._run, self._padding = run, padding

    def __call__(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Vectors of n tokenised texts: (n, d) float32 of length one."""
        longest = max(len(ids) for ids in token_ids)
        tokens = np.full((len(token_ids), longest), self._padding, np.int64)
        mask = np.zeros_like(tokens)
        for row, ids in enumerate(token_ids):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        return self._run(tokens, mask)


def _graph(model: SentenceTransformer) -> Any:
    """A torch module from (input_ids, attention_mask) to vectors of length one."""
    import torch

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer: Any = model.transformers_model
            self.takes_mean = _pooling(model[1]) == "mean"

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            if self.takes_mean:
                is_there = attention_mask.unsqueeze(-1).to(states.dtype)
                pooled = (states * is_there).sum(1) / is_there.sum(1)
            else:
                pooled = states[:, 0]
            return torch.nn.functional.normalize(pooled, dim=1)

    return Graph().eval()


def _examples() -> dict[str, Any]:
    import torch

    return {"input_ids": torch.ones(2, 7, dtype=torch.long), "attention_mask": torch.ones(2, 7, dtype=torch.long)}


def _export_openvino(model: SentenceTransformer, path: Path) -> None:
    import openvino
    import torch

    with torch.no_grad():
        graph = openvino.convert_model(_graph(model), example_input=_examples())
    openvino.save_model(graph, path)  # weights in half precision, as the bundled model's are


def _export_onnx(model: SentenceTransformer, path: Path) -> None:
    import torch

    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad():
        torch.onnx.export(
            _graph(model),
            (),
            str(path),
            kwargs=_examples(),
            dynamo=True,
            dynamic_shapes={"input_ids": sizes, "attention_mask": sizes},
            input_names=["input_ids", "attention_mask"],
            external_data=False,
            verbose=False,
        )


def _exported(key: str, kind: str, export: Callable[[Path], None]) -> Path:
    """The folder of an exported graph, made whole or not at all; several processes may ask at once."""
    from filelock import FileLock

    versions = "-".join(metadata.version(name) for name in ("torch", "openvino" if kind == "openvino" else "onnx"))
    parent = cache_root() / "exported"
    target = parent / f"{key}-{kind}-{versions}-v{_LAYOUT}"
    parent.mkdir(parents=True, exist_ok=True)
    with FileLock(parent / f"{target.name}.lock"):
        if not target.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=parent))
            level = logging.root.manager.disable
            try:
                logging.disable(logging.WARNING)
                with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                    warnings.simplefilter("ignore")
                    export(scratch)
                scratch.chmod(0o755)
                scratch.rename(target)
            finally:
                logging.disable(level)
                shutil.rmtree(scratch, ignore_errors=True)
    return target


def _pooling(module: Any) -> str:
    mode = getattr(module, "pooling_mode", None)
    if isinstance(mode, str):
        return mode
    return str(mode[0]) if isinstance(mode, list | tuple) and len(mode) == 1 else ""
