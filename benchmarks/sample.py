"""The sample subject against its labels: assignment, births, stance and tone, beside majority baselines.

    python -m benchmarks.sample [--desk desk] [--json]

Reads a desk that holds the sample (made by `make report`); changes nothing. The labels are one reader's, and the
texts were written for the project: this shows that the way is walkable, not how good it is on other subjects.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import narratives

ROOT = Path(__file__).parent.parent
STANCES = ["supports", "opposes", "reports"]


def interval(values: np.ndarray, seed: int = 0) -> list[float]:
    """Mean and its 95 % bootstrap interval."""
    from narratives.timeline import mean_with_interval

    return [round(x, 3) for x in mean_with_interval(values.astype(float), 1, seed)]


def measure(desk: narratives.Desk) -> dict[str, Any]:
    """Figures of a desk that holds the sample."""
    from sklearn.metrics import f1_score, roc_auc_score

    labels = pd.read_csv(ROOT / "data" / "labels.csv", keep_default_na=False).set_index("id")
    articles = desk.articles()
    stories = articles[articles["is_first"]].copy()
    stories["label"] = stories["url"].str.rsplit("/", n=1).str[-1]
    for column in ("narrative", "stance", "tone"):
        stories[f"true_{column}"] = stories["label"].map(labels[column])
    slug = stories["narrative"].map(desk.narratives().set_index("id")["slug"]).fillna("")
    defined = desk.narratives().query("origin == 'defined'")["slug"]
    named = stories["true_narrative"].isin(defined)
    found = {
        "stories": len(stories),
        "named: share placed right [95 %]": interval((slug[named] == stories["true_narrative"][named]).to_numpy()),
        "others: share wrongly under a name [95 %]": interval((slug[~named] != "").to_numpy()),
        "same-language share of neighbours": desk.health()["same_language_share"],
    }
    scored = stories[named & stories["stance"].notna() & (slug == stories["true_narrative"])]
    truth = scored["true_stance"]
    signed = truth.isin(["supports", "opposes"])
    decided = scored[scored["verdict"].isin(STANCES)]
    found |= {
        "stance: n": len(scored),
        "stance: unclear": round(1 - len(decided) / len(scored), 3),
        "stance: macro-F1 of the decided": round(
            f1_score(decided["true_stance"], decided["verdict"], labels=STANCES, average="macro"), 3
        ),
        "stance: macro-F1 of always supports": round(
            f1_score(decided["true_stance"], ["supports"] * len(decided), labels=STANCES, average="macro"), 3
        ),
        "stance: AUC supports against opposes": round(
            float(roc_auc_score(truth[signed] == "supports", scored.loc[signed, "stance"])), 3
        ),
    }
    for lang in ("zh", "en"):
        own = stories[stories["lang"].str.startswith(lang)]
        signed_tone = own[own["true_tone"] != "neutral"]
        found[f"tone {lang}: n with a sign, AUC positive against negative"] = [
            len(signed_tone),
            round(float(roc_auc_score(signed_tone["true_tone"] == "positive", signed_tone["tone"])), 3),
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--desk", default="desk")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    desk = narratives.open(said.desk)
    found = measure(desk)
    if said.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for name, value in found.items():
        print(f"{name:<55} {value}")
    print("\nstories by true narrative and where they are")
    labels = pd.read_csv(ROOT / "data" / "labels.csv", keep_default_na=False).set_index("id")
    stories = desk.articles().query("is_first")
    names = desk.narratives().set_index("id")["name"].to_dict() | {"": "(none)"}
    truth = stories["url"].str.rsplit("/", n=1).str[-1].map(labels["narrative"]).replace("", "(noise)")
    print(pd.crosstab(truth.rename(""), stories["narrative"].map(names).rename("")).to_string())
    print("\nevents")
    print(desk.events()[["week", "kind", "narrative", "other"]].to_string(index=False))


if __name__ == "__main__":
    main()
