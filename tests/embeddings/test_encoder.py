"""Encoders: the contract every one passes, and the default model's own promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings import Encoder, load_encoder, model_input
from embeddings.batches import token_batches
from embeddings.bundled import bundled_model
from embeddings.transformer import TransformerEncoder

SENTENCES = [
    "稀土磁体出口管制升级",
    "China tightens rare earth magnet exports",
    "价格上涨",
    "Prices rise",
    "The ministry said that exports of magnets rose again in May, for the third month in a row.",
    "商务部表示，五月份磁体出口再次上升，已连续三个月增长。",
]


@pytest.fixture(params=["tiny", "bundled"])
def encoder(request: pytest.FixtureRequest) -> TransformerEncoder:
    found: TransformerEncoder = request.getfixturevalue(request.param)
    return found


def test_vectors_have_the_promised_shape_type_and_length(encoder: TransformerEncoder) -> None:
    vectors = encoder.encode(SENTENCES)
    assert isinstance(encoder, Encoder)
    assert vectors.shape == (len(SENTENCES), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_the_same_batch_gives_the_same_bits(encoder: TransformerEncoder) -> None:
    assert encoder.encode(SENTENCES).tobytes() == encoder.encode(list(SENTENCES)).tobytes()


def test_order_and_company_do_not_matter(encoder: TransformerEncoder) -> None:
    together, backwards = encoder.encode(SENTENCES), encoder.encode(SENTENCES[::-1])[::-1]
    alone = np.concatenate([encoder.encode([text]) for text in SENTENCES])
    assert (together * backwards).sum(axis=1).min() > 0.9999
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_empty_and_endless_texts_have_vectors(encoder: TransformerEncoder) -> None:
    vectors = encoder.encode(["", "x", "exports rose " * 20_000])
    assert np.isfinite(vectors).all()


def test_one_string_is_refused(encoder: TransformerEncoder) -> None:
    with pytest.raises(TypeError, match="list of strings"):
        encoder.encode("稀土")
    with pytest.raises(TypeError, match="list of strings"):
        encoder.encode(["稀土", None])  # type: ignore[list-item]


def test_the_prompt_belongs_to_the_vector(tiny_model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(tiny_model), device="cpu")
    prompted = plain.encode(SENTENCES, prompt="doc: ", normalize_embeddings=True)
    bare = plain.encode(SENTENCES, prompt="", normalize_embeddings=True)
    exact = load_encoder(str(tiny_model), "cpu", "torch-float32")
    assert exact.prompt == "doc: "
    assert np.allclose(exact.encode(SENTENCES), prompted, atol=1e-5)
    assert not np.allclose(exact.encode(SENTENCES), bare, atol=1e-3)


def test_other_weights_have_another_fingerprint(tiny_model: Path, tiny: TransformerEncoder) -> None:
    from sentence_transformers import SentenceTransformer

    changed = SentenceTransformer(str(tiny_model), device="cpu")
    next(changed.parameters()).data[5, 3] += 0.1
    assert TransformerEncoder(changed, tiny_model.name).fingerprint != tiny.fingerprint
    assert load_encoder(str(tiny_model), "cpu").fingerprint == tiny.fingerprint


def test_unknown_models_and_devices_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="abacus"):
        load_encoder("default", "abacus")
    with pytest.raises(ValueError, match="float8"):
        load_encoder("default", "cpu", "torch-float8")
    with pytest.raises(ValueError, match="nowhere"):
        load_encoder(str(tmp_path / "nowhere"), "cpu")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_packed_forward_pass_agrees_with_sentence_transformers(precision: str) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*SENTENCES, "", "出口管制 export controls, " * 400]
    encoder = load_encoder("default", "cpu", f"torch-{precision}")
    assert precision in encoder.backend
    plain = SentenceTransformer(str(bundled_model().directory), device="cpu")
    reference = plain.encode(texts, prompt="passage: ", normalize_embeddings=True)
    assert (encoder.encode(texts) * reference).sum(axis=1).min() > (0.9999 if precision == "bfloat16" else 0.999999)


def test_a_model_of_another_make_runs_through_sentence_transformers(tiny_model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_model), device="cpu")
    model[1].pooling_mode = "max"
    encoder = TransformerEncoder(model, "tiny")
    assert encoder.backend_name == "torch-float32"
    reference = model.encode(SENTENCES, prompt="doc: ", normalize_embeddings=True)
    assert np.allclose(encoder.encode(SENTENCES), reference, atol=1e-5)


def test_batches_keep_to_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(1, 512, 300)
    batches = token_batches(lengths, 2_048)
    assert sorted(np.concatenate(batches)) == list(range(300))
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= 2_048 for rows in batches)
    assert len(token_batches([600], 512)) == 1


def test_traditional_and_simplified_texts_agree(bundled: TransformerEncoder) -> None:
    pairs = [
        ("釹鐵硼永磁體價格上漲", "钕铁硼永磁体价格上涨"),
        ("臺灣積體電路製造公司說稀土庫存充足。", "台湾积体电路制造公司说稀土库存充足。"),
        ("美國總統說，將對中國出口的磁鐵徵收關稅。", "美国总统说，将对中国出口的磁铁征收关税。"),
    ]
    traditional = bundled.encode([model_input("", text) for text, _ in pairs])
    simplified = bundled.encode([model_input("", text) for _, text in pairs])
    assert ((traditional * simplified).sum(axis=1) > 0.98).all()


def test_the_default_model_knows_what_belongs_together(bundled: TransformerEncoder) -> None:
    vectors = bundled.encode(["稀土磁体出口管制", "Export controls on rare earth magnets", "A recipe for apple pie"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_a_model_by_path_gets_its_own_prompt_pooling_and_length(tiny_model: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_model), device="cpu")
    model.prompts = {"query": "ask: ", "passage": "read: "}
    model.max_seq_length = 10
    model[1].pooling_mode = "cls"
    model.save(str(tmp_path / "other-model"))
    encoder = load_encoder(str(tmp_path / "other-model"), "cpu")
    assert (encoder.prompt, encoder.max_tokens) == ("read: ", 10)
    assert encoder.fingerprint.startswith("other-model|read: |10|cls|")
    long = "价格 上涨 " * 30
    reference = model.encode([*SENTENCES, long], prompt="read: ", normalize_embeddings=True)
    vectors = encoder.encode([*SENTENCES, long])
    assert np.allclose(vectors, reference, atol=1e-5)
    assert np.allclose(encoder.encode([long[:40]]), vectors[-1:], atol=1e-5)  # beyond ten tokens nothing is read
