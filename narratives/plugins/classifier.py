"""Any Hugging Face sequence classifier, by name or path."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
_BATCH = 16


class Classifier:
    """Texts, or pairs of texts, to the probabilities of the model's own classes.

    Parameters
    ----------
    name
        Name on a hub or path of a folder with a sequence classification model and its tokenizer.
    max_tokens
        Of a text or pair; the first text is cut.

    Raises
    ------
    ValueError
        On first use: there is no such model, or it is no classifier.
    """

    def __init__(self, name: str, device: str = "auto", max_tokens: int = 256) -> None:
        self.name, self._device, self._max_tokens = name, device, max_tokens

    @cached_property
    def _loaded(self) -> tuple[Any, Any, str]:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.name)
            model = AutoModelForSequenceClassification.from_pretrained(self.name)
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ValueError(f"no classifier could be loaded from {self.name!r}: {first}") from error
        device = self._device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return tokenizer, model.float().to(device).eval(), device

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's own names of its classes, by column."""
        names = self._loaded[1].config.id2label
        return tuple(str(names[i]) for i in sorted(names))

    def probabilities(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Floats:
        """(n, k) probabilities, rounded to four decimals: the digits after depend on what stands in the batch."""
        import torch

        wanted = list(zip(texts, pairs, strict=True)) if pairs is not None else [(text, "") for text in texts]
        unique = sorted(set(wanted), key=lambda pair: (len(pair[0]) + len(pair[1]), pair))
        tokenizer, model, device = self._loaded
        limit = min(self._max_tokens, int(getattr(model.config, "max_position_embeddings", 1 << 30) or 1 << 30))
        known: dict[tuple[str, str], Floats] = {}
        with torch.inference_mode():
            for start in range(0, len(unique), _BATCH):
                some = unique[start : start + _BATCH]
                second = [b for _, b in some] if pairs is not None else None
                cut = "only_first" if pairs is not None else True
                batch = tokenizer(
                    [a for a, _ in some],
                    second,
                    truncation=cut,
                    max_length=limit,
                    padding=True,
                    return_tensors="pt",
                )
                logits = model(**{k: v.to(device) for k, v in batch.items()}).logits.float()
                rows = np.round(torch.softmax(logits, dim=1).cpu().numpy().astype(float), 4)
                known.update(zip(some, rows, strict=True))
        return np.stack([known[pair] for pair in wanted]) if wanted else np.zeros((0, len(self.labels)))
