"""Train the tone model that the package ships: `python -m benchmarks.train_tone --data FOLDER --out FILE`.

`FOLDER` holds `tone_en_news.jsonl` (NewsMTSC, MIT) and `tone_en_finance.jsonl` (SEntFiN 1.0, MIT),
normalised to JSON Lines as `narratives.evaluate` reads them; the project's own sentences come from
`data/training/`. What is kept out of training: every NewsMTSC row outside `split: train`, a tenth of SEntFiN
and a fifth of the project's sentences, both by hash (`fold`), and a twentieth of what is left for
calibration.

A head is fitted to the untouched encoder, then all layers are trained (the word embeddings are not), and the
difference to the untouched encoder is cut to its leading singular directions, which is what is shipped. What was tried,
and what it cost, stands in the model card (`narratives/models/README.md`). 1,236 steps of 1.3 seconds of a core with
bfloat16 arithmetic; never run by a test. Another processor's arithmetic gives other last bits, and figures that differ
by chance.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
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
COPIES = {"news": 3, "finance": 1, "tone_en_news": 1}
OWN_COPIES = 2
#: Own sentences that are trained on. Those of `tone_zh`, difficult on purpose, calibrate: training on them costs news.
TRAINED = ("tone_en_news", "tone_zh_markets", "tone_zh_news")


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


def split_rows(data: Path, own: Path, trained: Sequence[str] = TRAINED) -> dict[str, list[Row]]:
    """Rows to train and calibrate on, and those that are held out, by name of the part.

    The project's files outside `trained` are not trained on; the Chinese ones then calibrate, English has enough rows
    of its domains for that.
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
            if name != "own" and path.stem not in trained:
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

    The head is fitted before a layer is freed (`fit_head`), so that the layers need not move to meet a head that knows
    nothing: what the languages share is lost less (Kumar et al., *Fine-Tuning can Distort Pretrained Features and
    Underperform Out-of-Distribution*, ICLR 2022).
    """

    def __init__(self, directory: Path, n_layers: int, seed: int = SEED) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        # The backward pass of the fused attention kernel is slow on a CPU.
        self.model = AutoModel.from_pretrained(directory, attn_implementation="eager").float()
        first = self.model.config.num_hidden_layers - n_layers
        for name, parameter in self.model.named_parameters():
            layer = re.match(r"encoder\.layer\.(\d+)\.", name)
            parameter.requires_grad = layer is not None and int(layer.group(1)) >= first
        trainable = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self.before = {n: p.detach().clone() for n, p in trainable.items()}
        self.head = torch.nn.Linear(2 * self.model.config.hidden_size, 3)
        self.seed = seed

    def states(self, targets: Sequence[str], texts: Sequence[str]) -> torch.Tensor:
        """(b, 2d): both pools of b pairs of target and text."""
        batch, mention = encode_pairs(self.tokenizer, list(targets), list(texts))
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_is_native()):
            hidden = self.model(**batch).last_hidden_state
        return pool(hidden.float(), batch["attention_mask"], mention)

    def fit_head(self, rows: Sequence[Row], batch_size: int = 64) -> None:
        """Logistic regression on what the untouched encoder makes of the rows."""
        from sklearn.linear_model import LogisticRegression

        targets = asked(rows, random.Random(SEED))
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].text))
        found = np.zeros((len(rows), self.head.in_features), dtype=np.float32)
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), batch_size):
                some = order[start : start + batch_size]
                found[some] = self.states([targets[i] for i in some], [rows[i].text for i in some]).numpy()
        weights = [COPIES.get(row.source, OWN_COPIES) for row in rows]
        fitted = LogisticRegression(max_iter=2000).fit(found, [row.label for row in rows], weights)
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(fitted.coef_))
            self.head.bias.copy_(torch.from_numpy(fitted.intercept_))

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
        """Train head and free layers together."""
        torch.manual_seed(self.seed)
        dice = random.Random(self.seed)
        pool_ = [row for row in rows for _ in range(COPIES.get(row.source, OWN_COPIES))]
        n_steps = int(len(pool_) * epochs / batch_size)
        free = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(self.groups(rate, decay))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda s: min(1.0, (s + 1) / (0.06 * n_steps)) * max(0.02, 1 - s / n_steps)
        )
        batches = endless(pool_, batch_size, dice)
        self.model.train()
        started, worked = time.time(), time.process_time()
        for step in range(1, n_steps + 1):
            chosen = next(batches)
            z = self.head(self.states(asked(chosen, dice), [r.text for r in chosen]))
            loss = functional.cross_entropy(z, torch.tensor([r.label for r in chosen]), label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(free, 1.0)
            optimizer.step()
            schedule.step()
            if step % 50 == 0:
                seconds, at_work = time.time() - started, time.process_time() - worked
                print(f"step {step}/{n_steps} loss {loss.item():.3f} {seconds:.0f} s, processor {at_work:.0f} s")

    def differences(self) -> dict[str, np.ndarray]:
        """Trained minus untouched, by parameter name."""
        now = dict(self.model.named_parameters())
        return {n: (now[n].detach() - old).numpy() for n, old in self.before.items()}


def asked(rows: Sequence[Row], dice: random.Random) -> list[str]:
    """What each row is asked about: its target, or now and then the text as a whole where that has the same label."""
    return [OVERALL if not r.target or (r.agrees and dice.random() < 0.35) else r.target for r in rows]


def endless(rows: list[Row], size: int, dice: random.Random) -> Iterator[list[Row]]:
    """Batches of texts about as long as each other, pass after pass."""
    while rows:
        order = dice.sample(rows, len(rows))
        found = []
        for start in range(0, len(order), size * 20):
            chunk = sorted(order[start : start + size * 20], key=lambda r: len(r.text))
            found += [chunk[i : i + size] for i in range(0, len(chunk), size)]
        dice.shuffle(found)
        yield from found


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
    """Temperature and biases a language, on rows that were not trained on (Platt); each source counts as much."""
    network = ToneNetwork(weights, directory, "cpu")
    table: dict[str, list[float]] = {}
    for lang in ("en", "zh"):
        by_source: dict[str, list[Row]] = {}
        for row in parts["calibrate"]:
            if row.lang == lang:
                by_source.setdefault(row.source, []).append(row)
        most = max(map(len, by_source.values()))
        rows = [own[i % len(own)] for _, own in sorted(by_source.items()) for i in range(most)]
        z = network.logits([r.text for r in rows], [r.target or OVERALL for r in rows])
        table[lang] = [round(v, 4) for v in fit_platt(z, [r.label for r in rows])]
        print(f"calibrated {lang} on {[(name, len(own)) for name, own in by_source.items()]}: {table[lang]}")
    return replace(weights, calibration={**table, "": table["en"]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=Path(__file__).parent.parent / "data" / "training")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--layers", type=int, default=12, help="free layers, counted from the last")
    parser.add_argument("--decay", type=float, default=1.0, help="rate of a layer beside that of the next one up")
    parser.add_argument("--seed", type=int, default=SEED, help="of the order of rows and of dropout")
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--version", default="tone-2")
    parser.add_argument("--own-files", nargs="*", default=TRAINED, help="of data/training, to train on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, help="keep the whole differences here, or go on from them")
    arguments = parser.parse_args()
    from embeddings.bundled import bundled_directory

    torch.set_num_threads(arguments.threads)
    parts = split_rows(arguments.data, arguments.own, arguments.own_files)
    print({name: len(rows) for name, rows in parts.items()}, flush=True)
    trainer = Trainer(bundled_directory(), arguments.layers, arguments.seed)
    before = {n: p.numpy() for n, p in trainer.before.items()}
    if arguments.checkpoint and arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=False)
        differences = state["differences"]
        trainer.head.load_state_dict(state["head"])
    else:
        trainer.fit_head(parts["train"])
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
