"""What computes on this processor: who agrees, who is chosen, that the choice stays."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from embeddings import VectorCache
from embeddings.backends import AGREEMENT, BACKENDS, choose_backend, decided_before, possible_backends
from embeddings.encoder import load_transformer
from embeddings.transformer import TransformerEncoder

TEXTS = ["稀土磁体出口管制升级", "China tightens rare earth magnet exports", "", "价格上涨 " * 30, "OK"]
needs_openvino = pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="needs openvino")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("user-cache")


@pytest.fixture(autouse=True)
def own_cache(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's cache in which nothing is decided yet; models are exported into it once."""
    shutil.rmtree(exported / "backends", ignore_errors=True)
    monkeypatch.setenv("NARRATIVES_CACHE", str(exported))
    monkeypatch.delenv("NARRATIVES_BACKEND", raising=False)


def encoder(model: Path, backend: str = "auto") -> TransformerEncoder:
    return load_transformer(str(model), "cpu", backend)


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_agrees_with_sentence_transformers(tiny_model: Path, name: str) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(tiny_model), device="cpu")
    if name not in possible_backends(plain):
        pytest.skip(f"{name} is not here")
    reference = plain.encode(TEXTS, prompt="doc: ", normalize_embeddings=True)
    one = encoder(tiny_model, name)
    vectors = one.encode(TEXTS)
    assert (vectors * reference).sum(axis=1).min() > (0.9999 if name.endswith("float32") else AGREEMENT)
    assert vectors.tobytes() == encoder(tiny_model, name).encode(TEXTS).tobytes()
    assert one.backend_name == name and "as asked" in one.backend


@needs_openvino
def test_the_first_token_is_pooled_too(tiny_model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_model), device="cpu")
    model[1].pooling_mode = "cls"
    found = TransformerEncoder(model, "tiny", backend="openvino-float32").encode(TEXTS)
    reference = model.encode(TEXTS, prompt="doc: ", normalize_embeddings=True)
    assert (found * reference).sum(axis=1).min() > 0.9999


@needs_openvino
def test_the_fastest_that_agrees_is_chosen_once_and_the_choice_is_kept(
    tiny_model: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = encoder(tiny_model)
    name = first.backend_name
    (decided,) = (exported / "backends").glob("*.json")
    content = json.loads(decided.read_text(encoding="utf-8"))
    fit = [trial for trial in content["tried"] if trial.get("cosine", 0) >= AGREEMENT]
    assert name == max(fit, key=lambda trial: trial["tokens_a_second"])["name"] == content["name"]
    assert {trial["name"] for trial in content["tried"]} == set(possible_backends(first._model))
    assert decided_before(content["key"]) == f"{name}: {content['reason']}" and decided_before("another model") is None
    monkeypatch.setattr("embeddings.backends._try_out", lambda *_: pytest.fail("tried again"))
    assert encoder(tiny_model).backend == first.backend


@needs_openvino
def test_a_backend_that_disagrees_is_never_chosen(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from embeddings import backends

    def crooked(model, weights, precision):  # type: ignore[no-untyped-def]
        def forward(token_ids):  # type: ignore[no-untyped-def]
            return np.eye(len(token_ids), 16, dtype=np.float32)

        forward.tokens_per_batch = 1_024  # type: ignore[attr-defined]
        return forward

    monkeypatch.setattr(backends, "openvino_forward", crooked)
    one = encoder(tiny_model)
    assert not one.backend_name.startswith("openvino")


def test_a_model_that_bfloat16_spoils_stays_in_float32(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from embeddings import backends

    one = encoder(tiny_model, "torch-float32")
    monkeypatch.setattr(backends, "possible_backends", lambda model: ["torch-float32", "torch-bfloat16"])
    monkeypatch.setattr(backends, "AGREEMENT", 1.1)
    choice = choose_backend(one._model, "weights", one._tokenise)
    assert choice.name == "torch-float32" and "agrees only" in choice.reason


def test_a_desk_keeps_its_backend(tiny_model: Path, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors")
    before = cache.encode(encoder(tiny_model, "torch-float32"), TEXTS)
    assert cache.backends(encoder(tiny_model).fingerprint) == ["torch-float32"]
    later = encoder(tiny_model)
    after = cache.encode(later, [*TEXTS, "new"])
    assert later.backend_name == "torch-float32" and "earlier vectors" in later.backend
    assert after[: len(TEXTS)].tobytes() == before.tobytes()
    assert cache.backends(later.fingerprint) == ["torch-float32"]


def test_vectors_from_before_the_choice_was_recorded_were_computed_by_torch(tiny_model: Path, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors")
    cache.encode(encoder(tiny_model, "torch-float32"), TEXTS)
    (described,) = (tmp_path / "vectors").glob("*/space.json")
    content = json.loads(described.read_text(encoding="utf-8"))
    del content["backends"]
    described.write_text(json.dumps(content), encoding="utf-8")
    later = encoder(tiny_model)
    VectorCache(tmp_path / "vectors").encode(later, ["new"])
    assert later.backend_name.startswith("torch")


def test_a_backend_that_is_gone_is_replaced_and_both_are_on_record(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, old = VectorCache(tmp_path / "vectors"), encoder(tiny_model, "torch-float32")
    cache.encode(old, TEXTS)
    (described,) = (tmp_path / "vectors").glob("*/space.json")
    described.write_text(described.read_text(encoding="utf-8").replace("torch-float32", "abacus-int4"))
    cache = VectorCache(tmp_path / "vectors")
    cache.encode(encoder(tiny_model), ["new"])
    assert "abacus-int4" in caplog.text
    assert cache.backends(old.fingerprint)[0] == "abacus-int4" and len(cache.backends(old.fingerprint)) == 2


def test_an_unknown_backend_is_refused_with_the_list(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="torch-bfloat16"):
        encoder(tiny_model, "abacus")
