from dataclasses import replace

import numpy as np
import pytest

from narratives.affinity import Batch, WordOverlap, unit
from narratives.discover import (
    at_grain,
    bootstrap_groups,
    coarse_parts,
    cut_level,
    group_articles,
    similarities,
)
from narratives.settings import DiscoverSettings, Settings

SETTINGS = DiscoverSettings(group_word_weight=0)


def topics(n_topics: int, n_each: int, noise: float, seed: int = 0, d: int = 48) -> tuple[Batch, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = unit(rng.standard_normal((n_topics, d)))
    truth = np.repeat(np.arange(n_topics), n_each)
    vectors = unit(centres[truth] + noise * rng.standard_normal((len(truth), d)) / d**0.5)
    n = len(truth)
    return Batch(tuple(map(str, range(n))), vectors, ("en",) * n, ((),) * n, ("",) * n), truth


def agree(labels: np.ndarray, truth: np.ndarray) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(truth, labels))


def test_average_link_finds_small_groups_at_the_cut():
    batch, truth = topics(6, 6, noise=1.0)
    assert agree(group_articles(batch, WordOverlap(batch, []), 0.3, SETTINGS), truth) > 0.95


def test_groups_do_not_depend_on_the_order_of_articles():
    batch, _ = topics(4, 6, noise=1.5)
    order = np.random.default_rng(1).permutation(len(batch))
    plain = group_articles(batch, WordOverlap(batch, []), 0.2, SETTINGS)
    shuffled = group_articles(batch.take(order), WordOverlap(batch, []), 0.2, SETTINGS)
    assert agree(plain[order], shuffled) == pytest.approx(1)


def test_identical_articles_share_a_group():
    batch, _ = topics(3, 4, noise=3.0)
    doubled = batch.take([*range(len(batch)), *range(len(batch))])
    labels = group_articles(doubled, WordOverlap(doubled, []), 0.4, SETTINGS)
    assert (labels[: len(batch)] == labels[len(batch) :]).all()


def test_the_cut_is_the_asked_percentile_of_pairs():
    batch, _ = topics(5, 8, noise=2.0)
    similarity = (batch.vectors @ batch.vectors.T)[np.triu_indices(len(batch), 1)]
    cut = cut_level(batch, WordOverlap(batch, []), SETTINGS.model_copy(update={"tau_percentile": 90.0}))
    assert (similarity < cut).mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(("n_topics", "n_each", "noise"), [(4, 30, 1.0), (40, 6, 0.8), (8, 10, 1.0)])
def test_the_cut_follows_the_material_whether_it_has_few_large_or_many_small_narratives(n_topics, n_each, noise):
    batch, truth = topics(n_topics, n_each, noise)
    words = WordOverlap(batch, [])
    cut = cut_level(batch, words, SETTINGS)
    assert agree(group_articles(batch, words, cut, SETTINGS), truth) > 0.9


def test_without_definitions_a_narrative_is_an_event() -> None:
    settings = Settings()
    assert at_grain(settings, named=True).grain == "subject" and at_grain(settings, named=True).event_level == 0
    assert at_grain(settings, named=False).grain == "events" and at_grain(settings, named=False).event_level == 0.345

    def with_(named: bool = False, model: str = "default", **discover: object) -> DiscoverSettings:
        encode = settings.encode.model_copy(update={"model": model})
        changed = settings.discover.model_copy(update=discover)
        return at_grain(settings.model_copy(update={"encode": encode, "discover": changed}), named)

    assert with_(grain="subject").grain == "subject" and with_(named=True, grain="events").event_level == 0.345
    assert with_(event_level=0.4).event_level == 0.4
    assert with_(named=True).across_languages == settings.discover.across_languages < with_().across_languages
    assert with_(group_word_weight=0.25).group_word_weight == 0.25  # set, though as it was
    assert with_(model="fast").event_level == 0  # its cosines are others: measured
    assert with_(tau_percentile=97.0).event_level == 0  # asked for


def test_the_level_of_events_stands_far_above_strangers_whatever_the_topics_are() -> None:
    """Twenty topics of forty texts each, with an event of eight in two of them: silhouettes find the topics."""
    rng = np.random.default_rng(0)
    batch, _ = topics(20, 40, noise=3.0, d=200)
    vectors = batch.vectors.copy()
    vectors[:8] = unit(batch.vectors[0] + 0.5 * rng.standard_normal((8, 200)) / 200**0.5)
    vectors[40:48] = unit(batch.vectors[40] + 0.5 * rng.standard_normal((8, 200)) / 200**0.5)
    batch = replace(batch, vectors=vectors)
    words, events = WordOverlap(batch, []), SETTINGS.model_copy(update={"grain": "events"})
    level = cut_level(batch, words, events)
    found = group_articles(batch, words, level, events)
    assert (found[:8] == found[0]).all() and (found[40:48] == found[40]).all()
    assert np.bincount(found).max() < 12
    assert level > cut_level(batch, words, SETTINGS)


def test_two_languages_count_more_at_the_grain_of_events() -> None:
    batch, _ = topics(1, 8, noise=1.3)
    batch = replace(batch, langs=("en", "zh") * 4)
    words, events = WordOverlap(batch, []), SETTINGS.model_copy(update={"grain": "events"})
    plain, more = similarities(batch, words, SETTINGS), similarities(batch, words, events)
    assert more[0, 1] == pytest.approx(SETTINGS.across_languages * plain[0, 1])
    assert more[0, 2] == pytest.approx(plain[0, 2])


def test_nothing_and_one_article_are_no_groups():
    batch, _ = topics(1, 1, noise=0.1)
    assert cut_level(batch, WordOverlap(batch, []), SETTINGS) == 0
    assert list(group_articles(batch, WordOverlap(batch, []), 0.5, SETTINGS)) == [0]


@pytest.mark.slow
def test_the_bootstrap_groups_a_larger_set_and_repeats_itself():
    batch, truth = topics(5, 20, noise=0.8)
    words = WordOverlap(batch, [])
    labels = bootstrap_groups(batch, words, 0.3, SETTINGS)
    assert agree(labels, truth) > 0.9
    assert (labels == bootstrap_groups(batch, words, 0.3, SETTINGS)).all()


def test_few_articles_are_one_coarse_part():
    assert set(coarse_parts(np.ones((10, 4), dtype=np.float32), SETTINGS)) == {0}
