"""Language removal: what it takes away, what it keeps, how it is frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings import LanguageRemoval, same_language_share
from embeddings.languages import SHIPPED_FILES
from embeddings.transformer import TransformerEncoder


def desk(n: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """n articles in each of two languages on n matters; the language is the stronger part."""
    rng = np.random.default_rng(seed)
    matters = rng.normal(size=(n, 16))
    language = np.zeros(16)
    language[0] = 20
    noise = rng.normal(scale=0.3, size=(2 * n, 16))
    return np.concatenate([matters + language, matters - language]) + noise, ["zh"] * n + ["en"] * n


def test_own_means_bring_languages_together() -> None:
    vectors, langs = desk(100)
    raw = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    removed = LanguageRemoval().fit_transform(vectors, langs)
    assert same_language_share(raw, langs) == 1
    assert same_language_share(removed, langs) < 0.6
    nearest = (removed[:100] @ removed[100:].T).argmax(axis=1)
    assert (nearest == np.arange(100)).mean() > 0.95


def test_result_is_float32_of_length_one() -> None:
    vectors, langs = desk(40)
    removed = LanguageRemoval().fit_transform(vectors, langs)
    assert removed.dtype == np.float32
    assert np.allclose(np.linalg.norm(removed, axis=1), 1, atol=1e-6)


def test_own_mean_counts_from_thirty_articles_on() -> None:
    means = {"zh": np.zeros(4), "en": np.zeros(4)}
    zh, en = np.tile([2.0, 0, 0, 0], (30, 1)), np.tile([2.0, 0, 0, 0], (29, 1))
    fitted = LanguageRemoval(means=means).fit(np.concatenate([zh, en]), ["zh"] * 30 + ["en"] * 29)
    shift = 2 * 59 / 79
    assert fitted.means_["zh"][0] == pytest.approx(30 / 50 * 2 + 20 / 50 * shift)
    assert fitted.means_["en"][0] == pytest.approx(shift)
    assert fitted.counts_ == {"zh": 30, "en": 29}


def test_a_later_week_and_a_third_language_move_no_old_vector() -> None:
    vectors, langs = desk(50)
    fitted = LanguageRemoval().fit(vectors, langs)
    before = fitted.transform(vectors, langs)
    fitted.transform(desk(20, seed=1)[0], ["ja"] * 40)
    assert fitted.transform(vectors, langs).tobytes() == before.tobytes()


def test_a_third_language_is_added_without_moving_what_was_fitted() -> None:
    vectors, langs = desk(50)
    fitted = LanguageRemoval().fit(vectors, langs)
    before = fitted.transform(vectors, langs)
    unknown = fitted.transform(vectors, ["fr"] * 100)
    third = desk(50)[0][:50] + 9
    assert fitted.extend(np.concatenate([third, vectors + 1]), ["ja"] * 50 + langs) is fitted
    assert fitted.transform(vectors, langs).tobytes() == before.tobytes()
    assert fitted.transform(vectors, ["fr"] * 100).tobytes() == unknown.tobytes()
    assert np.allclose(fitted.means_["ja"], third.mean(axis=0))
    assert LanguageRemoval.from_dict(fitted.to_dict()).transform(vectors, ["fr"] * 100).tobytes() == unknown.tobytes()
    assert fitted.counts_ == {"en": 50, "ja": 50, "zh": 50}
    twice = fitted.transform(third, ["ja"] * 50)
    fitted.extend(third + 1, ["ja"] * 50).extend(third[:5], ["ko"] * 5)  # known by now; too few
    assert fitted.transform(third, ["ja"] * 50).tobytes() == twice.tobytes() and "ko" not in fitted.means_


def test_one_article_is_the_same_alone_and_in_company() -> None:
    vectors, langs = desk(50)
    fitted = LanguageRemoval().fit(vectors, langs)
    assert np.array_equal(fitted.transform(vectors[:1], langs[:1])[0], fitted.transform(vectors, langs)[0])


def test_saved_and_loaded_it_gives_the_same_bits(tmp_path: Path) -> None:
    vectors, langs = desk(50)
    fitted = LanguageRemoval(subspace=np.eye(16)[:2]).fit(vectors, langs)
    fitted.save(tmp_path / "languages.json")
    loaded = LanguageRemoval.load(tmp_path / "languages.json")
    assert loaded.transform(vectors, langs).tobytes() == fitted.transform(vectors, langs).tobytes()
    assert loaded.to_dict() == fitted.to_dict()


def test_scikit_learn_can_clone_it() -> None:
    from sklearn.base import clone

    removal = clone(LanguageRemoval(min_articles=7).set_params(shrinkage=3))
    assert removal.get_params()["min_articles"] == 7
    assert removal.get_params()["shrinkage"] == 3
    with pytest.raises(ValueError, match="unknown parameters"):
        removal.set_params(wings=2)


def test_wrong_input_is_refused_with_the_numbers() -> None:
    vectors, langs = desk(40)
    with pytest.raises(ValueError, match="not fitted"):
        LanguageRemoval().transform(vectors, langs)
    with pytest.raises(ValueError, match=r"80, 16.*79"):
        LanguageRemoval().fit(vectors, langs[1:])
    with pytest.raises(ValueError, match=r"5 numbers.*needs 16"):
        LanguageRemoval().fit(vectors, langs).transform(vectors[:, :5], langs)
    with pytest.raises(ValueError, match="not finite"):
        LanguageRemoval().fit(vectors * np.nan, langs)
    with pytest.raises(ValueError, match="format"):
        LanguageRemoval.from_dict({"format": 99})


def test_ten_articles_meet_with_what_is_shipped(bundled: TransformerEncoder) -> None:
    texts = {
        "zh": [
            "中国收紧稀土磁体出口管制",
            "央行下调基准利率",
            "球队赢得联赛冠军",
            "地震袭击沿海城市",
            "新型电动车发布",
        ],
        "en": [
            "China tightens export controls on rare earth magnets",
            "The central bank cuts its key interest rate",
            "The team wins the league championship",
            "An earthquake strikes a coastal city",
            "A new electric car is presented",
        ],
    }
    vectors = bundled.encode(texts["zh"] + texts["en"])
    langs = ["zh"] * 5 + ["en"] * 5
    removed = LanguageRemoval.shipped(bundled.fingerprint).fit(vectors, langs).transform(vectors, langs)
    np.fill_diagonal(cosines := removed @ removed.T, -1)
    assert (cosines.argmax(axis=1) == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]).all()


def test_what_is_shipped_names_its_source_and_belongs_to_the_default_model(
    bundled: TransformerEncoder,
) -> None:
    import json

    content = json.loads(SHIPPED_FILES["default"].read_text(encoding="utf-8"))
    assert content["fingerprint"] == bundled.fingerprint
    assert "SIB-200" in content["source"]
    assert "CC BY-SA" in content["licence"]
    basis = np.array(content["subspace"])
    assert np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-5)


def test_another_model_starts_with_nothing_and_learns_its_own_means(tiny: TransformerEncoder) -> None:
    removal = LanguageRemoval.shipped(tiny.fingerprint)
    assert removal.means_ == {}
    vectors, langs = desk(50)
    assert same_language_share(removal.fit_transform(vectors, langs), langs) < 0.6


def test_the_share_needs_two_languages() -> None:
    assert np.isnan(same_language_share(np.eye(3, dtype=np.float32), ["zh"] * 3))
