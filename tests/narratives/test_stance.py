import numpy as np
import pytest

from narratives.stance import StanceScorer, Statements, draft_statements, narrative_centres, relevance_floors
from narratives.tone import Toward

D = 256


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


class World:
    """Vectors with a common topic direction, a direction of support and a language's own offset."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.topic, self.side, self.matter, self.chinese = np.eye(D)[:4]

    def texts(self, side: float, n: int, lang: str = "en", matter: float = 0.0) -> np.ndarray:
        base = 2 * self.topic + side * self.side + matter * self.matter
        base = base + (1.5 * self.chinese if lang == "zh" else 0)
        return unit(base + self.rng.normal(0, 0.03, (n, D)))


def scorer_and_world(**labels: object) -> tuple[StanceScorer, World]:
    world = World()
    statements = Statements("x", claim=("c",), pro=("p",) * 3, con=("q",) * 4, neutral=("r",) * 3)
    vectors = np.vstack([world.texts(1, 4), world.texts(-1, 4), world.texts(0, 3, matter=1)])
    langs = ["en"] * 11
    centres = narrative_centres(vectors, langs, statements.groups(), world.texts(0.3, 5), ["en"] * 5)
    return StanceScorer(statements, vectors, langs, centres, **labels), world  # type: ignore[arg-type]


def test_articles_get_the_side_of_the_statements_they_resemble():
    scorer, world = scorer_and_world()
    scores = scorer.score(np.vstack([world.texts(1, 5), world.texts(-1, 5), world.texts(0, 5, matter=1)]), ["en"] * 15)
    assert scores.verdict == ("supports",) * 5 + ("opposes",) * 5 + ("reports",) * 5
    assert (scores.stance[:5] > 0).all() and (scores.stance[5:10] < 0).all()
    np.testing.assert_allclose(scores.p.sum(axis=1), 1)
    np.testing.assert_allclose(scores.stance, scores.p[:, 0] - scores.p[:, 1])


def test_one_member_is_enough_for_a_centre_in_each_language():
    world = World()
    statements = Statements("x", pro=("p",) * 4, con=("q",) * 4)
    vectors = np.vstack([world.texts(1, 4), world.texts(-1, 4)])
    langs = ["en"] * 8
    member = world.texts(1, 1, "zh")
    centres = narrative_centres(vectors, langs, statements.groups(), member, ["zh-Hant"], {"zh": world.chinese})
    scores = StanceScorer(statements, vectors, langs, centres).score(member, ["zh-Hant"])
    assert scores.verdict == ("supports",)


def test_what_resembles_no_statement_is_unclear_whatever_its_probability():
    scorer, _ = scorer_and_world()
    far = unit(6 * np.eye(D)[10:12] + 2 * np.eye(D)[0])
    assert scorer.score(far, ["en", "en"]).verdict == ("unclear", "unclear")


def test_without_an_opposing_statement_there_is_no_verdict():
    world = World()
    statements = Statements("x", claim=("c",), neutral=("n",))
    vectors = world.texts(1, 2)
    centres = narrative_centres(vectors, ["en"] * 2, statements.groups())
    scores = StanceScorer(statements, vectors, ["en"] * 2, centres).score(world.texts(1, 3), ["en"] * 3)
    assert scores.verdict == ("unclear",) * 3
    assert scores.stance.tolist() == scores.confidence.tolist() == [0, 0, 0]


def test_no_article_at_all_gives_empty_scores():
    scorer, _ = scorer_and_world()
    assert len(scorer.score(np.zeros((0, D)), [])) == 0


def test_saying_everything_four_times_does_not_make_the_scorer_surer():
    world = World()
    base = np.vstack([world.texts(0.4, 12), world.texts(-0.4, 12), world.texts(0, 12, matter=1)])
    asked = world.texts(0.2, 8)
    sure = []
    for times in (1, 4):
        statements = Statements("x", pro=("p",) * 12 * times, con=("q",) * 12 * times, neutral=("r",) * 12 * times)
        vectors = np.vstack([np.tile(part, (times, 1)) for part in np.split(base, 3)])
        langs = ["en"] * len(vectors)
        centres = narrative_centres(vectors, langs, statements.groups())
        sure.append(StanceScorer(statements, vectors, langs, centres).score(asked, ["en"] * 8).confidence)
    np.testing.assert_allclose(sure[0], sure[1], atol=1e-3)


def test_labels_move_the_verdict_where_statements_are_wrong():
    world = World(3)
    turned = world.texts(1, 32)
    before, _ = scorer_and_world()
    after, _ = scorer_and_world(label_vectors=turned, label_langs=["en"] * 32, labels=[1] * 32)
    assert before.score(turned, ["en"] * 32).stance.mean() > after.score(turned, ["en"] * 32).stance.mean() + 0.2
    assert after.name != before.name


def test_tone_counts_toward_an_entity_and_not_toward_a_claim():
    world = World()
    vectors = np.vstack([world.texts(1, 2), world.texts(-1, 2)])
    langs = ["en"] * 4
    article, tone = world.texts(0, 1), [[0.9, 0.08, 0.02]]
    shift = {}
    for kind in ("claim", "entity"):
        s = Statements("x", pro=("p",) * 2, con=("q",) * 2, kind=kind)
        scorer = StanceScorer(s, vectors, langs, narrative_centres(vectors, langs, s.groups()))
        plain, toned = scorer.score(article, ["en"]), scorer.score(article, ["en"], tone=tone)
        shift[kind] = float(toned.stance[0] - plain.stance[0])
    assert shift["claim"] == 0 and shift["entity"] < -0.1


def test_the_same_input_gives_the_same_bits():
    (a, world), (b, _) = scorer_and_world(), scorer_and_world()
    x = world.texts(0.5, 6)
    assert a.score(x, ["en"] * 6).p.tobytes() == b.score(x, ["en"] * 6).p.tobytes()


def test_a_wrong_number_of_vectors_is_an_error_with_the_numbers():
    with pytest.raises(ValueError, match="2 statements, 3 vectors and 2 languages differ"):
        StanceScorer(Statements("x", pro=("p",), con=("q",)), np.eye(3), ["en", "en"], {"": np.zeros(3)})


def test_a_draft_takes_sides_from_the_narratives_own_sentences():
    sentences = ["It works.", "It fails.", "It opens on Monday.", "Noise."]
    tone = [[0.1, 0.1, 0.8], [0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3]]
    draft = draft_statements("N0001", sentences, [0.5, 0.9, 0.7, 0.95], tone)
    assert draft.claim == ("It works.",) and draft.con == ("It fails.",)
    assert draft.neutral == ("It opens on Monday.",)
    assert draft.drafted and draft.decidable and draft.kind == "entity"


def test_without_a_contrast_the_draft_has_no_claim_to_decide():
    draft = draft_statements("N0001", ["It opens."], [0.5], [[0.0, 1.0, 0.0]])
    assert draft.drafted and not draft.decidable


def test_an_article_about_something_else_is_unclear_however_much_it_leans():
    world = World()
    members = np.vstack([world.texts(1, 20), world.texts(-1, 20)])
    scorer, _ = scorer_and_world()
    floors = relevance_floors(scorer._centres, members, ["en"] * 40)
    strict, _ = scorer_and_world(floors=floors)
    elsewhere = unit(3 * np.eye(D)[20:21] + world.side)  # leans to one side, of another topic
    assert scorer.score(elsewhere, ["en"]).verdict == ("supports",)
    assert strict.score(elsewhere, ["en"]).verdict == ("unclear",)
    assert strict.score(elsewhere, ["en"], whole=False).verdict == ("supports",)
    kept = strict.score(world.texts(1, 20), ["en"] * 20).verdict.count("supports")
    assert kept >= 18


def test_a_language_with_few_members_has_no_floor():
    scorer, world = scorer_and_world()
    vectors = np.vstack([world.texts(0, 19), world.texts(0, 20, "zh")])
    assert set(relevance_floors(scorer._centres, vectors, ["en"] * 19 + ["zh-Hant"] * 20)) == {"zh"}


def test_what_the_tone_scorer_makes_of_a_text_decides_where_vectors_say_nothing():
    world = World()
    statements = Statements("x", claim=("c",), pro=("p",) * 3, con=("q",) * 4, kind="entity", actors=("x",))
    vectors = world.texts(0, 8)
    states = np.vstack([np.tile([1.0, 0.2], (4, 1)), np.tile([0.2, 1.0], (4, 1))])
    flat = np.full((8, 3), 1 / 3)
    centres = narrative_centres(vectors, ["en"] * 8, statements.groups())
    scorer = StanceScorer(statements, vectors, ["en"] * 8, centres, statement_tone=Toward(flat, states), gate=-1.0)
    asked = Toward(np.full((2, 3), 1 / 3), np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert scorer.score(world.texts(0, 2), ["en"] * 2, asked).verdict == ("supports", "opposes")
