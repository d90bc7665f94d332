"""UMAP computes in as many threads as were allowed, and leaves no more behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LEFT = """
import numpy as np
import torch
from narratives.projection import umap_model
umap_model(n_neighbors=5, random_state=0, n_jobs=1).fit(np.random.default_rng(0).standard_normal((40, 4)))
print(torch.get_num_threads())
"""


@pytest.mark.parametrize(
    ("said", "left"), [({"OMP_NUM_THREADS": "1"}, 1), ({"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "2"}, 2)]
)
def test_what_the_user_has_said_holds(said: dict[str, str], left: int) -> None:
    rest = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    run = subprocess.run([sys.executable, "-c", _LEFT], env=rest | said, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(left)]
