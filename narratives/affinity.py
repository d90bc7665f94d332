"""How near an article is to a narrative: cosine of meaning, overlap of words, mentions of its actors.

Known by their definitions only, the cosine alone tells 88 % of the sample's articles in named narratives apart, with
words and actors 92 %. Words overlap within a language only, so they are compared with the narrative's profile of that
language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from narratives.language import base_language
from narratives.overlap import Profile, WordOverlap
from narratives.settings import DiscoverSettings


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (or a single vector) scaled to length one; zero stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)


@dataclass(frozen=True)
class Batch:
    """Articles as the tracker sees them; all fields run over the same n articles.

    `vectors` (n, d) are unit rows with language and subject mean removed, `terms` are the distinct content
    words, `texts` are lower-cased title and text, for counting actors, `votes` is, for a definition's id, (n,)
    the share of each article's sentences that speak of it.
    """

    ids: tuple[str, ...]
    vectors: np.ndarray
    langs: tuple[str, ...]
    terms: tuple[Sequence[str], ...]
    texts: tuple[str, ...]
    votes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | np.ndarray) -> Batch:
        rows = [int(i) for i in rows]
        return Batch(
            tuple(self.ids[i] for i in rows),
            self.vectors[rows],
            tuple(self.langs[i] for i in rows),
            tuple(self.terms[i] for i in rows),
            tuple(self.texts[i] for i in rows),
            {name: votes[rows] for name, votes in self.votes.items()},
        )


def joined(batches: Sequence[Batch]) -> Batch:
    """Several batches as one, in their order; votes that not all of them hold are left out."""
    some = [batch for batch in batches if len(batch)]
    if len(some) == 1 or not some:
        return some[0] if some else batches[0]
    votes = set.intersection(*(set(batch.votes) for batch in some))
    return Batch(
        tuple(i for batch in some for i in batch.ids),
        np.vstack([batch.vectors for batch in some]),
        tuple(lang for batch in some for lang in batch.langs),
        tuple(terms for batch in some for terms in batch.terms),
        tuple(text for batch in some for text in batch.texts),
        {name: np.concatenate([batch.votes[name] for batch in some]) for name in sorted(votes)},
    )


@dataclass
class Known:
    """A narrative as assignment knows it.

    `centre` (d,) unit; `profile` language -> number of its texts (`n`) and of those that hold a word (`terms`);
    `mean`, `sd` of its members' own scores; `actors` for named narratives.
    """

    id: str
    centre: np.ndarray
    profile: dict[str, dict[str, Any]] = field(default_factory=dict)
    mean: float = 0.0
    sd: float = 0.1
    actors: re.Pattern[str] | None = None
    named: bool = False
    slug: str = ""  # the definition's id
    seeds: np.ndarray | None = None  # (m, d) the definition's texts
    n_members: int = 0
    floor: float = 0.0  # least score of a single article, of a group; 0: the settings say
    group_floor: float = 0.0
    own: tuple[int, float, float] = (0, 0.0, 0.0)  # number, mean and variance of its members' leave-one-out scores

    def level(self, settings: DiscoverSettings) -> float:
        """Score that a single article must reach."""
        return max(self.floor or settings.floor, self.mean - settings.level_sd * self.sd)


def actor_pattern(actors: Sequence[str]) -> re.Pattern[str] | None:
    """Matches any actor: Latin names at word starts (`China` finds `Chinas`, not `Indochina`), Chinese anywhere.

    >>> len(actor_pattern(["China", "中国"]).findall("China's ministry; 中国商务部; Indochina".lower()))
    2
    """
    parts = []
    for actor in sorted({a.strip().lower() for a in actors if a.strip()}, key=lambda a: (-len(a), a)):
        parts.append(rf"\b{re.escape(actor)}" if actor[0].isascii() else re.escape(actor))
    return re.compile("|".join(parts)) if parts else None


def actor_scores(batch: Batch, actors: re.Pattern[str] | None) -> np.ndarray:
    """(n,) `ln(1 + mentions)`, at most 2; zero where the narrative names no actors."""
    if actors is None:
        return np.zeros(len(batch))
    mentions = np.array([len(actors.findall(text)) for text in batch.texts], dtype=float)
    return np.minimum(np.log1p(mentions), 2.0)


def nearest_seeds(vectors: np.ndarray, seeds: np.ndarray, k: int = 3) -> np.ndarray:
    """(n,) mean cosine to the k nearest of a definition's texts."""
    cosines = vectors @ seeds.T
    return np.sort(cosines, axis=1)[:, -k:].mean(axis=1)


def vote_scores(batch: Batch, known: Known, settings: DiscoverSettings) -> np.ndarray:
    """(n,) what the sentences say, where votes were taken (before the bootstrap); else zeros.

    A definition speaks of several things, and its mean is near to none of them; sentence by sentence its nearest
    texts tell. On the ten articles of a real search export the votes put all ten where a person does, the centre
    and words alone eight.
    """
    votes = batch.votes.get(known.slug)
    return settings.vote_weight * votes if votes is not None else np.zeros(len(batch))


def scores(batch: Batch, known: Sequence[Known], words: WordOverlap, settings: DiscoverSettings) -> np.ndarray:
    """(n, n_known) nearness of each article to each narrative."""
    if not known or not len(batch):
        return np.zeros((len(batch), len(known)))
    cosines = batch.vectors @ np.stack([k.centre for k in known]).T
    cosines = cosines * across(batch.langs, known, settings)
    votes = np.stack([vote_scores(batch, k, settings) for k in known], axis=1)
    overlap = words.with_profiles(batch, [k.profile for k in known])
    actors = np.stack([actor_scores(batch, k.actors) for k in known], axis=1)
    return cosines + votes + settings.word_weight * overlap + settings.actor_weight * actors


def across(langs: Sequence[str], known: Sequence[Known], settings: DiscoverSettings, own: bool = False) -> np.ndarray:
    """(n, n_known) what the cosine of a text to a narrative counts, by the share of its texts in other languages.

    `settings.across_languages` where all are in others, 1 where none is; with `own` the text is one of them. A cosine
    between two languages is less than within one, for the same matter (.21 for .31) and for strangers alike (sd .07
    for .09): what stands out as much is as much. Groups are cut without it: with it the level that they are cut at
    rose, and in the sample's first clustering one matter of 17 stories fell into two. A named narrative, which its
    definition tells in the languages that its author chose, counts as it is.
    """
    found = np.ones((len(langs), len(known)))
    named = np.array([k.named for k in known], dtype=bool)
    profiles = [k.profile for k in known]
    bases = np.array([base_language(tag) for tag in langs])
    totals = np.array([sum(part["n"] for part in profile.values()) for profile in profiles], dtype=float) - own
    for lang in sorted(set(bases.tolist())):
        here = np.array([profile[lang]["n"] - own if lang in profile else 0 for profile in profiles], dtype=float)
        share = np.divide(np.maximum(here, 0), totals, out=np.ones_like(totals), where=totals > 0)
        found[bases == lang] = 1 + (settings.across_languages - 1) * np.where(named, 0.0, 1 - share)
    return found


def across_share(profiles: Sequence[Profile], settings: DiscoverSettings) -> np.ndarray:
    """(k, k) what a mean cosine between the texts of narratives counts, by the share of pairs of two languages."""
    langs = sorted({lang for profile in profiles for lang in profile})
    n = np.array([[profile[lang]["n"] if lang in profile else 0 for lang in langs] for profile in profiles], float)
    shares = n / np.maximum(n.sum(axis=1, keepdims=True), 1e-9)
    found: np.ndarray = 1 + (settings.across_languages - 1) * (1 - shares @ shares.T)
    return found


def own_cosines(vectors: np.ndarray, total: np.ndarray) -> np.ndarray:
    """(n,) cosines of unit members (n, d) to the sum of all (d,) less themselves."""
    return np.einsum("ij,ij->i", unit(total[None, :] - vectors), vectors).astype(np.float64)


def own_scores(
    members: Batch,
    known: Known,
    words: WordOverlap,
    settings: DiscoverSettings,
    total: np.ndarray | None = None,
) -> np.ndarray:
    """(n,) scores of members against the narrative without themselves (leave one out).

    With its own part left in, a member of a small narrative would look nearer than any newcomer can be. `total`
    (d,) is the sum of all members' vectors, and of the definition's counted as `settings.seed_members` articles; left
    out, the members are all.
    """
    total = members.vectors.sum(axis=0, dtype=np.float64) if total is None else total
    cosines = own_cosines(members.vectors, total)
    cosines = cosines * across(members.langs, [known], settings, own=True)[:, 0]
    cosines = cosines + vote_scores(members, known, settings)
    overlap = words.with_profile(members, known.profile, own=True)
    return cosines + settings.word_weight * overlap + settings.actor_weight * actor_scores(members, known.actors)
