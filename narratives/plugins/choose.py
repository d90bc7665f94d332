"""Which scorers a desk's settings name: the one place where `local`, `nli:NAME`, `hf:NAME` and `llm` are read."""

from __future__ import annotations

from pathlib import Path

from narratives.plugins.protocols import StanceReader, Toner
from narratives.settings import Settings


def tone_scorer(settings: Settings) -> Toner:
    """The scorer that `score.tone` names: `local`, `hf:NAME` (a sentiment model) or `absa:NAME` (toward targets)."""
    kind, _, name = settings.score.tone.partition(":")
    device = settings.encode.device
    if kind == "local":
        from narratives.tone import ToneScorer

        return ToneScorer.load(device=device)
    from narratives.plugins.sentiment import SentimentScorer

    return SentimentScorer(name, device, targeted=kind == "absa")


def stance_reader(settings: Settings, answers: Path) -> StanceReader | None:
    """The reader that `score.stance` names: `nli:NAME`, `llm`, or None for `local`.

    Parameters
    ----------
    answers
        Folder in which a language model's answers are kept.

    Raises
    ------
    LlmError
        `llm` without an endpoint in the section `[llm]`.
    """
    kind, _, name = settings.score.stance.partition(":")
    if kind == "local":
        return None
    if kind == "nli":
        from narratives.plugins.nli import NliReader

        return NliReader(name, settings.encode.device)
    from narratives.llm import Llm
    from narratives.plugins.language_model import LlmReader

    return LlmReader(Llm(settings.llm, answers))
