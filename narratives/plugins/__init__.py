"""Scorers from elsewhere behind one protocol: Hugging Face models, and language models at an address."""

from narratives.plugins.choose import stance_reader, tone_scorer
from narratives.plugins.protocols import Reading, StanceReader, Toner

__all__ = ["Reading", "StanceReader", "Toner", "stance_reader", "tone_scorer"]
