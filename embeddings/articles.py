"""Articles to vectors, with a cache or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embeddings.cache import Progress, VectorCache
from embeddings.encoder import Encoder, load_encoder
from embeddings.hybrid import HybridEncoder, join_parts
from embeddings.passages import model_input
from embeddings.planning import TEXTS_PER_BATCH, plan_batches

if TYPE_CHECKING:
    import pandas as pd


def encode_articles(
    frame: pd.DataFrame,
    encoder: Encoder | None = None,
    cache: VectorCache | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Vectors of articles.

    Parameters
    ----------
    frame
        n rows with the columns `title` and `text`; missing values count as empty.
    encoder
        From `load_encoder`; by default the default model on the best device.
    cache
        Where vectors are kept; without one everything is encoded, with the same result.
    progress
        Called with the number of texts done and their total, after each batch.

    Returns
    -------
    np.ndarray
        (n, d) float32, in the frame's order.

    Raises
    ------
    KeyError
        A column is absent.
    """
    if absent := {"title", "text"} - set(frame.columns):
        raise KeyError(f"columns {sorted(absent)} are absent; the frame has {list(frame.columns)}")
    encoder = encoder or load_encoder()
    titles, bodies = frame["title"].fillna("").astype(str), frame["text"].fillna("").astype(str)
    texts = [model_input(title, text) for title, text in zip(titles, bodies, strict=True)]
    if cache is not None:
        return cache.encode(encoder, texts, progress)
    if isinstance(encoder, HybridEncoder):  # as the cache does it: each part in half precision
        return join_parts([encode_articles(frame, part, None, progress) for part in encoder.parts], encoder.scales)
    vectors: dict[str, np.ndarray] = {}
    unique = {text: text for text in texts}
    for batch in plan_batches(unique, getattr(encoder, "texts_per_batch", TEXTS_PER_BATCH)):
        rows = np.asarray(encoder.encode(batch)).astype(np.float16).astype(np.float32)
        vectors.update(zip(batch, rows, strict=True))
        if progress is not None:
            progress(len(vectors), len(unique))
    return np.array([vectors[text] for text in texts], np.float32).reshape(len(texts), encoder.dimension)
