"""UMAP, in no more threads than the user has said."""

from __future__ import annotations

import os
import sys
from typing import Any


def umap_model(**parameters: Any) -> Any:
    """A `umap.UMAP` with these parameters.

    Numba, which it computes with, starts as many OpenMP threads as there are cores and leaves that number to all that
    comes after it in the process: torch would encode in more threads than `OMP_NUM_THREADS` allows, and threads that
    wait for a core in one another's way spin. Numba has a variable of its own, read when it is imported.

    References
    ----------
    McInnes, Healy and Melville, UMAP, 2018.
    """
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said) and "numba" not in sys.modules:  # once it computes, it takes no other number
        os.environ.setdefault("NUMBA_NUM_THREADS", said)
    import umap

    return umap.UMAP(**parameters)
