"""The tone model: updates of the bundled encoder and a three-way head, in one safetensors file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

#: Target of a text that is judged as a whole.
OVERALL = "overall"
MAX_TOKENS = 160

# Linear layers of a BERT block that are updated: path below the block.
ADAPTED = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


@dataclass(frozen=True)
class ToneWeights:
    """What the file holds: arrays by name, and how they are to be read.

    `updates` maps `block.path` to a pair (A, B) of shapes (rank, in) and (out, rank): the layer's weight
    grows by `scale` * B @ A. `replaced` maps names of other parameters to their new values. `head` is a (3,
    2d) matrix over the mean of all tokens and the mean of the target's tokens, `bias` a (3,) vector, rows
    negative, neutral, positive. `calibration` maps a language (`en`, `zh`,
    `""` for others) to [temperature, bias_negative, bias_neutral, bias_positive].
    """

    version: str
    scale: float
    updates: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    replaced: dict[str, NDArray[Any]]
    head: NDArray[Any]
    bias: NDArray[Any]
    calibration: dict[str, list[float]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write as safetensors in half precision; the metadata say version, scale and calibration."""
        from safetensors.numpy import save_file

        arrays: dict[str, NDArray[Any]] = {"head": self.head, "bias": self.bias}
        for name, (a, b) in self.updates.items():
            arrays[f"A.{name}"], arrays[f"B.{name}"] = a, b
        for name, value in self.replaced.items():
            arrays[f"R.{name}"] = value
        metadata = {
            "version": self.version,
            "scale": repr(self.scale),
            "calibration": json.dumps(self.calibration, sort_keys=True),
        }
        half = {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in sorted(arrays.items())}
        save_file(half, path, metadata=metadata)

    @classmethod
    def load(cls, path: Path | None = None) -> ToneWeights:
        """Read a file, or the shipped one.

        Raises
        ------
        FileNotFoundError
            No such file.
        ValueError
            Not a tone model: a part is missing.
        """
        from safetensors import safe_open

        place = path or Path(str(resources.files("narratives") / "models" / "tone.safetensors"))
        if not place.exists():
            raise FileNotFoundError(f"no tone model at {place}")
        with safe_open(str(place), framework="numpy") as file:
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
        missing = [k for k in ("version", "scale", "calibration") if k not in metadata]
        missing += [k for k in ("head", "bias") if k not in arrays]
        if missing:
            raise ValueError(f"{place}: not a tone model, it lacks {', '.join(missing)}")
        updates = {k[2:]: (v, arrays["B." + k[2:]]) for k, v in arrays.items() if k.startswith("A.")}
        replaced = {k[2:]: v for k, v in arrays.items() if k.startswith("R.")}
        return cls(
            metadata["version"],
            float(metadata["scale"]),
            updates,
            replaced,
            arrays["head"],
            arrays["bias"],
            json.loads(metadata["calibration"]),
        )


class ToneNetwork:
    """The encoder with the updates merged in: pairs (target, text) to logits.

    Merged, it costs exactly what the encoder costs. On a CPU that has bfloat16 arithmetic the weights are
    cast to it (twice the speed, the same labels but for ties), elsewhere float32 is used.
    """

    def __init__(self, weights: ToneWeights, directory: Path, device: str = "auto") -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        model = AutoModel.from_pretrained(directory).float()
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, (a, b) in weights.updates.items():
                parameters[f"{name}.weight"] += weights.scale * torch.from_numpy(b @ a)
            for name, value in weights.replaced.items():
                parameters[name].copy_(torch.from_numpy(value))
        self.device = _device(device)
        self._half = self.device.startswith("cuda") or (self.device == "cpu" and _cpu_has_bfloat16())
        self.model = model.to(self.device, torch.bfloat16 if self._half else torch.float32).eval()
        self._head = torch.from_numpy(weights.head).to(self.device)
        self._bias = torch.from_numpy(weights.bias).to(self.device)

    def logits(self, texts: Sequence[str], targets: Sequence[str], batch_size: int = 16) -> NDArray[np.float32]:
        """(n, 3) logits of `states`."""
        return self.read_off(self.states(texts, targets, batch_size))

    def read_off(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 2d) states to (n, 3) logits."""
        import torch

        pooled = torch.from_numpy(states).to(self.device)
        return np.asarray((pooled @ self._head.T + self._bias).float().cpu().numpy())

    def states(self, texts: Sequence[str], targets: Sequence[str], batch_size: int = 16) -> NDArray[np.float32]:
        """(n, 2d): the mean of all tokens, and of the target's. Batches are formed over length-sorted input: the
        same input gives the same bits."""
        import torch

        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i], targets[i]))
        out = np.zeros((len(texts), self._head.shape[1]), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                batch, mention = encode_pairs(self.tokenizer, [targets[i] for i in rows], [texts[i] for i in rows])
                batch = {k: v.to(self.device) for k, v in batch.items()}
                hidden = self.model(**batch).last_hidden_state.float()
                out[rows] = pool(hidden, batch["attention_mask"], mention.to(self.device)).cpu().numpy()
        return out


def encode_pairs(
    tokenizer: Any, targets: Sequence[str], texts: Sequence[str]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Tokens of `query: <target>` and the text as a pair; only the text is cut, at 160 tokens in all.

    Returns
    -------
    dict, tensor
        The encoder's input, and a (b, t) mask of the target's first mention in the text. Where the text does
        not name the target (or there is none) the mask is the attention mask.
    """
    import torch

    batch = tokenizer(
        [f"query: {target[:80]}" for target in targets],
        list(texts),
        truncation="only_second",
        max_length=MAX_TOKENS,
        padding=True,
        return_tensors="pt",
        return_offsets_mapping=True,
    )
    offsets = batch.pop("offset_mapping")
    mention = batch["attention_mask"].clone()
    for i, (target, text) in enumerate(zip(targets, texts, strict=True)):
        start = find_mention(text, target) if target != OVERALL else -1
        if start < 0:
            continue
        second = torch.tensor([part == 1 for part in batch.sequence_ids(i)])
        hit = second & (offsets[i, :, 1] > start) & (offsets[i, :, 0] < start + len(target))
        if hit.any():
            mention[i] = hit.to(mention.dtype)
    return dict(batch), mention


def find_mention(text: str, target: str) -> int:
    """Where a text first names a target, as whole words if it does so at all; -1 where it does not.

    >>> find_mention("When the vote came he left.", "he"), find_mention("对安世的禁令", "安世")
    (19, 1)
    """
    # `\w` takes in Chinese characters, between which words have no border.
    whole = re.search(rf"(?<![^\W\u3400-\u9fff]){re.escape(target)}(?![^\W\u3400-\u9fff])", text)
    return whole.start() if whole else text.find(target)


def pool(hidden: torch.Tensor, mask: torch.Tensor, mention: torch.Tensor) -> torch.Tensor:
    """(b, t, d) hidden states and two (b, t) masks to (b, 2d): the mean under each mask."""
    import torch

    parts = []
    for selected in (mask, mention):
        weight = selected[..., None].to(hidden.dtype)
        parts.append((hidden * weight).sum(1) / weight.sum(1).clamp(min=1))
    return torch.cat(parts, dim=1)


def lora_modules(model: Any, rank: int, scale: float) -> dict[str, tuple[torch.nn.Parameter, torch.nn.Parameter]]:
    """Put trainable low-rank updates on every adapted layer of a frozen encoder (Hu et al. 2021, LoRA).

    Returns the pairs (A, B) by `encoder.layer.<i>.<path>`; layer norms become trainable in place.
    """
    import torch

    for parameter in model.parameters():
        parameter.requires_grad = False
    pairs: dict[str, tuple[torch.nn.Parameter, torch.nn.Parameter]] = {}
    for i, block in enumerate(model.encoder.layer):
        for path in ADAPTED:
            layer = block.get_submodule(path)
            a = torch.nn.Parameter(torch.randn(rank, layer.in_features) / math.sqrt(layer.in_features))
            b = torch.nn.Parameter(torch.zeros(layer.out_features, rank))
            layer.register_forward_hook(_update(a, b, scale))
            pairs[f"encoder.layer.{i}.{path}"] = (a, b)
        for name, parameter in block.named_parameters():
            if "LayerNorm" in name:
                parameter.requires_grad = True
    return pairs


def _update(a: Any, b: Any, scale: float) -> Any:
    def hook(_layer: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        return output + (inputs[0] @ a.T) @ b.T * scale

    return hook


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _cpu_has_bfloat16() -> bool:
    """Native bfloat16 arithmetic; without it casting would slow things down."""
    import torch

    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())
