"""Three trackers to beat, on the same vectors and with the same alert rule: they differ in how they track only."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from narratives.alerts import Newborn, judge, settle
from narratives.replay.measures import Alert, Tracked
from narratives.replay.streams import Stream
from narratives.settings import AlertSettings

_SMALLEST = 5  # texts of a narrative; with fewer a cluster is none yet
_WEEKLY = 3  # texts of a weekly cluster
_ALIKE = 0.7


@dataclass
class _Cluster:
    rows: list[int] = field(default_factory=list)
    total: np.ndarray | float = 0.0
    born: int = -1  # week in which it reached five texts

    def add(self, rows: list[int], vectors: np.ndarray, week: int) -> None:
        self.rows += rows
        self.total = self.total + vectors[rows].sum(axis=0)
        if self.born < 0 and len(self.rows) >= _SMALLEST:
            self.born = week


def cut_of(vectors: np.ndarray, percentile: float = 99.0, seed: int = 0) -> float:
    """Cosine that this percentile of 200,000 random pairs stays below."""
    dice = np.random.default_rng(seed)
    a, b = dice.integers(0, len(vectors), (2, 200_000))
    cosines = np.einsum("ij,ij->i", vectors[a], vectors[b])
    return float(np.percentile(cosines[a != b], percentile))


def single_pass(stream: Stream, vectors: np.ndarray) -> Tracked:
    """Each text joins the nearest centre if its cosine reaches the cut, else it opens a cluster."""
    began = time.process_time()
    cut = cut_of(vectors)
    clusters: list[_Cluster] = []
    centres = np.zeros_like(vectors)  # row j: of cluster j
    for i, text in enumerate(stream.texts):
        near = centres[: len(clusters)] @ vectors[i]
        j = int(near.argmax()) if len(clusters) and near.max() >= cut else len(clusters)
        if j == len(clusters):
            clusters.append(_Cluster())
        clusters[j].add([i], vectors, text.week)
        centres[j] = clusters[j].total / np.linalg.norm(clusters[j].total)
    return _tracked(stream, vectors, clusters, cut, began)


def weekly_merged(stream: Stream, vectors: np.ndarray) -> Tracked:
    """Average-link clusters of each week alone, each joined to the most alike so far if its cosine exceeds .7.

    References
    ----------
    Boutaleb et al., BERTrend, 2024: weekly models merged by the similarity of their topics.
    """
    began = time.process_time()
    cut = cut_of(vectors)
    clusters: list[_Cluster] = []
    for week in range(stream.n_weeks):
        rows = np.array([i for i, text in enumerate(stream.texts) if text.week == week])
        if len(rows) < 2:
            continue
        labels = fcluster(linkage(vectors[rows], "average", metric="cosine"), 1 - cut, "distance")
        for label in np.unique(labels):
            own = [int(i) for i in rows[labels == label]]
            if len(own) < _WEEKLY:
                continue
            centre = vectors[own].sum(axis=0)
            near = [float(c.total @ centre / np.linalg.norm(c.total) / np.linalg.norm(centre)) for c in clusters]
            if not near or max(near) <= _ALIKE:
                clusters.append(_Cluster())
                near.append(np.inf)
            clusters[int(np.argmax(near))].add(own, vectors, week)
    return _tracked(stream, vectors, clusters, cut, began)


def refitted(stream: Stream, vectors: np.ndarray) -> Tracked:
    """Everything so far clustered anew each week; clusters get their old ids by Hungarian matching of shared texts.

    A text keeps the id that it was given in its own week: what was reported then is what is judged.

    References
    ----------
    Kuhn, The Hungarian method, 1955; weekly refits matched so are what most topic-model dashboards do.
    """
    from scipy.optimize import linear_sum_assignment

    began = time.process_time()
    cut = cut_of(vectors)
    now: dict[int, int] = {}  # row -> cluster, as of the latest refit
    clusters: list[_Cluster] = []
    for week in range(stream.n_weeks):
        rows = np.array([i for i, text in enumerate(stream.texts) if text.week <= week])
        if len(rows) < 2:
            continue
        labels = fcluster(linkage(vectors[rows], "average", metric="cosine"), 1 - cut, "distance")
        groups = [rows[labels == label] for label in np.unique(labels)]
        groups = [group for group in groups if len(group) >= _SMALLEST]
        shared = np.zeros((len(groups), len(clusters)))
        for g, group in enumerate(groups):
            for i in group:
                if int(i) in now:
                    shared[g, now[int(i)]] += 1
        matched = dict(zip(*linear_sum_assignment(-shared), strict=True)) if clusters and groups else {}
        before, now = now, {}
        for g, group in enumerate(groups):
            j = int(matched[g]) if g in matched and shared[g, matched[g]] > 0 else len(clusters)
            if j == len(clusters):
                clusters.append(_Cluster())
            now |= {int(i): j for i in group}
            told = {i for cluster in clusters for i in cluster.rows} if before else set()
            clusters[j].add([int(i) for i in group if int(i) not in told], vectors, week)
            if clusters[j].born < 0:
                clusters[j].born = week
    return _tracked(stream, vectors, clusters, cut, began)


def _tracked(stream: Stream, vectors: np.ndarray, clusters: list[_Cluster], cut: float, began: float) -> Tracked:
    """Ids, births and alerts (rule R in the week of birth; those of week 0 are the stock, not news)."""
    narrative = [""] * len(stream.texts)
    born, alerts = {}, []
    weeks = [(stream.start + timedelta(weeks=w)).date() for w in range(stream.n_weeks)]
    for j, cluster in enumerate(clusters):
        if cluster.born < 0:
            continue
        born[f"C{j}"] = cluster.born
        for i in cluster.rows:
            narrative[i] = f"C{j}"
        if cluster.born == 0:
            continue
        then = [i for i in cluster.rows if stream.texts[i].week <= cluster.born]
        pairs = vectors[then] @ vectors[then].T
        n = len(then)
        cohesion = float((pairs.sum() - np.trace(pairs)) / (n * (n - 1))) if n > 1 else 0.0
        newborn = Newborn(
            [weeks[stream.texts[i].week] for i in then], [stream.texts[i].source for i in then], cohesion, cut
        )
        passed = judge(newborn, weeks[cluster.born], AlertSettings()).tier == "alert"
        until = min(cluster.born + 2, stream.n_weeks - 1)
        joined = [(weeks[stream.texts[i].week], stream.texts[i].source) for i in cluster.rows]
        joined = [(week, source) for week, source in joined if week <= weeks[until]]
        confirmed = settle(weeks[cluster.born], joined, weeks[until]) == "confirmed"
        alerts.append(Alert(cluster.born, tuple(then), passed, confirmed))
    return Tracked(narrative, born, alerts, time.process_time() - began)


BASELINES = {"single pass": single_pass, "weekly, merged": weekly_merged, "refit, matched": refitted}
