"""Stance and tone of articles, each with the sentences that carry it: the stage that fills the score tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from narratives.definitions import Definition
from narratives.evidence import EvidenceSpan, pick
from narratives.judged import UNJUDGED, Judged
from narratives.language import detect_language
from narratives.material import Material, Row
from narratives.plugins.protocols import Reading, StanceReader, Toner, through_gate
from narratives.sentences import Sentences, sentences_of
from narratives.space import Space, form_tag
from narratives.speech import find_speech
from narratives.stance import StanceScorer, Statements, narrative_centres, relevance_floors
from narratives.tone import SPOKEN_WEIGHT, Toward, article_probabilities, article_tone, toward

_EVIDENCE = 3
SCORER_CHARS = 64  # of the column
_LEAD_CHARS = 300
# A whole article is less like a headline than a post is. On the sample's 122 labelled articles .05 leaves out 24 %,
# and three-way macro-F1 on the rest is .58 (.55 on all; majority .22); the scorer's own gate of .15 leaves out 83 %.
ARTICLE_GATE = 0.05


def tone_rows(
    rows: Sequence[Row],
    said: Sentences,
    scorer: Toner,
    encode: Callable[[Sequence[str]], np.ndarray],
) -> list[dict[str, Any]]:
    """Rows of the tone table: title and mean of the sentences, with up to three sentences as evidence.

    The outlet's own sentences come first: one in which somebody else speaks counts a quarter (`SPOKEN_WEIGHT`).
    """
    if not rows:
        return []
    titles = [row["title"] for row in rows]
    p = scorer.score([*titles, *said.texts], encode)
    found = []
    for i, row in enumerate(rows):
        own = said.of(i)
        title = p[i] if titles[i].strip() else None
        inner = p[len(rows) + own]
        weights = [1.0 if said.speeches[j] is None else SPOKEN_WEIGHT for j in own]
        tone = article_tone(title, inner, weights)
        shares = article_probabilities(title, inner, weights)
        spans = pick(
            row["text"],
            [said.spans[j] for j in own],
            inner[:, 2] - inner[:, 0],
            tone,
            n=_EVIDENCE,
            spoken=[said.speeches[j] is not None for j in own],
        )
        found.append(
            {
                "article_id": row["id"],
                "tone": round(float(tone), 4),
                "p_negative": round(float(shares[0]), 4),
                "p_neutral": round(float(shares[1]), 4),
                "p_positive": round(float(shares[2]), 4),
                "evidence": [evidence_item(s, "tone", row, said, own) for s in spans],
                "scorer": scorer.name[:SCORER_CHARS],
            }
        )
    return found


def evidence_item(span: EvidenceSpan, kind: str, row: Row, said: Sentences, own: np.ndarray) -> dict[str, Any]:
    """An evidence sentence as it is stored: offsets, its own score, and its speaker where that is not the outlet."""
    item: dict[str, Any] = {"start": span.start, "end": span.end, kind: round(span.score, 4)}
    around = [j for j in own if said.spans[j][0] <= span.start < said.spans[j][1]]
    # A language model may quote from beyond the sentences that are scored.
    speech = said.speeches[around[0]] if around else find_speech(row["text"], [(span.start, span.end)])[0]
    if speech is not None:
        item |= {
            "speaker": speech.speaker,
            "speaker_start": speech.speaker_start,
            "speaker_end": speech.speaker_end,
            "quoted": speech.quoted,
        }
    return item


def statements_of(narrative_id: str, definition: Definition) -> Statements:
    """A definition's claim and statements in the form that the stance scorer takes."""
    return Statements(
        narrative=narrative_id,
        claim=tuple(definition.claim.texts()),
        pro=definition.pro,
        con=definition.con,
        neutral=definition.neutral,
        actors=definition.actors,
        kind=definition.kind,
    )


def stance_scorer(
    statements: Statements,
    members: tuple[np.ndarray, Sequence[str]],
    space: Space,
    material: Material,
    tone: Toner,
    judged: Judged = UNJUDGED,
) -> StanceScorer:
    """The scorer of one narrative: its statements, centred on its members, and what a person has labelled.

    Parameters
    ----------
    members
        Vectors (n, d) in the space and languages of the narrative's latest members, for its centre.
    judged
        Labelled articles of the narrative.
    """
    from embeddings import model_input

    texts = statements.texts()
    langs = tuple(detect_language(text) for text in texts)
    vectors = space.project(material.encode([model_input("", text) for text in texts]), langs)
    subject = {lang: np.zeros(vectors.shape[1]) for lang in ("zh", "en")}  # taken off by the space already
    centres = narrative_centres(vectors, langs, statements.groups(), members[0], members[1], subject)
    floors = relevance_floors(centres, *members)
    said = None
    if statements.kind == "entity" or judged:
        said = toward(texts, statements.actors[0], tone) if statements.actors else None
    if not judged:
        return StanceScorer(statements, vectors, langs, centres, statement_tone=said, gate=ARTICLE_GATE, floors=floors)
    label_langs = [str(row["lang"]) for row in judged.rows]
    return StanceScorer(
        statements,
        vectors,
        langs,
        centres,
        statement_tone=said,
        label_vectors=space.project(material.article_vectors(judged.rows), [form_tag(row) for row in judged.rows]),
        label_langs=label_langs,
        label_tone=toward_actor(judged.rows, statements, tone),
        labels=judged.labels,
        gate=ARTICLE_GATE,
        floors=floors,
        mark=judged.mark,
    )


def toward_actor(rows: Sequence[Row], statements: Statements, tone: Toner) -> Toward | None:
    """Tone of title and lead toward the claim's first actor; None where it names none."""
    leads = [f"{row['title']} {row['text'][:_LEAD_CHARS]}" for row in rows]
    return toward(leads, statements.actors[0], tone) if statements.actors and leads else None


def stance_rows(
    rows: Sequence[Row],
    statements: Statements,
    members: tuple[np.ndarray, Sequence[str]],
    space: Space,
    material: Material,
    tone: Toner,
    reader: StanceReader | None = None,
    judged: Judged = UNJUDGED,
) -> list[dict[str, Any]]:
    """Rows of the score table for articles of one narrative; see `stance_scorer`.

    For narratives of kind `entity` the tone toward the first actor is worth some ten points of F1; toward a claim
    it is worth nothing until labels say which way it runs.

    Parameters
    ----------
    reader
        A scorer from elsewhere; what no statement covers is unclear with it too.
    """
    from embeddings import model_input

    if not rows:
        return []
    scorer = stance_scorer(statements, members, space, material, tone, judged)
    said = sentences_of(rows)
    own_langs = [str(row["lang"]) for row in rows]
    # The article's own vector holds its title and lead: as good as picked sentences, and encoded already.
    said_of = toward_actor(rows, statements, tone) if scorer.uses_tone else None
    result = scorer.score(
        space.project(material.article_vectors(rows), [form_tag(row) for row in rows]), own_langs, tone=said_of
    )
    readings: list[Reading | None] = [None] * len(rows)
    if reader is not None:
        readings = reader.read(rows, statements)
        result = through_gate(result, readings, reader.name, ARTICLE_GATE)
    inner_langs = [own_langs[int(owner)] for owner in said.owners]
    inner = scorer.score(
        space.project(material.encode([model_input("", text) for text in said.texts]), inner_langs),
        inner_langs,
        whole=False,
    )
    # Single sentences all lean one way against a scorer made for articles; what counts here is which lean most.
    shift = float(result.stance.mean() - inner.stance.mean()) if len(inner) else 0.0
    leaning = np.clip(inner.stance + shift, -1.0, 1.0)
    found = []
    for i, row in enumerate(rows):
        own = said.of(i)
        stance = float(result.stance[i])
        reading = readings[i]
        if reading is not None and reading.spans:
            spans = tuple(EvidenceSpan(start, end, stance) for start, end in reading.spans)
        else:
            spans = pick(
                row["text"],
                [said.spans[j] for j in own],
                leaning[own],
                stance,
                n=_EVIDENCE,
                coverage=inner.coverage[own],
                spoken=[said.speeches[j] is not None for j in own],
            )
        found.append(
            {
                "article_id": row["id"],
                "narrative_id": statements.narrative,
                "p_supports": round(float(result.p[i, 0]), 4),
                "p_opposes": round(float(result.p[i, 1]), 4),
                "p_neutral": round(float(result.p[i, 2]), 4),
                "stance": round(stance, 4),
                "confidence": round(float(result.confidence[i]), 4),
                "verdict": result.verdict[i],
                "evidence": [evidence_item(s, "stance", row, said, own) for s in spans],
                "scorer": (scorer.name if reading is None else result.scorer)[:SCORER_CHARS],
            }
        )
    return found
