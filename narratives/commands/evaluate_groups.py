"""`narratives evaluate clusters|alerts`: discovery and alerts on a labelled file."""

from __future__ import annotations

from pathlib import Path

from narratives.commands.screen import note, print_json, say

GROUP_KINDS = ("clusters", "alerts")


def evaluate_groups(kind: str, file: Path, settings: Path | None, predictions: Path | None, as_json: bool) -> None:
    """Score clusters or alerts on JSON Lines with `story` (or `topic`), `title` or `text`; alerts also need
    `published_at`."""
    from embeddings import load_encoder
    from narratives.evaluate_alerts import evaluate_alerts
    from narratives.evaluate_groups import evaluate_clusters, read_grouped
    from narratives.settings import Settings, load_settings

    chosen = load_settings(settings) if settings else Settings()
    rows = read_grouped(file, dated=kind == "alerts")
    note(f"{len(rows)} texts of {len({row['story'] for row in rows})} stories in {file}")
    encoder = load_encoder(chosen.encode.model, chosen.encode.device)
    result = (evaluate_alerts if kind == "alerts" else evaluate_clusters)(rows, chosen, encoder)
    if predictions is not None:
        import pandas as pd

        pd.DataFrame(list(result.predictions)).to_parquet(predictions, index=False)
        note(f"wrote {predictions}")
    if as_json:
        print_json(result.as_dict())
    else:
        say(result.as_text())
