"""Advice on statements that needs the model: too alike, on both sides at once, or near to everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from narratives.archive import schema
from narratives.definitions import Definition
from narratives.labelling import check_statements
from narratives.language import detect_language
from narratives.material import Material
from narratives.scoring import statements_of
from narratives.space import Space, current_space, form_tag

if TYPE_CHECKING:
    from narratives.archive import Archive

_LATEST = 2_000  # members of a narrative that are compared


def check_meanings(
    definitions: Sequence[Definition], material: Material, archive: Archive | None = None
) -> Iterator[str]:
    """Advice on every definition with statements; with an archive also against the articles placed there so far."""
    from embeddings import model_input

    learned = archive is not None and archive.get_meta("space") is not None
    space = current_space(archive, definitions, material) if archive and learned else Space(material.prior_means)
    for definition in definitions:
        statements = statements_of(definition.id, definition)
        texts = statements.texts()
        if not texts:
            continue
        langs = [detect_language(text) for text in texts]
        vectors = space.project(material.encode([model_input("", text) for text in texts]), langs)
        articles = None
        if archive is not None and (rows := _members(archive, definition.id)):
            articles = space.project(material.article_vectors(rows), [form_tag(row) for row in rows])
        yield from check_statements(statements, vectors, articles, counted=False)


def _members(archive: Archive, slug: str) -> list[dict[str, object]]:
    narrative, member, article = schema.narrative, schema.membership, schema.article
    found = archive.rows(narrative, narrative.c.slug == slug)
    if not found:
        return []
    firm = member.c.primary, ~member.c.weak, member.c.how != "copy"
    rows = archive.rows(member, member.c.narrative_id == found[0]["id"], *firm)
    ids = [row["article_id"] for row in sorted(rows, key=lambda row: (row["week"], row["article_id"]))][-_LATEST:]
    kept: list[dict[str, object]] = []
    for start in range(0, len(ids), 500):
        kept += archive.rows(article, article.c.id.in_(ids[start : start + 500]))
    return kept
