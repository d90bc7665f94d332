"""Do last layers that learn sides on many narratives tell sides on narratives they never saw?

`python -m benchmarks.stance_layers --layers 2 --epochs 2 --out FILE`

Reads the invented narratives of `data/training`. The encoder's last layers are trained on four fifths of them in
episodes (Snell et al. 2017, prototypical networks): of one narrative, each text is told by its cosine to the mean of
the other texts of each class, after the mean of all is taken off, as the stance scorer does. The other fifth says,
before and after, how often that is right and how well supporting and opposing texts are told apart, with 95 % bootstrap
intervals over its narratives. What is trained on one layer costs a twelfth of the encoding when the layers below are
shared with it. `FILE` gets the trained layers in half precision. Minutes on a quiet core; never run by a test.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from narratives.definitions import load_definitions
from narratives.scoring import statements_of
from narratives.statements import CLASSES

FOLDER = Path(__file__).parents[1] / "data" / "training"
SEED = 20251128
MAX_TOKENS = 128
#: Texts of one narrative in one step: what fits a minute a thousand steps on one core.
PER_STEP = 24


@dataclass(frozen=True)
class Narrative:
    """Statements and labelled texts of one narrative; `labels` are columns of `CLASSES`."""

    id: str
    texts: tuple[str, ...]
    labels: NDArray[np.int64]


def read_narratives(folder: Path = FOLDER) -> list[Narrative]:
    """All invented narratives, statements among their texts, in a fixed order."""
    found = []
    for name in ("stance", "stance_many"):
        rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for definition in load_definitions(folder / f"{name}_definitions.yaml"):
            statements = statements_of(definition.id, definition)
            own = [row for row in rows if row["target"] == definition.id]
            texts = (*statements.texts(), *(row["text"] for row in own))
            labels = [*statements.groups(), *(CLASSES.index(row["label"]) for row in own)]
            found.append(Narrative(definition.id, texts, np.array(labels, dtype=np.int64)))
    return found


class LastLayers(torch.nn.Module):
    """Copies of an encoder's last layers, from hidden states below them to the mean over tokens."""

    def __init__(self, model: Any, n: int) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(copy.deepcopy(list(model.encoder.layer[-n:])))
        self.reports = torch.nn.Linear(model.config.hidden_size, 1)
        torch.nn.init.zeros_(self.reports.weight)
        torch.nn.init.zeros_(self.reports.bias)
        self.log_scale = torch.nn.Parameter(torch.tensor(2.3))

    def forward(self, below: Sequence[torch.Tensor]) -> torch.Tensor:
        x, mask = padded(below)
        for layer in self.layers:
            x = applied(layer, x, mask)
        return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)

    def logits(self, pooled: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, 3): each text against the mean of the others of each class; -9 where there are none."""
        x = functional.normalize(pooled - pooled.mean(0), dim=1)
        member = functional.one_hot(labels, 3).float()
        columns = []
        for c in range(3):
            others = (member[:, c] @ x)[None] - member[:, c : c + 1] * x
            cosine = (x * functional.normalize(others, dim=1, eps=1e-6)).sum(1)
            alone = member[:, c].sum() - member[:, c] < 1
            columns.append(torch.where(alone, torch.full_like(cosine, -9.0), self.log_scale.exp() * cosine))
        z = torch.stack(columns, 1)
        return z + functional.pad(self.reports(pooled), (2, 0))


def padded(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, t, d) and its (n, t) mask."""
    x = torch.nn.utils.rnn.pad_sequence([row.float() for row in rows], batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return x, (torch.arange(x.shape[1])[None] < lengths[:, None]).float()


def applied(layer: Any, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    out = layer(x, (1 - mask[:, None, None, :]) * -1e9)
    return out[0] if isinstance(out, tuple) else out


def hidden_below(model: Any, tokenizer: Any, texts: Sequence[str], n: int, batch: int = 32) -> dict[str, torch.Tensor]:
    """Text -> (tokens, d) hidden states below the last `n` layers, in half precision."""
    from embeddings import model_input

    forms = {text: "passage: " + model_input("", text) for text in texts}
    order = sorted(forms, key=lambda text: (len(forms[text]), text))
    found = {}
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            tokens = tokenizer(
                [forms[t] for t in part], truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt"
            )
            mask = tokens["attention_mask"].float()
            x = model.embeddings(input_ids=tokens["input_ids"])
            for layer in model.encoder.layer[:-n]:
                x = applied(layer, x, mask)
            found |= {text: x[i, : int(mask[i].sum())].half() for i, text in enumerate(part)}
    return found


def quality(last: LastLayers, below: dict[str, torch.Tensor], held: Sequence[Narrative]) -> dict[str, list[float]]:
    """Accuracy and AUC of supports against opposes, each as mean, low, high over the narratives."""
    from sklearn.metrics import roc_auc_score

    last.eval()
    figures = []
    with torch.inference_mode():
        for one in held:
            z = last.logits(last([below[t] for t in one.texts]), torch.from_numpy(one.labels)).numpy()
            sides = one.labels < 2
            lean = (z[:, 0] - z[:, 1])[sides]
            figures.append((float((z.argmax(1) == one.labels).mean()), roc_auc_score(one.labels[sides] == 0, lean)))
    values = np.array(figures)
    dice = np.random.default_rng(0)
    draws = [values[dice.integers(0, len(values), len(values))].mean(axis=0) for _ in range(2000)]
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    names = ("accuracy", "auc")
    return {name: [round(float(v[i]), 3) for v in (values.mean(0), low, high)] for i, name in enumerate(names)}


def train(
    last: LastLayers, below: dict[str, torch.Tensor], taught: Sequence[Narrative], epochs: int, rate: float
) -> None:
    """One narrative a step; the rate rises over the first tenth of the steps and then falls."""
    torch.manual_seed(SEED)
    dice = np.random.default_rng(SEED)
    heads = [last.log_scale, *last.reports.parameters()]
    groups = [{"params": last.layers.parameters(), "lr": rate}, {"params": heads, "lr": 3e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * len(taught)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.05, 1 - step / steps)
    )
    last.train()
    for _ in range(epochs):
        for k in dice.permutation(len(taught)).tolist():
            one = taught[k]
            rows = np.sort(dice.permutation(len(one.texts))[:PER_STEP])
            labels = torch.from_numpy(one.labels[rows])
            z = last.logits(last([below[one.texts[i]] for i in rows.tolist()]), labels)
            optimizer.zero_grad()
            functional.cross_entropy(z, labels).backward()
            torch.nn.utils.clip_grad_norm_(last.parameters(), 1.0)
            optimizer.step()
            schedule.step()


def main() -> None:
    from safetensors.torch import save_file
    from transformers import AutoModel, AutoTokenizer

    from embeddings.bundled import bundled_directory

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--held", type=int, default=0, help="which fifth of the narratives is not trained on")
    parser.add_argument("--narratives", type=int, default=0, help="only so many, to try it out")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    directory = bundled_directory()
    model = AutoModel.from_pretrained(directory).float().eval()
    known = read_narratives()[: chosen.narratives or None]
    start = time.process_time()
    texts = [text for one in known for text in one.texts]
    below = hidden_below(model, AutoTokenizer.from_pretrained(directory), texts, chosen.layers)
    held = [one for i, one in enumerate(known) if i % 5 == chosen.held]
    taught = [one for i, one in enumerate(known) if i % 5 != chosen.held]
    last = LastLayers(model, chosen.layers)
    print(json.dumps({"held out": len(held), "before": quality(last, below, held)}))
    train(last, below, taught, chosen.epochs, chosen.rate)
    seconds = round(time.process_time() - start)
    print(json.dumps({"taught": len(taught), "after": quality(last, below, held), "processor seconds": seconds}))
    if chosen.out:
        save_file({name: value.half().contiguous() for name, value in last.state_dict().items()}, chosen.out)


if __name__ == "__main__":
    main()
