"""Train the tone model that the package ships: `python -m benchmarks.train_tone --data FOLDER --out FILE`.

`FOLDER` holds `tone_en_news.jsonl` (NewsMTSC, MIT) and `tone_en_finance.jsonl` (SEntFiN 1.0, MIT),
normalised to JSON Lines as `narratives.evaluate` reads them; the project's own sentences come from
`data/training/`. What is kept out of training: every NewsMTSC row outside `split: train`, a tenth of SEntFiN
and a fifth of the project's sentences, both by hash (`fold`), and a twentieth of what is left for
calibration.

The last layers are trained and the difference to the untouched encoder is then cut to its leading singular
directions, which is what is shipped. The project's own sentences are trained on only with `--own-langs`, and the
difficult Chinese ones (`CALIBRATES`) never: what was tried, and what it cost, stands in the model card
(`narratives/models/README.md`). Two seconds of one AVX2 core a step, less with bfloat16 arithmetic; never run by a
test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from embeddings import model_input
from embeddings.bert_forward import bfloat16_is_native
from narratives.metrics import fit_platt
from narratives.tone_model import OVERALL, ToneNetwork, ToneWeights, encode_pairs, pool

LABELS = {"negative": 0, "neutral": 1, "positive": 2}
SEED = 20250825
#: How often a row of each source is seen in an epoch.
COPIES = {"news": 3, "finance": 1, "tone_en": 2, "tone_en_news": 2, "tone_en_markets": 2, "tone_zh_news": 2}
#: Own sentences that are calibrated on and not trained on: so difficult that training on them costs plain news.
CALIBRATES = ("tone_zh",)
#: The weights of this last share of the steps are averaged (every tenth step).
TAIL = 0.25


@dataclass(frozen=True)
class Row:
    """One text, one target, one label (0 negative, 1 neutral, 2 positive)."""

    text: str
    target: str
    label: int
    source: str
    lang: str
    #: Every target of the text has this label, so it also holds for the text as a whole.
    agrees: bool


def fold(key: str, n: int) -> int:
    """Which of `n` parts a key falls into, for ever: by SHA-256.

    >>> fold("sentfin-4", 10) == fold("sentfin-4", 10)
    True
    """
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % n


def read_rows(path: Path) -> list[dict[str, Any]]:
    """JSON Lines to dictionaries."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def split_rows(data: Path, own: Path, own_langs: tuple[str, ...] = ()) -> dict[str, list[Row]]:
    """Rows to train and calibrate on, and those that are held out, by name of the part.

    The project's sentences in a language outside `own_langs` are not trained on; the Chinese ones then calibrate,
    English has enough rows of its domains for that.
    """
    parts: dict[str, list[Row]] = {k: [] for k in ("train", "calibrate", "news", "finance", "own", "left")}
    news = read_rows(data / "tone_en_news.jsonl")
    by_text: dict[str, set[str]] = {}
    for r in news:
        by_text.setdefault(r["text"], set()).add(r["label"])
    for r in news:
        row = Row(r["text"], r["target"], LABELS[r["label"]], "news", "en", len(by_text[r["text"]]) == 1)
        name = "news" if r["split"] != "train" else _part(r["text"])
        parts[name].append(row)
    for r in read_rows(data / "tone_en_finance.jsonl"):
        known = {t: LABELS[label] for t, label in r["entities"].items() if label in LABELS}
        name = "finance" if fold(r["id"], 10) == 0 else _part(r["id"])
        agrees = len(set(known.values())) == 1
        parts[name] += [Row(r["title"], t, y, "finance", "en", agrees) for t, y in known.items()]
    for path in sorted(own.glob("tone_*.jsonl")):
        rows = read_rows(path)
        seen: dict[str, set[str]] = {}
        for r in rows:
            seen.setdefault(r["text"], set()).add(r["label"])
        for r in rows:
            key = r["id"].rsplit("-", 1)[0]
            name = "own" if fold(key, 5) == 0 else _part(key)
            if name != "own" and (path.stem in CALIBRATES or r["lang"] not in own_langs):
                name = "calibrate" if r["lang"] == "zh" else "left"
            agrees = len(seen[r["text"]]) == 1
            parts[name].append(Row(r["text"], r["target"], LABELS[r["label"]], path.stem, r["lang"], agrees))
    return {name: [_normal(row) for row in rows] for name, rows in parts.items()}


def _normal(row: Row) -> Row:
    """Text and target in the form that the scorer gives them to the model."""
    return replace(row, text=model_input("", row.text), target=model_input("", row.target))


def _part(key: str) -> str:
    return "calibrate" if fold("calibrate " + key, 20) == 0 else "train"


class Trainer:
    """The encoder with its last `n_layers` layers free, and a linear head over two pools.

    The frozen layers see every pair of target and text once, without dropout; what they make of it is kept in half
    precision (about 25 kB a pair), so that a step costs only the free layers.
    """

    def __init__(self, directory: Path, n_layers: int, seed: int = SEED) -> None:
        from transformers import AutoModel, AutoTokenizer

        # The head starts alike in every run, so that runs over other orders of the rows can be averaged.
        torch.manual_seed(SEED)
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        # Dropout inside attention, and the backward pass of the fused kernel, would take half of a step on a CPU.
        self.model = AutoModel.from_pretrained(
            directory, attention_probs_dropout_prob=0.0, attn_implementation="eager"
        ).float()
        first = self.model.config.num_hidden_layers - n_layers
        for name, parameter in self.model.named_parameters():
            layer = re.match(r"encoder\.layer\.(\d+)\.", name)
            parameter.requires_grad = layer is not None and int(layer.group(1)) >= first
        trainable = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self.before = {n: p.detach().clone() for n, p in trainable.items()}
        self.head = torch.nn.Linear(2 * self.model.config.hidden_size, 3)
        self.seed = seed
        torch.manual_seed(seed)
        self.model.eval()
        self._lower, self._upper = self.model.encoder.layer[:first], self.model.encoder.layer[first:]
        self._upper.train()
        self._kept: dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]] = {}

    def logits(self, targets: list[str], texts: list[str]) -> torch.Tensor:
        """(b, 3) of b pairs."""
        pairs = list(zip(targets, texts, strict=True))
        self._keep(sorted({pair for pair in pairs if pair not in self._kept}))
        kept = [self._kept[pair] for pair in pairs]
        hidden = torch.nn.utils.rnn.pad_sequence([h for h, _ in kept], batch_first=True).float()
        mention = torch.nn.utils.rnn.pad_sequence([m for _, m in kept], batch_first=True)
        lengths = torch.tensor([len(m) for _, m in kept])
        mask = (torch.arange(hidden.shape[1])[None] < lengths[:, None]).long()
        hidden = self._run(self._upper, hidden, mask)
        return self.head(pool(hidden, mask, mention))

    def _keep(self, pairs: list[tuple[str, str]]) -> None:
        if not pairs:
            return
        batch, mention = encode_pairs(self.tokenizer, [t for t, _ in pairs], [text for _, text in pairs])
        mask = batch["attention_mask"]
        with torch.no_grad():
            embedded = self.model.embeddings(batch["input_ids"], batch.get("token_type_ids"))
            hidden = self._run(self._lower, embedded, mask).half()
        for pair, h, m, n in zip(pairs, hidden, mention, mask.sum(1).tolist(), strict=True):
            self._kept[pair] = (h[:n].clone(), m[:n].clone())

    def _run(self, layers: Any, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(b, t, d) through some layers; float32 in and out."""
        unseen = (1.0 - mask[:, None, None].to(hidden.dtype)) * torch.finfo(hidden.dtype).min
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_is_native()):
            for layer in layers:
                found = layer(hidden, unseen)
                hidden = found[0] if isinstance(found, tuple) else found
        return hidden.float()

    def groups(self, rate: float, decay: float) -> list[dict[str, Any]]:
        """Parameters by layer: each layer learns at `decay` times the rate of the one above it, so that what
        the languages share in the lower ones is kept."""
        last = self.model.config.num_hidden_layers - 1
        by_layer: dict[int, list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                by_layer.setdefault(int(name.split(".")[2]), []).append(parameter)
        found = [
            {"params": free, "lr": rate * decay ** (last - layer), "weight_decay": 0.01}
            for layer, free in sorted(by_layer.items())
        ]
        return [*found, {"params": self.head.parameters(), "lr": 1e-3, "weight_decay": 0.0}]

    def fit(self, rows: list[Row], epochs: float, rate: float, decay: float = 1.0, batch_size: int = 32) -> None:
        """Train, and end on the mean of the weights over the last `TAIL` of the steps."""
        dice = random.Random(self.seed)
        pool_ = [row for row in rows for _ in range(COPIES[row.source])]
        n_steps = int(len(pool_) * epochs / batch_size)
        free = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(self.groups(rate, decay))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda s: min(1.0, (s + 1) / (0.06 * n_steps)) * max(0.02, 1 - s / n_steps)
        )
        averaged = [*free, *self.head.parameters()]
        sums, n_summed = [torch.zeros_like(p) for p in averaged], 0
        step, started, worked = 0, time.time(), time.process_time()
        while step < n_steps:
            for chosen in _batches(pool_, batch_size, dice):
                if step >= n_steps:
                    break
                targets = [OVERALL if not r.target or (r.agrees and dice.random() < 0.35) else r.target for r in chosen]
                z = self.logits(targets, [r.text for r in chosen])
                wanted = torch.tensor([r.label for r in chosen])
                loss = functional.cross_entropy(z, wanted, label_smoothing=0.05)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(free, 1.0)
                optimizer.step()
                schedule.step()
                step += 1
                if step > n_steps * (1 - TAIL) and step % 10 == 0:
                    n_summed += 1
                    for total, p in zip(sums, averaged, strict=True):
                        total += p.detach()
                if step % 50 == 0:
                    seconds, at_work = time.time() - started, time.process_time() - worked
                    print(f"step {step}/{n_steps} loss {loss.item():.3f} {seconds:.0f} s, processor {at_work:.0f} s")
        with torch.no_grad():
            for total, p in zip(sums, averaged, strict=True):
                p.copy_(total / max(1, n_summed) if n_summed else p)

    def differences(self) -> dict[str, np.ndarray]:
        """Trained minus untouched, by parameter name."""
        now = dict(self.model.named_parameters())
        return {n: (now[n].detach() - old).numpy() for n, old in self.before.items()}


def _batches(rows: list[Row], size: int, dice: random.Random) -> list[list[Row]]:
    order = dice.sample(rows, len(rows))
    found = []
    for start in range(0, len(order), size * 20):
        chunk = sorted(order[start : start + size * 20], key=lambda r: len(r.text))
        found += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    dice.shuffle(found)
    return found


def compress(
    differences: dict[str, np.ndarray],
    before: dict[str, np.ndarray],
    head: torch.nn.Linear,
    rank: int,
    version: str,
) -> ToneWeights:
    """Leading `rank` singular directions of every matrix's difference; vectors (biases, norms) are kept
    whole."""
    updates, replaced = {}, {}
    for name, delta in differences.items():
        if delta.ndim == 2:
            u, s, vt = np.linalg.svd(delta, full_matrices=False)
            root = np.sqrt(s[:rank])
            updates[name.removesuffix(".weight")] = (root[:, None] * vt[:rank], u[:, :rank] * root)
        else:
            replaced[name] = before[name] + delta
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    return ToneWeights(version, 1.0, updates, replaced, weight, bias, {"": [1.0, 0.0, 0.0, 0.0]})


def calibrate(weights: ToneWeights, parts: dict[str, list[Row]], directory: Path) -> ToneWeights:
    """Temperature and biases a language, on rows that were not trained on (Platt)."""
    network = ToneNetwork(weights, directory, "cpu")
    table: dict[str, list[float]] = {}
    for lang in ("en", "zh"):
        rows = [r for r in parts["calibrate"] if r.lang == lang]
        z = network.logits([r.text for r in rows], [r.target or OVERALL for r in rows])
        table[lang] = [round(v, 4) for v in fit_platt(z, [r.label for r in rows])]
        print(f"calibrated {lang} on {len(rows)} rows: {table[lang]}", flush=True)
    return replace(weights, calibration={**table, "": table["en"]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=Path(__file__).parent.parent / "data" / "training")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--layers", type=int, default=6, help="free layers, counted from the last")
    parser.add_argument("--decay", type=float, default=1.0, help="rate of a layer beside that of the next one up")
    parser.add_argument("--seed", type=int, default=SEED, help="of the order of rows and of dropout")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--version", default="tone-2")
    parser.add_argument("--own-langs", nargs="*", default=[], help="own sentences to train on: en, zh")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, help="keep the whole differences here, or go on from them")
    arguments = parser.parse_args()
    from embeddings.bundled import bundled_directory

    torch.set_num_threads(arguments.threads)
    parts = split_rows(arguments.data, arguments.own, tuple(arguments.own_langs))
    print({name: len(rows) for name, rows in parts.items()}, flush=True)
    trainer = Trainer(bundled_directory(), arguments.layers, arguments.seed)
    before = {n: p.numpy() for n, p in trainer.before.items()}
    if arguments.checkpoint and arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=False)
        differences = state["differences"]
        trainer.head.load_state_dict(state["head"])
    else:
        trainer.fit(parts["train"], arguments.epochs, arguments.rate, arguments.decay)
        differences = trainer.differences()
        if arguments.checkpoint:
            torch.save({"differences": differences, "head": trainer.head.state_dict()}, arguments.checkpoint)
    weights = compress(differences, before, trainer.head, arguments.rank, arguments.version)
    weights = calibrate(weights, parts, bundled_directory())
    weights.save(arguments.out)
    print(f"wrote {arguments.out}, {arguments.out.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
