"""A picture of a week's stories, and which narratives lie near each other.

UMAP serves the picture and nothing else: its axes and distances have no meaning, and nobody's identity rests on it.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from narratives.archive import schema
from narratives.archive.history import bytes_vector
from narratives.projection import umap_model
from narratives.space import Space, form_tag

if TYPE_CHECKING:
    import pandas as pd

    from narratives.desk import Desk

# UMAP takes ten seconds to start and says nothing of few points that their two main directions do not.
MIN_FOR_UMAP = 150
MAX_POINTS = 1_500
_KEPT_DECIMALS = 3
_METHOD = "umap-15-0.3-cosine"  # part of the key under which a picture is kept


def week_map(desk: Desk, week: date) -> pd.DataFrame:
    """Places of a week's stories on a plane, from cached vectors only.

    Parameters
    ----------
    week
        Monday.

    Returns
    -------
    DataFrame with id (article that speaks for its story), x, y (-1 to 1, no unit). At most `MAX_POINTS` stories,
    spread evenly over the ids where there are more. Fewer than `MIN_FOR_UMAP` are drawn by their two principal
    components. Empty where no vector is in the cache. Equal archives give equal places; those of UMAP are kept in
    the desk's folder `vectors/maps`, where it can be written.
    """
    import pandas as pd

    articles = desk.articles()
    own = articles[(articles["week"] == week) & articles["is_first"]].sort_values("id")
    own = own.iloc[:: -(-len(own) // MAX_POINTS) or 1]
    have, vectors = projected(desk, own)
    ids = own["id"].to_numpy()[have]
    points = _principal(vectors) if len(ids) < MIN_FOR_UMAP else _kept(desk, ids, vectors)
    return pd.DataFrame({"id": ids, "x": points[:, 0], "y": points[:, 1]})


def story_places(desk: Desk, ids: np.ndarray, vectors: np.ndarray) -> pd.DataFrame:
    """Places of any number of stories, for looking around in: by UMAP up to `MAX_POINTS`, else by main directions.

    Parameters
    ----------
    ids : (n,)
    vectors : (n, d)

    Returns
    -------
    DataFrame with id, x, y (-1 to 1, no unit).
    """
    import pandas as pd

    small = len(ids) <= MAX_POINTS
    points = _kept(desk, ids, vectors) if small and len(ids) >= MIN_FOR_UMAP else _principal(vectors)
    return pd.DataFrame({"id": ids, "x": points[:, 0], "y": points[:, 1]})


def projected(desk: Desk, articles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions (m,) of the articles whose vectors are cached, and their (m, d) unit vectors, as an update has them."""
    from embeddings import VectorCache, model_input

    fingerprint = desk.archive.get_meta("encoder")
    if fingerprint is None or articles.empty:
        return np.zeros(0, dtype=int), np.zeros((0, 2), dtype=np.float32)
    texts = [model_input(title, text) for title, text in zip(articles["title"], articles["text"], strict=True)]
    found = VectorCache(desk.folder / "vectors").get(fingerprint, texts)
    have = np.flatnonzero(found.found)
    rows = articles.iloc[have][["id", "lang", "text"]]
    taken_in = desk.archive.step_weeks(rows["id"].tolist())
    tags = [
        form_tag({"lang": lang, "text": text, "step_week": taken_in.get(article)})
        for article, lang, text in rows.itertuples(index=False)
    ]
    return have, space_of(desk, found.vectors.shape[1]).project(found.vectors[have], tags)


def space_of(desk: Desk, dimension: int) -> Space:
    """The space of the latest step, from the archive alone."""
    from embeddings import LanguageRemoval

    means = LanguageRemoval.shipped(desk.archive.get_meta("encoder")).means or {}
    prior = {lang: np.asarray(mean, dtype=float) for lang, mean in means.items()}
    prior[""] = np.mean(list(prior.values()), axis=0) if prior else np.zeros(dimension)
    return Space.load(desk.archive, prior, desk.archive.last_step())


def _principal(vectors: np.ndarray) -> np.ndarray:
    """(n, 2) first two principal components, scaled into -1 to 1; signs fixed, so that no library can turn it over."""
    if len(vectors) < 3:
        return np.stack([np.linspace(-1, 1, len(vectors)), np.zeros(len(vectors))], axis=1)
    centred = vectors.astype(float) - vectors.mean(axis=0, dtype=float)
    # By the (d, d) products, so that 50,000 stories take no longer than their product.
    squares, columns = np.linalg.eigh(centred.T @ centred)
    values, axes = np.sqrt(np.maximum(squares[::-1], 0.0)), columns.T[::-1]
    axes = axes[:2] * np.where(values[:2, None] > 1e-9, 1.0, 0.0)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return _scaled(centred @ (axes * np.where(signs == 0, 1, signs)[:, None]).T)


def _scaled(points: np.ndarray) -> np.ndarray:
    """Into -1 to 1 by one factor an axis, rounded, so that the last digits of a processor do not show."""
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = np.maximum((points.max(axis=0) - points.min(axis=0)) / 2, 1e-9)
    return np.round((points - middle) / reach, _KEPT_DECIMALS) + 0.0


def _umap(vectors: np.ndarray) -> np.ndarray:
    """(n, 2) places by UMAP (McInnes, Healy, Melville 2018), from the principal components on, with a fixed seed."""
    # A random state needs one thread; saying so keeps umap from warning of it.
    reducer = umap_model(
        n_components=2, n_neighbors=15, min_dist=0.3, metric="cosine", init=10 * _principal(vectors),
        random_state=20250825, n_jobs=1,
    )  # fmt: skip
    return _scaled(np.asarray(reducer.fit_transform(vectors.astype(np.float32)), dtype=float))


def _kept(desk: Desk, ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The picture by UMAP, computed once: the key is all that it is computed from."""
    digest = hashlib.sha256("\n".join([_METHOD, *map(str, ids)]).encode())
    digest.update(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
    path = desk.folder / "vectors" / "maps" / f"{digest.hexdigest()[:24]}.npy"
    if path.exists():
        kept = np.load(path, allow_pickle=False)
        if kept.shape == (len(ids), 2):
            return np.asarray(kept, dtype=float)
    points = _umap(vectors)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            np.save(file, points)
        part.replace(path)
    except OSError:  # a folder that may only be read: it is drawn anew next time
        pass
    return points


def near_narratives(desk: Desk, limit: int = 3) -> pd.DataFrame:
    """Of each narrative the `limit` others whose centres lie nearest, nearest first.

    Returns
    -------
    DataFrame with narrative, other, cosine (-1 to 1, of the latest centres). Merged narratives are left out.
    """
    import pandas as pd

    rows = [r for r in desk.archive.rows(schema.narrative) if r["centre"] and r["status"] != "merged"]
    columns = ["narrative", "other", "cosine"]
    if len(rows) < 2:
        return pd.DataFrame(columns=columns)
    ids = [row["id"] for row in rows]
    centres = np.stack([bytes_vector(row["centre"]) for row in rows]).astype(float)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    cosines = np.round(centres @ centres.T, 4)
    np.fill_diagonal(cosines, -np.inf)
    found = []
    for i, own in enumerate(ids):
        order = np.argsort(-cosines[i], kind="stable")[: min(limit, len(ids) - 1)]
        found += [(own, ids[j], float(cosines[i, j])) for j in order]
    return pd.DataFrame(found, columns=columns)
