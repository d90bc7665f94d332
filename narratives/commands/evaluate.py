"""`narratives evaluate`: the shipped scorers on a labelled file, beside baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narratives.commands.evaluate_groups import GROUP_KINDS, evaluate_groups
from narratives.commands.screen import JsonOption, note, print_json, say

if TYPE_CHECKING:
    import numpy as np

_KINDS = ("tone", "stance")


def evaluate(
    kind: Annotated[str, typer.Argument(help="tone, stance, clusters or alerts.", show_default=False)],
    file: Annotated[
        Path,
        typer.Argument(help="JSON Lines with `text` or `title`, and `target`, `label`, or `story` and `published_at`."),
    ],
    definitions: Annotated[
        Path | None, typer.Option(help="Statements for stance; without them the target is its own claim.")
    ] = None,
    labels: Annotated[int, typer.Option(min=0, help="Rows a target given to the stance scorer as labels.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Random draws of the labels.")] = 5,
    ask: Annotated[
        str, typer.Option(help="How rows to label are chosen: random, or useful, as `narratives label` asks.")
    ] = "random",
    predictions: Annotated[Path | None, typer.Option(help="Write one row a judgement to this Parquet file.")] = None,
    scorer: Annotated[
        str, typer.Option(help="local, or nli:NAME or llm for stance, hf:NAME or absa:NAME for tone.")
    ] = "",
    settings: Annotated[
        Path | None,
        typer.Option(help="A desk's narratives.toml, for its [score] and [llm].", exists=True, dir_okay=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score tone, stance, clusters or alerts on a labelled file, beside baselines.

    Clusters are compared with `story` or `topic`; alerts with the first weeks of stories, in the order of
    `published_at`, on a desk without definitions (`discover.grain`).

    Labels are negative, neutral, positive for tone; favor, against, neutral for stance. Intervals are 95 %
    bootstrap intervals over rows.
    """
    from embeddings import LanguageRemoval, load_encoder, model_input
    from narratives.evaluate import evaluate_tone, read_labelled
    from narratives.evaluate_stance import evaluate_stance
    from narratives.plugins import stance_reader, tone_scorer
    from narratives.plugins.language_model import LlmReader
    from narratives.scoring import statements_of
    from narratives.settings import ScoreSettings, Settings, load_settings

    if kind in GROUP_KINDS:
        evaluate_groups(kind, file, settings, predictions, as_json)
        return
    if kind not in _KINDS:
        raise typer.BadParameter(f"must be {' or '.join((*_KINDS, *GROUP_KINDS))}, got {kind!r}")
    if ask not in ("random", "useful"):
        raise typer.BadParameter(f"must be random or useful, got {ask!r}")
    chosen = load_settings(settings) if settings else Settings()
    if scorer:
        chosen = chosen.model_copy(update={"score": ScoreSettings.model_validate({kind: scorer})})
    rows = read_labelled(file)
    encoder = load_encoder()

    def encode(texts: Sequence[str]) -> np.ndarray:
        return encoder.encode([model_input("", text) for text in texts])

    note(f"{len(rows)} judgements in {file}")
    if kind == "tone":
        result = evaluate_tone(rows, tone_scorer(chosen), encode)
    else:
        from narratives.definitions import load_definitions

        if definitions is not None and not definitions.exists():
            raise FileNotFoundError(f"no definitions at {definitions}")
        known = load_definitions(definitions) if definitions else []
        statements = [statements_of(d.id, d) for d in known]
        names = [tuple(d.name.texts()) for d in known]
        reader = stance_reader(chosen, (settings.parent if settings else Path()) / "llm")
        if isinstance(reader, LlmReader):
            cost = reader.forecast(rows, statements)
            note(f"{reader.name}: {cost}")
            reader.afford(cost)
        tone = tone_scorer(chosen)
        means = LanguageRemoval.shipped(encoder.fingerprint).means
        result = evaluate_stance(rows, encode, statements, names, labels, seeds, tone, reader, ask, means)  # type: ignore[arg-type]
    if predictions is not None:
        import pandas as pd

        pd.DataFrame(list(result.predictions)).to_parquet(predictions, index=False)
        note(f"wrote {predictions}")
    if as_json:
        print_json(result.as_dict())
    else:
        say(result.as_text())
