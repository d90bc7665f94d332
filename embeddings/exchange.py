"""Vectors as Parquet files: one of a model's, or a folder of parts as a distributed run leaves it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embeddings.vector_file import KEY, VectorFile, write_whole

SPACE_FILE = "space.json"


def write_vectors(file: VectorFile, path: Path) -> int:
    """Write a model's vectors: `key` (16 bytes), `vector` (list of d half floats). Returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys, vectors = file.everything()
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(KEY.itemsize), len(keys), [None, pa.py_buffer(keys.tobytes())]
    )
    rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), max(1, vectors.shape[1]))
    table = pa.table({"key": column, "vector": rows})
    table = table.replace_schema_metadata({"fingerprint": file.fingerprint, "dimension": str(vectors.shape[1])})
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table, scratch)
    scratch.replace(path)
    return len(keys)


def describe_folder(folder: Path, fingerprint: str, dimension: int, backend: str) -> None:
    """Say whose vectors the Parquet files of a folder will hold."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"fingerprint": fingerprint, "dimension": dimension, "backend": backend}
    write_whole(folder / SPACE_FILE, json.dumps(content, ensure_ascii=False))


def read_vectors(path: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Fingerprint, keys (n,) and vectors (n, d), float16, of a file or of each file of a folder.

    Raises
    ------
    ValueError
        Nothing says whose vectors they are, or they have numbers that are not finite.
    """
    import pyarrow.parquet as pq

    said: dict[str, str] = {}
    if path.is_dir():
        try:
            said = json.loads((path / SPACE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{path}: no {SPACE_FILE} says which model its vectors are of") from None
    for part in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        table = pq.read_table(part).combine_chunks()
        metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        about = said or metadata
        if not {"fingerprint", "dimension"} <= about.keys():
            raise ValueError(f"{part}: no fingerprint in its metadata: not written by export_parquet")
        keys = np.frombuffer(b"".join(table["key"].to_pylist()), KEY)
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.astype(np.float16).reshape(len(keys), int(about["dimension"]))
        if not np.isfinite(vectors).all():
            raise ValueError(f"{part}: vectors with numbers that are not finite")
        yield about["fingerprint"], keys, vectors
