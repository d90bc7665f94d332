"""What is wrong with a corpus before it misleads: looked at in all articles, also those that wait for an update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from narratives.archive import Archive, schema
from narratives.language import UNDETERMINED, base_language
from narratives.machine import Finding

if TYPE_CHECKING:
    from narratives.settings import Settings

_BLANK_SHARE = 0.05
_MIDNIGHT_SHARE = 0.5
_SOURCE_SHARE = 0.5
_SPOKEN_SHARE, _SPOKEN_ARTICLES = 0.02, 5  # a language with less of both is chance
_UNKNOWN_SHARE = 0.1  # of a text's tokens that the model has no word for
_SAMPLE = 50

# What XLM-RoBERTa, and with it multilingual-e5, was trained on (Conneau et al., 2020, table 6).
_E5_LANGUAGES = frozenset(
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my nb ne nl nn no om or pa pl ps pt ro ru sa sd si sk sl "
    "so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh".split()
)


def examine_corpus(archive: Archive, settings: Settings) -> Iterator[Finding]:
    """Blank titles, dates without a time, one source above half, languages that the encoder does not know."""
    a = schema.article
    with archive.reading() as connection:
        n = connection.scalar(select(func.count()).select_from(a)) or 0
        if not n:
            return
        n_blank = connection.scalar(select(func.count()).where(func.trim(a.c.title) == "")) or 0
        largest = connection.execute(
            select(a.c.source, func.count()).group_by(a.c.source).order_by(func.count().desc(), a.c.source).limit(1)
        ).one()
        zone = ZoneInfo(settings.discover.timezone)
        moments = connection.execute(select(a.c.published_at, func.count()).group_by(a.c.published_at))
        n_midnight = sum(k for at, k in moments if at.replace(tzinfo=UTC).astimezone(zone).time() == time())
        by_tag = connection.execute(select(a.c.lang, func.count()).group_by(a.c.lang))
        tags: dict[str, int] = {row[0]: row[1] for row in by_tag}
        langs: Counter[str] = Counter()
        for tag, k in tags.items():
            langs[base_language(tag)] += k
        spoken = [lang for lang, k in sorted(langs.items()) if k >= _SPOKEN_ARTICLES and k >= _SPOKEN_SHARE * n]
        samples = {
            lang: list(
                connection.scalars(
                    select(a.c.title + "\n" + func.substr(a.c.text, 1, 300))
                    .where(a.c.lang.in_([tag for tag in tags if base_language(tag) == lang]))
                    .order_by(a.c.id)
                    .limit(_SAMPLE)
                )
            )
            for lang in spoken
        }
    if n_blank / n > _BLANK_SHARE:
        said = f"{n_blank:,} of {n:,} articles have no title"
        yield Finding("note", "titles", said, "name the column with `narratives ingest --map title=NAME`")
    if n_midnight / n > _MIDNIGHT_SHARE:
        yield Finding(
            "note",
            "dates",
            f"{n_midnight:,} of {n:,} articles are dated exactly midnight: dates without a time, so the last day of a "
            "week may count into the wrong one",
            "name a better date column with `narratives ingest --map published_at=NAME`",
        )
    if largest[1] / n > _SOURCE_SHARE:
        source = largest[0] or "one source without a name"
        said = f"{largest[1] / n:.0%} of the articles come from {source}: what is told is mostly its view"
        yield Finding("note", "sources", said)
    for lang, why in unknown_languages(settings.encode.model, samples).items():
        yield Finding(
            "problem",
            "languages",
            f"{langs[lang]:,} of {n:,} articles are in {lang!r}, which the encoder does not know ({why}): they lie "
            "anywhere, and join what they do not belong to",
            "leave them out, or name a model for that language in encode.model",
        )


def unknown_languages(model: str, samples: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Which languages an encoder does not know, and why that is thought; empty where nothing can be said.

    The default model is known by what it was trained on. Another that lies in a folder is asked how many tokens of
    each language's texts it has no word for; one that would have to be fetched is not judged.

    Parameters
    ----------
    model
        As `encode.model` in the settings.
    samples
        Two-letter code to some texts in that language.
    """
    known = {lang: texts for lang, texts in samples.items() if lang != UNDETERMINED}
    if model == "default":
        return {lang: "it was not trained on it" for lang in known if lang not in _E5_LANGUAGES}
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return {}
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError):
        return {}
    found = {}
    for lang, texts in known.items():
        tokens = [token for text in texts for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
        share = tokens.count(tokenizer.unk_token_id) / max(1, len(tokens))
        if share > _UNKNOWN_SHARE:
            found[lang] = f"it has no word for {share:.0%} of the tokens"
    return found
