"""The chain of nearest neighbours finds the groups that linking pair by pair finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import narratives.discover
from narratives.affinity import Batch, WordOverlap, unit
from narratives.discover import group_articles, similarities
from narratives.linkage import average_link, single_similarities
from narratives.settings import DiscoverSettings


def articles(n: int, n_topics: int, seed: int) -> Batch:
    """Articles around some directions, each with words of its topic, no two of them as good as equal."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(n_topics, size=n)
    vectors = unit(rng.standard_normal((n_topics, 24))[topic] + rng.uniform(0.9, 1.5) * rng.standard_normal((n, 24)))
    terms = tuple(tuple({f"t{k}w{w}" for w in rng.integers(40, size=5)}) for k in topic)
    return Batch(tuple(map(str, range(n))), vectors, ("en",) * n, terms, ("",) * n)


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_those_of_linking_pair_by_pair(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    batch, settings = articles(40 + 25 * seed, 2 + seed, seed), DiscoverSettings()
    words = WordOverlap(batch, [])
    pairs = similarities(batch, words, settings)
    for percentile in (40, 75, 88, 97):
        cut = float(np.percentile(pairs, percentile)) + 3e-6  # at no pair's own likeness, where rounding decides
        linked = group_articles(batch, words, cut, settings)
        with monkeypatch.context() as changed:
            changed.setattr(narratives.discover, "_MAX_LINKED", 10)
            chained = group_articles(batch, words, cut, settings)
        assert chained.tolist() == linked.tolist()


def test_similarities_by_blocks_are_those_of_all_at_once() -> None:
    batch, settings = articles(700, 5, 0), DiscoverSettings()
    words = WordOverlap(batch, [])
    found = single_similarities(batch, words, settings.group_word_weight)
    assert found.dtype == np.float32
    assert found == pytest.approx(similarities(batch, words, settings), abs=1e-6)
    two = replace(batch, langs=tuple("zh-Hant" if i % 3 else "en" for i in range(700)))
    words, events = WordOverlap(two, []), settings.model_copy(update={"grain": "events"})
    found = single_similarities(two, words, settings.group_word_weight, settings.across_languages)
    assert found == pytest.approx(similarities(two, words, events), abs=1e-6)


def test_equal_articles_are_one_group_and_strangers_none() -> None:
    alike = np.eye(4, dtype=np.float32)
    assert average_link(alike.copy(), 0.5).tolist() == [0, 1, 2, 3]
    assert average_link(np.ones((4, 4), dtype=np.float32), 0.5).tolist() == [0, 0, 0, 0]
    assert average_link(np.ones((1, 1), dtype=np.float32), 0.5).tolist() == [0]
