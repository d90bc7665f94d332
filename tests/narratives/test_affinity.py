import copy
import random

import numpy as np
import pytest

from narratives.affinity import (
    Batch,
    Known,
    WordOverlap,
    across,
    across_share,
    actor_pattern,
    actor_scores,
    own_scores,
    scores,
    unit,
)  # fmt: skip
from narratives.overlap import Profiles, profile_of
from narratives.settings import DiscoverSettings


def batch(*rows: tuple[str, str, list[float]]) -> Batch:
    """(language, text, vector) a row."""
    return Batch(
        tuple(str(i) for i in range(len(rows))),
        unit(np.array([r[2] for r in rows], dtype=float)),
        tuple(r[0] for r in rows),
        tuple(tuple(r[1].lower().split()) for r in rows),
        tuple(r[1].lower() for r in rows),
    )


def test_a_profile_counts_texts_not_words_and_folds_chinese_scripts():
    profile = profile_of(batch(("zh", "a a b", [1, 0]), ("zh-Hant", "a", [1, 0]), ("en", "x", [0, 1])))
    assert profile == {"en": {"n": 1, "terms": {"x": 1}}, "zh": {"n": 2, "terms": {"a": 2, "b": 1}}}


def test_words_never_overlap_across_languages():
    articles = batch(("zh", "mine", [1, 0]), ("en", "mine", [1, 0]), ("en", "mine", [0, 1]))
    between = WordOverlap(articles, []).between(articles)
    assert between[0, 1] == 0
    assert between[1, 2] == pytest.approx(1)


def test_overlap_with_its_own_profile_leaves_the_text_itself_out():
    articles = batch(("en", "mine river", [1, 0]), ("en", "plant magnet", [1, 0]))
    profile = profile_of(articles)
    words = WordOverlap(articles, [profile])
    assert words.with_profile(articles, profile).min() > 0.5
    assert words.with_profile(articles, profile, own=True) == pytest.approx([0, 0])


def test_rare_words_weigh_more_than_common_ones():
    articles = batch(*[("en", f"earth w{i}", [1, 0]) for i in range(9)], ("en", "earth kachin", [1, 0]))
    kachin, earth = batch(("en", "kachin", [1, 0])), batch(("en", "earth", [1, 0]))
    words = WordOverlap(articles, [])
    last = articles.take([9])
    assert words.with_profile(last, profile_of(kachin)) > words.with_profile(last, profile_of(earth))


def test_actors_count_by_mention_up_to_a_limit():
    articles = batch(("en", "China China china", [1, 0]), ("zh", "中国 中方", [1, 0]), ("en", "indochina", [1, 0]))
    found = actor_scores(articles, actor_pattern(["China", "中国"]))
    assert found == pytest.approx([np.log(4), np.log(2), 0])
    assert actor_scores(batch(("en", "china " * 100, [1, 0])), actor_pattern(["China"])) == pytest.approx([2])


def test_a_narrative_without_actors_gets_no_actor_score():
    assert actor_pattern(["", "  "]) is None
    assert actor_scores(batch(("en", "china", [1, 0])), None) == pytest.approx([0])


def test_scores_add_meaning_and_words():
    articles = batch(("en", "mine", [1, 0]), ("en", "plant", [0, 1]))
    known = Known("N0001", np.array([1.0, 0.0]), profile={"en": {"n": 1, "terms": {"mine": 1}}})
    found = scores(articles, [known], WordOverlap(articles, [known.profile]), DiscoverSettings(word_weight=1.0))
    assert found[:, 0] == pytest.approx([2, 0], abs=1e-6)
    meaning_only = scores(articles, [known], WordOverlap(articles, []), DiscoverSettings(word_weight=0))
    assert meaning_only[:, 0] == pytest.approx([1, 0], abs=1e-6)


def test_own_scores_are_lower_than_scores_with_the_member_inside():
    rng = np.random.default_rng(0)
    members = batch(*[("en", f"w{i}", list(rng.standard_normal(8))) for i in range(6)])
    known = Known("N0001", unit(members.vectors.sum(axis=0)), profile=profile_of(members))
    words = WordOverlap(members, [known.profile])
    inside = scores(members, [known], words, DiscoverSettings())[:, 0]
    outside = own_scores(members, known, words, DiscoverSettings())
    assert (outside < inside).all()


def test_a_cosine_across_languages_counts_by_the_share_of_other_languages() -> None:
    settings = DiscoverSettings(across_languages=1.5)
    english = Known("e", np.ones(2), {"en": {"n": 4, "terms": {}}})
    mixed = Known("m", np.ones(2), {"en": {"n": 3, "terms": {}}, "zh": {"n": 1, "terms": {}}})
    named = Known("d", np.ones(2), {"en": {"n": 4, "terms": {}}}, named=True)
    found = across(["zh-Hant", "en"], [english, mixed, named], settings)
    assert found.tolist() == [[1.5, 1 + 0.5 * 0.75, 1.0], [1.0, 1 + 0.5 * 0.25, 1.0]]
    # Its own part left out, the one Chinese text is alone among English ones; a member alone has nobody to differ from.
    assert across(["zh", "en"], [mixed], settings, own=True)[:, 0].tolist() == pytest.approx([1.5, 1 + 0.5 / 3])
    alone = Known("a", np.ones(2), {"zh": {"n": 1, "terms": {}}})
    assert across(["zh"], [alone], settings, own=True).tolist() == [[1.0]]
    assert across(["zh"], [english], DiscoverSettings(across_languages=1.0)).tolist() == [[1.0]]


def test_narratives_of_two_languages_are_compared_by_their_pairs() -> None:
    english, chinese = {"en": {"n": 4, "terms": {}}}, {"zh": {"n": 2, "terms": {}}}
    half = {"en": {"n": 2, "terms": {}}, "zh": {"n": 2, "terms": {}}}
    found = across_share([english, chinese, half], DiscoverSettings(across_languages=1.4))
    assert found == pytest.approx(np.array([[1.0, 1.4, 1.2], [1.4, 1.0, 1.2], [1.2, 1.2, 1.2]]))


@pytest.mark.parametrize("seed", range(10))
def test_profiles_counted_once_say_the_same_of_every_batch(seed):
    dice = random.Random(seed)

    def drawn(n: int) -> Batch:
        lines = [" ".join(f"w{min(int(dice.expovariate(0.05)), 199)}" for _ in range(12)) for _ in range(n)]
        return batch(*[(dice.choice(("zh", "zh-Hant", "en", "ja")), line, [1, 0]) for line in lines])

    profiles = [profile_of(drawn(dice.randrange(0, 9)), 20) for _ in range(30)]
    counted = Profiles(profiles)
    for _ in range(3):
        articles = drawn(6)
        shared, alone = WordOverlap(articles, counted), WordOverlap(articles, profiles)
        some = profiles[::2]
        unknown = [copy.deepcopy(profile) for profile in some]  # equal, but not those that were counted
        assert np.array_equal(shared.with_profiles(articles, some), alone.with_profiles(articles, unknown))
        assert np.array_equal(shared.between(articles), alone.between(articles))
        assert shared.with_profile(articles, some[0]) == pytest.approx(alone.with_profiles(articles, some)[:, 0])
