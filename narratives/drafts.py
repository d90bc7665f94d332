"""Statements for a narrative that was found: drafted from its own sentences, put to use when a person confirms them.

Why not before: on the eight labelled narratives of the sample, stance by unconfirmed drafts tells supporting from
opposing articles with an AUC between .11 and .95 (mean .60; three of eight at or below .51): tone stands in for stance,
and which way it runs only a person can say. So a draft is shown, and nothing is measured by it until `desk.confirm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.affinity import Batch, unit
from narratives.definitions import Definition
from narratives.language import detect_language
from narratives.plugins.protocols import Toner
from narratives.scoring import statements_of
from narratives.sentences import sentences_of
from narratives.space import Space
from narratives.statements import Statements, draft_statements

if TYPE_CHECKING:
    from narratives.step import Step

_ARTICLES, _SENTENCES = 8, 6
_SHORTEST, _LONGEST = 12, 300
_EACH = 3
_CLEARLY = 0.3


def draft(narrative: str, members: Batch, step: Step, space: Space, tone: Toner) -> dict[str, list[str]]:
    """Pro, con and neutral sentences of a young narrative's articles, up to three a class in Chinese and in English.

    Clearly positive sentences stand in for support, clearly negative ones for opposition, both from the 8 articles
    nearest to the centre (see `draft_statements`); the other way round where the headline of the nearest one, which
    is the drafted claim, is clearly negative itself.

    Returns
    -------
    dict
        `pro`, `con`, `neutral`; empty lists where the sentences of a language do not show both sides.
    """
    from embeddings import model_input

    centre = unit(members.vectors.sum(axis=0))
    nearest = np.argsort(-(members.vectors @ centre), kind="stable")[:_ARTICLES]
    rows = step.rows_of([members.ids[int(i)] for i in nearest])
    said = sentences_of(rows)
    kept = [j for i in range(len(rows)) for j in said.of(i)[:_SENTENCES] if _SHORTEST <= len(said.texts[j]) <= _LONGEST]
    found: dict[str, list[str]] = {"pro": [], "con": [], "neutral": []}
    if not kept:
        return found
    langs = [str(rows[int(said.owners[j])]["lang"]) for j in kept]
    texts = [said.texts[j] for j in kept]
    near = space.project(step.material.encode([model_input("", text) for text in texts]), langs) @ centre
    p = tone.score([*texts, rows[0]["title"]])
    headline, p = p[-1], p[:-1]
    if headline[0] - headline[2] > _CLEARLY:
        p = p[:, ::-1]
    for lang in ("zh", "en"):
        own = [k for k, tag in enumerate(langs) if tag.startswith(lang)]
        if not own:
            continue
        drafted = draft_statements(narrative, [texts[k] for k in own], near[own], p[own], n_each=_EACH)
        if drafted.decidable:
            found["pro"] += [*drafted.claim, *drafted.pro]
            found["con"] += drafted.con
            found["neutral"] += drafted.neutral
    return found


def usable_statements(
    narrative: str, row: Mapping[str, Any] | None, definition: Definition | None
) -> Statements | None:
    """What stance may be measured by: the analyst's definition, or a draft that she has confirmed; else None.

    Parameters
    ----------
    row
        The narrative's row; None while it is being born.
    definition
        From `definitions.yaml`, for a named narrative.
    """
    if definition is not None:
        return statements_of(narrative, definition) if definition.claim.texts() else None
    if row is None or row["drafted"] or row["slug"]:
        return None
    kept = row["definition"] or {}
    claim = [text for text in (kept.get("claim") or {}).values() if text]
    found = Statements(
        narrative,
        claim=tuple(claim),
        pro=tuple(kept.get("pro") or ()),
        con=tuple(kept.get("con") or ()),
        neutral=tuple(kept.get("neutral") or ()),
    )
    return found if found.decidable else None


def draft_rows(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(role, lang, text) of a narrative's claim and statements, the claim first."""
    kept = row["definition"] or {}
    claim = [("claim", lang, text) for lang, text in (kept.get("claim") or {}).items() if text]
    said = [(role, detect_language(text), text) for role in ("pro", "con", "neutral") for text in kept.get(role) or ()]
    return claim + said
