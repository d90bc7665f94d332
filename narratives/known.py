"""The narratives that exist, made ready for assignment: seeds of the named ones, members of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from narratives.affinity import Batch, Known, WordOverlap, actor_pattern, nearest_seeds, own_scores, unit
from narratives.assign import Pool, calibration
from narratives.definitions import Definition
from narratives.language import detect_language, to_simplified
from narratives.material import Material, Row
from narratives.overlap import profile_of
from narratives.sentences import sentences_of
from narratives.settings import DiscoverSettings
from narratives.space import Space, headline_space

_PASSAGE_CHARS = 70  # a longer example reads like an article, a shorter one like a headline
_HEADLINE_WEIGHT = 0.25
_VOTE_TEMPERATURE = 0.05


@dataclass(frozen=True)
class Seed:
    """A definition in this week's space: its part of the centre (d,), its texts (m, d), and their word profile."""

    definition: Definition
    vector: np.ndarray
    texts: np.ndarray
    profile: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SeedTexts:
    """Texts of all definitions with raw vectors, made once a run; `kind` is passage, headline or counter."""

    owners: tuple[str, ...]
    kinds: tuple[str, ...]
    texts: tuple[str, ...]
    langs: tuple[str, ...]
    vectors: np.ndarray

    def rows(self, kind: str, owner: str | None = None) -> np.ndarray:
        return np.array(
            [
                i
                for i, (k, o) in enumerate(zip(self.kinds, self.owners, strict=True))
                if k == kind and (owner is None or o == owner)
            ],
            dtype=int,
        )


def seed_texts(definitions: Sequence[Definition], material: Material) -> SeedTexts:
    """Collect and encode what the definitions say."""
    from embeddings import model_input

    owners, kinds, texts = [], [], []
    for definition in definitions:
        for text in definition.seeds():
            long_example = text in definition.examples and len(text) >= _PASSAGE_CHARS
            owners.append(definition.id)
            kinds.append("passage" if long_example else "headline")
            texts.append(text)
        for text in definition.counter_examples:
            owners.append(definition.id)
            kinds.append("counter")
            texts.append(text)
    return SeedTexts(
        tuple(owners),
        tuple(kinds),
        tuple(texts),
        tuple(detect_language(text) for text in texts),
        material.encode([model_input("", text) for text in texts]),
    )


def seeds_in(
    space: Space,
    prior: Mapping[str, np.ndarray],
    said: SeedTexts,
    definitions: Sequence[Definition],
    material: Material,
) -> dict[str, Seed]:
    """Project every definition into this week's space.

    Passages are projected like articles, headlines by means of their own; both make up the seed's vector, the
    passages with four times the weight where there are any.
    """
    headlines = said.rows("headline")
    flat = headline_space(said.vectors[headlines], [said.langs[i] for i in headlines], prior)
    found = {}
    for definition in definitions:
        passages = said.rows("passage", definition.id)
        own = [n for n, i in enumerate(headlines) if said.owners[i] == definition.id]
        parts = np.zeros(said.vectors.shape[1], dtype=np.float64)
        if len(passages):
            vectors = space.project(said.vectors[passages], [said.langs[i] for i in passages])
            parts += unit(vectors.sum(axis=0))
        if own:
            parts += (_HEADLINE_WEIGHT if len(passages) else 1.0) * unit(flat[own].sum(axis=0))
        rows = [int(i) for i in passages] + [int(headlines[n]) for n in own]
        texts = space.project(said.vectors[rows], [said.langs[i] for i in rows])
        found[definition.id] = Seed(definition, unit(parts), texts, profile_of(_texts_as_batch(said, rows, material)))
    return found


def _texts_as_batch(said: SeedTexts, rows: Sequence[int], material: Material) -> Batch:
    return Batch(
        tuple(str(i) for i in rows),
        np.zeros((len(rows), 1)),
        tuple(said.langs[i] for i in rows),
        tuple(material.words(f"seed:{said.texts[i]}", said.texts[i]) for i in rows),
        tuple(to_simplified(said.texts[i]).lower() for i in rows),
    )


def make_known(
    narrative_id: str,
    members: Batch,
    seed: Seed | None,
    settings: DiscoverSettings,
    stored: tuple[float, float] | None = None,
    pool: Pool | None = None,
) -> Known:
    """A narrative from its latest members and its definition.

    Parameters
    ----------
    members
        Stories (one article each), at most `settings.max_members`; may be empty for a named narrative.
    stored
        Mean and sd of the members' scores where they are still those of the last calibration.
    pool
        Mean and sd of members' scores in this archive.
    """
    known, total = known_of(
        narrative_id, members.vectors.sum(axis=0, dtype=np.float64), profile_of(members), len(members), seed, settings
    )
    if stored is None:
        if len(members) > 1:
            own = own_scores(members, known, WordOverlap(members, [known.profile]), settings, total)
            known.own = (len(own), float(own.mean()), float(own.var()))
        stored = calibration(known.own, known.named, settings, pool)
    known.mean, known.sd = stored
    return known


def known_of(
    narrative_id: str,
    vector_sum: np.ndarray,
    profile: dict[str, dict[str, Any]],
    n: int,
    seed: Seed | None,
    settings: DiscoverSettings,
) -> tuple[Known, np.ndarray]:
    """A narrative, not yet calibrated, from what its n members add up to; and that sum with the definition's part."""
    if seed is not None:
        vector_sum = vector_sum + settings.seed_members * seed.vector
        profile = _joined(profile, seed.profile)
    known = Known(
        id=narrative_id,
        centre=unit(vector_sum),
        profile=profile,
        actors=actor_pattern(seed.definition.actors) if seed else None,
        named=seed is not None,
        slug=seed.definition.id if seed is not None else "",
        seeds=seed.texts if seed is not None else None,
        n_members=n,
    )
    return known, vector_sum


def countered(batch: Batch, space: Space, said: SeedTexts, known: Sequence[Known]) -> np.ndarray:
    """(n, n_known) bool: a counter-example lies nearer to the article than the definition's own texts do.

    Compared like with like, the mean of the two nearest counter-examples of all definitions against the mean of
    the three nearest texts. Always False for discovered narratives.
    """
    found = np.zeros((len(batch), len(known)), dtype=bool)
    rows = said.rows("counter")
    if not len(rows) or not len(batch):
        return found
    against = nearest_seeds(batch.vectors, space.project(said.vectors[rows], [said.langs[i] for i in rows]), k=2)
    for j, one in enumerate(known):
        if one.seeds is not None and len(one.seeds):
            found[:, j] = against > nearest_seeds(batch.vectors, one.seeds)
    return found


def sentence_votes(
    rows: Sequence[Row], space: Space, said: SeedTexts, seeds: Mapping[str, Seed], material: Material
) -> dict[str, np.ndarray]:
    """Definition id -> (n,) share of an article's sentences and title that speak of it, 0 to 1.

    Each sentence votes softly for the definition, or the counter-examples, whose nearest texts it is like; the
    votes of all sum to one.
    """
    from embeddings import model_input

    if not rows or not seeds:
        return {}
    inner = sentences_of(rows)
    owners = np.concatenate([inner.owners, np.arange(len(rows))])
    texts = [*inner.texts, *(row["title"] for row in rows)]
    langs = [detect_language(text) for text in texts]
    vectors = space.project(material.encode([model_input("", text) for text in texts]), langs)
    nearness = [nearest_seeds(vectors, seed.texts) for seed in seeds.values()]
    counters = said.rows("counter")
    if len(counters):
        against = space.project(said.vectors[counters], [said.langs[i] for i in counters])
        nearness.append(nearest_seeds(vectors, against, k=2))
    shares = np.exp(np.stack(nearness, axis=1) / _VOTE_TEMPERATURE)
    shares /= shares.sum(axis=1, keepdims=True)
    total = np.zeros((len(rows), shares.shape[1]))
    np.add.at(total, owners, shares)
    total /= np.bincount(owners, minlength=len(rows))[:, None]
    return {name: total[:, j] for j, name in enumerate(seeds)}


def _joined(a: Mapping[str, dict[str, Any]], b: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    joined: dict[str, dict[str, Any]] = {}
    for lang in sorted({*a, *b}):
        terms: dict[str, int] = {}
        n = 0
        for part in (a.get(lang), b.get(lang)):
            if part:
                n += part["n"]
                for term, count in part["terms"].items():
                    terms[term] = terms.get(term, 0) + count
        joined[lang] = {"n": n, "terms": terms}
    return joined
