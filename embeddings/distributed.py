"""Encodes on the machines of a Ray cluster (extra `[distributed]`): texts or Parquet in, Parquet partitions out.

Every worker is an actor that loads the model once and computes whole batches, planned as `VectorCache` plans them, so
that the vectors are those of one machine with the same backend. A worker that dies is replaced, and its batch is
computed again; a run that died goes on where it was, as what lies in the folder is not computed twice.
`VectorCache.import_parquet` takes the folder in.

With fewer cores than actors and readers, Ray waits for ever: each worker takes a fraction of a core where asked to, and
the input is cut into more blocks than there are workers.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.cache import VectorCache
from embeddings.encoder import load_encoder
from embeddings.exchange import describe_folder, read_vectors
from embeddings.passages import model_input
from embeddings.planning import TEXTS_PER_BATCH, plan_batches
from embeddings.vector_file import KEY, text_keys

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)
_BATCHES_PER_CALL = 4
_ROWS_PLANNED_TOGETHER = 8_192


class EncodingWorker:
    """One actor: a loaded model."""

    def __init__(self, model: str, device: str, backend: str, n_threads: int) -> None:
        import torch

        torch.set_num_threads(n_threads)
        self._encoder = load_encoder(model, device, backend)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Rows with a batch of `texts` each -> a row a text: `key` (16 bytes), `vector` (d half floats)."""
        import pyarrow as pa

        batches: list[list[str]] = table["texts"].to_pylist()
        vectors = [self._encoder.encode(batch).astype(np.float16) for batch in batches]
        keys = text_keys([text for batch in batches for text in batch])
        rows = np.concatenate([np.zeros((0, self._encoder.dimension), np.float16), *vectors])
        if not np.isfinite(rows).all():
            raise ValueError(f"the encoder {self._encoder.fingerprint!r} gave numbers that are not finite")
        column = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(KEY.itemsize), len(keys), [None, pa.py_buffer(keys.tobytes())]
        )
        return pa.table(
            {"key": column, "vector": pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])}
        )


def encode_with_ray(
    texts: Sequence[str],
    folder: Path,
    cache: VectorCache | None = None,
    model: str = "default",
    device: str = "auto",
    backend: str = "auto",
    n_workers: int = 2,
    cpus: float = 1.0,
    gpus: float = 0.0,
) -> list[Path]:
    """Encode texts on the cluster that `RAY_ADDRESS` names, else on one that is started here.

    Parameters
    ----------
    texts
        As `model_input` gives them; they must fit into this machine's memory (see `encode_files_with_ray`).
    folder
        Gets a folder for each part of the model.
    cache
        What is in it is not computed, and how its vectors were computed is how the new ones are.
    model, device, backend
        As for `load_encoder`.
    n_workers, cpus, gpus
        Actors, and what each of them takes; fractions may be given.

    Returns
    -------
    list of Path
        The folders, one for each part of the model, for `VectorCache.import_parquet`.
    """
    unique = list(dict.fromkeys(texts))
    written = []
    for part in _parts(model):
        target, chosen, fingerprint, n_texts = _prepare(part, folder, cache, device, backend)
        there = cache.get(fingerprint, unique).found if cache is not None else np.zeros(len(unique), bool)
        keys = [key.tobytes() for key in text_keys(unique)]
        missing = {str(i): text for i, text in enumerate(unique) if not there[i]}
        done = set(_finished_keys(target))
        batches = [
            [missing[i] for i in batch]
            for batch in plan_batches(missing, n_texts)
            if not done.issuperset(keys[int(i)] for i in batch)
        ]
        if batches:
            ray = _started()
            n_blocks = min(len(batches), max(4 * n_workers, len(batches) // _BATCHES_PER_CALL))
            source = ray.data.from_items([{"texts": batch} for batch in batches], override_num_blocks=n_blocks)
            _encode(source, target, part, device, chosen, n_workers, cpus, gpus)
        written.append(target)
    return written


def encode_files_with_ray(
    paths: Sequence[Path],
    folder: Path,
    model: str = "default",
    device: str = "auto",
    backend: str = "auto",
    n_workers: int = 2,
    cpus: float = 1.0,
    gpus: float = 0.0,
) -> list[Path]:
    """Encode Parquet files of articles; nothing passes through this machine but the keys of what is done.

    Parameters
    ----------
    paths
        Files or folders with the columns `title` and `text`, wherever Ray can read them.

    See `encode_with_ray` for the others. Batches are planned over 8,192 rows at a time.
    """
    written = []
    for part in _parts(model):
        target, chosen, _, n_texts = _prepare(part, folder, None, device, backend)
        ray = _started()
        done = ray.put(np.sort(np.frombuffer(b"".join(_finished_keys(target)), KEY), order=["first", "second"]))
        planned = (
            ray.data.read_parquet([str(path) for path in paths])
            .select_columns(["title", "text"])
            .map_batches(
                _plan_rows,
                batch_size=_ROWS_PLANNED_TOGETHER,
                batch_format="pyarrow",
                num_cpus=min(cpus, 0.5),
                fn_kwargs={"done": done, "n_texts": n_texts},
            )
        )
        _encode(planned, target, part, device, chosen, n_workers, cpus, gpus)
        written.append(target)
    return written


def _plan_rows(table: pa.Table, done: Any, n_texts: int) -> pa.Table:
    """Articles -> batches of model inputs that are not done, one a row."""
    import pyarrow as pa
    import ray

    finished = ray.get(done) if isinstance(done, ray.ObjectRef) else done
    pairs = zip(table["title"].to_pylist(), table["text"].to_pylist(), strict=True)
    texts = list(dict.fromkeys(model_input(title or "", text or "") for title, text in pairs))
    keys = text_keys(texts)
    at = np.minimum(np.searchsorted(finished, keys), max(0, len(finished) - 1))
    is_new = finished[at] != keys if len(finished) else np.ones(len(keys), bool)
    missing = {str(i): texts[i] for i in np.flatnonzero(is_new)}
    batches = [[missing[i] for i in batch] for batch in plan_batches(missing, n_texts)]
    return pa.table({"texts": pa.array(batches, pa.list_(pa.string()))})


def _encode(
    source: Any, target: Path, model: str, device: str, backend: str, n_workers: int, cpus: float, gpus: float
) -> None:
    import ray

    vectors = source.map_batches(
        EncodingWorker,
        batch_size=_BATCHES_PER_CALL,
        batch_format="pyarrow",
        fn_constructor_args=(model, device, backend, max(1, int(cpus))),
        compute=ray.data.ActorPoolStrategy(size=n_workers),
        num_cpus=cpus,
        num_gpus=gpus or None,
    )
    vectors.write_parquet(str(target), ray_remote_args={"num_cpus": min(cpus, 0.25)})


def _prepare(
    part: str, folder: Path, cache: VectorCache | None, device: str, backend: str
) -> tuple[Path, str, str, int]:
    """Folder, backend, fingerprint and texts a batch of one part of a model."""
    encoder = load_encoder(part, device, backend)
    used = cache.backends(encoder.fingerprint) if cache is not None else []
    if used and hasattr(encoder, "prefer_backend"):
        encoder.prefer_backend(used[0])
    computed_by = str(getattr(encoder, "backend_name", "numpy-float32"))
    # Named, so that workers on unlike machines compute alike; on a GPU there is one way only.
    chosen = computed_by if computed_by.startswith(("torch", "openvino", "onnx")) else "auto"
    target = folder / hashlib.sha256(encoder.fingerprint.encode("utf-8")).hexdigest()[:16]
    describe_folder(target, encoder.fingerprint, encoder.dimension, computed_by)
    n_texts = int(getattr(encoder, "texts_per_batch", TEXTS_PER_BATCH))
    return target, chosen, encoder.fingerprint, n_texts


def _finished_keys(folder: Path) -> list[bytes]:
    """Keys of the vectors in a folder; a file that a killed run left unfinished is removed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in folder.glob("*.parquet"):
        try:
            pq.read_metadata(path)
        except (pa.ArrowInvalid, OSError):
            _log.warning("%s was not finished: its vectors are computed again", path)
            path.unlink()
    return [key.tobytes() for _, keys, _ in read_vectors(folder) for key in keys]


def _parts(model: str) -> list[str]:
    return ["default", "fast"] if model == "hybrid" else [model]


def _started() -> Any:
    """Ray, connected."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ValueError("the engine ray is not installed: pip install 'narratives[distributed]'") from error
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    return ray
