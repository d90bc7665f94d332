"""BERT without padding: the forward pass of the default model, on a CPU three times as fast as padded float32.

Texts of a batch are laid end to end, so that the large products (94 % of the arithmetic at 250 tokens) see no
padding; queries, keys and values are one product. In bfloat16 only the products are: sums along the depth of the
network, layer norms and the mean over tokens stay in float32, which keeps the cosine to float32 above .9999 where
casting the whole model gives .998.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def bfloat16_is_native() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX512-BF16 or AMX)."""
    import torch

    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in asked)


def supports(model: SentenceTransformer) -> bool:
    """Whether a model is what `PackedBert` computes: a BERT with GELU and the mean over all tokens."""
    modules = list(model)
    bert = model.transformers_model
    if bert is None or type(bert).__name__ != "BertModel" or len(modules) not in (2, 3):
        return False
    config, pooling = bert.config, modules[1]
    return (
        config.hidden_act == "gelu"
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
        and not config.is_decoder
        and getattr(pooling, "pooling_mode", None) in ("mean", ("mean",), ["mean"])
        and bool(getattr(pooling, "include_prompt", True))
        and all(type(module).__name__ == "Normalize" for module in modules[2:])
    )


class PackedBert:
    """The forward pass of a model that `supports` accepts.

    Parameters
    ----------
    model
        Stays in float32; its embeddings and norms are used, its products are copied in `dtype`.
    dtype
        `torch.float32` or `torch.bfloat16`.
    device
        Where it computes. On a CPU each text attends by itself; elsewhere a batch does at once, which takes padding in
        the attention alone (6 % of the arithmetic at 250 tokens), and little of it where lengths are similar.
    at_once
        Attend as on a GPU, wherever it computes.
    """

    def __init__(self, model: SentenceTransformer, dtype: Any, device: str = "cpu", at_once: bool = False) -> None:
        import torch

        bert: Any = model.transformers_model
        self.device, self._at_once = device, at_once or device != "cpu"
        self._embeddings, self._dtype = _on(bert.embeddings, device), dtype
        self._n_heads = int(bert.config.num_attention_heads)
        self._layers = []
        for layer in bert.encoder.layer:
            attention, output = layer.attention.self, layer.attention.output
            parts = (attention.query, attention.key, attention.value)
            scale = (bert.config.hidden_size / self._n_heads) ** -0.5
            factors = (scale, 1.0, 1.0)
            weight = torch.cat([part.weight * factor for part, factor in zip(parts, factors, strict=True)])
            bias = torch.cat([part.bias * factor for part, factor in zip(parts, factors, strict=True)])
            products = [(weight, bias)]
            products += [
                (linear.weight, linear.bias) for linear in (output.dense, layer.intermediate.dense, layer.output.dense)
            ]
            cast = [(weight.detach().to(device, dtype), bias.detach().to(device, dtype)) for weight, bias in products]
            self._layers.append((cast, _on(output.LayerNorm, device), _on(layer.output.LayerNorm, device)))
        width, inner = bert.config.hidden_size, bert.config.intermediate_size
        self.bytes_per_token = 48 * width + 8 * inner

    def __call__(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Vectors of n tokenised texts: (n, d) float32 of length one."""
        vectors: np.ndarray = self.launch(token_ids).cpu().numpy()
        return vectors

    def launch(self, token_ids: Sequence[Sequence[int]]) -> Any:
        """The same as a tensor on the device; on a GPU it comes back before the device has finished."""
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            lengths = [len(ids) for ids in token_ids]
            places = _Places(lengths, self.device) if self._at_once else None
            ends = np.cumsum(lengths).tolist()
            stretches = list(zip([0, *ends[:-1]], ends, strict=True))
            x = self._embed([token for ids in token_ids for token in ids], lengths)
            for ((qkv, qkv_bias), out, up, down), norm, last_norm in self._layers:
                parts = functional.linear(x.to(self._dtype), qkv, qkv_bias)
                parts = parts.view(len(x), 3, self._n_heads, -1)
                attended = self._attend(parts, stretches) if places is None else self._attend_at_once(parts, places)
                x = norm(x + functional.linear(attended, *out).float())
                hidden = functional.gelu(functional.linear(x.to(self._dtype), *up))
                x = last_norm(x + functional.linear(hidden, *down).float())
            if places is None:
                means = torch.stack([x[start:end].mean(dim=0) for start, end in stretches])
            else:
                means = places.padded(x).sum(dim=1)  # their length is taken off below
            return functional.normalize(means, dim=1)

    def _embed(self, tokens: list[int], lengths: list[int]) -> Any:
        import torch

        parts = self._embeddings
        positions = torch.cat([torch.arange(length) for length in lengths])
        ids, positions = torch.tensor(tokens).to(self.device), positions.to(self.device)
        summed = parts.word_embeddings(ids) + parts.position_embeddings(positions)
        return parts.LayerNorm(summed + parts.token_type_embeddings.weight[0])

    def _attend_at_once(self, parts: Any, places: _Places) -> Any:
        """As `_attend`, in one call for the batch."""
        from torch.nn import functional

        query, key, value = places.padded(parts).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=places.mask, scale=1.0)
        return attended.transpose(1, 2).flatten(0, 1)[places.rows].flatten(1)

    def _attend(self, parts: Any, stretches: list[tuple[int, int]]) -> Any:
        """Each text attends to itself; `parts` is (tokens, 3, heads, d of a head), the queries scaled."""
        import torch

        attended = torch.empty_like(parts[:, 0])
        for start, end in stretches:
            query, key, value = parts[start:end].permute(1, 2, 0, 3)
            weights = torch.softmax(query @ key.transpose(1, 2), dim=-1)
            attended[start:end] = (weights @ value).transpose(0, 1)
        return attended.flatten(1)


class _Places:
    """Where the tokens of texts that lie end to end are in a padded batch of n texts.

    `rows` is (tokens,): text times the longest length plus position; `mask` (n, 1, 1, longest) is None where no text
    is padded.
    """

    def __init__(self, lengths: list[int], device: str) -> None:
        import torch

        self._n, self._longest = len(lengths), max(lengths)
        rows = np.concatenate([i * self._longest + np.arange(length) for i, length in enumerate(lengths)])
        self.rows = torch.from_numpy(rows).to(device)
        is_there = np.arange(self._longest)[None, :] < np.array(lengths)[:, None]
        self.mask = None if is_there.all() else torch.from_numpy(is_there).to(device)[:, None, None, :]

    def padded(self, values: Any) -> Any:
        """(tokens, …) -> (n, longest, …), zero where there is no token."""
        padded = values.new_zeros((self._n * self._longest, *values.shape[1:]))
        padded[self.rows] = values
        return padded.view(self._n, self._longest, *values.shape[1:])


def _on(module: Any, device: str) -> Any:
    """The module on a device; a copy unless it is there already, so that several devices can share a model."""
    return module if str(next(module.parameters()).device) == device else copy.deepcopy(module).to(device)
