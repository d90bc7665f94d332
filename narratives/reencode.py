"""A desk changes its model: what that costs is said first, then its history is encoded again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete

from narratives.archive import Archive, schema
from narratives.material import Material, Row
from narratives.space import Space, form_tag
from narratives.weeks import duration

Progress = Callable[[str, int, int], None]


def adopt_encoder(archive: Archive, material: Material, progress: Progress) -> None:
    """Move the running means to the space of the encoder that the settings now name; nothing if it is the same.

    The vectors of the earlier model stay in the cache, and so do the narratives with their members: centres and levels
    are always taken from members, whose texts are encoded again. Settings that were tuned to one model's cosines
    (`discover.floor`, `discover.group_floor`) may want another look.

    Parameters
    ----------
    progress
        Told the number of texts and the expected time before anything long begins, then after each batch.
    """
    before, now = archive.get_meta("encoder"), material.encoder.fingerprint
    if before in (None, now):
        return
    table = schema.article
    rows = archive.rows(table, table.c.step_week.is_not(None), table.c.is_voice)
    progress(f"the model changed, {before} to {now}: {cost_line(material, rows)}", 0, len(rows))
    told = f"encoding the history again with {now.partition('|')[0]}"
    vectors = material.article_vectors(rows, lambda done, total: progress(told, done, total))
    space = Space(material.prior_means)
    space.learn(vectors, [form_tag(row) for row in rows])
    with archive.begin() as connection:
        for derived in (schema.space_version, schema.narrative_week):  # the next step makes them anew
            connection.execute(delete(derived))
        archive.set_meta("space", space.to_json(), connection)
        archive.set_meta("encoder", now, connection)


def cost_line(material: Material, rows: Sequence[Row]) -> str:
    """How many of the articles are to be encoded, and about how long it will take; a few are encoded to see."""
    from embeddings import model_input

    texts = [model_input(row["title"], row["text"]) for row in rows]
    cost = material.cache.cost(material.encoder, texts, probe=True)
    if not cost.n_missing:
        return f"all {cost.n_texts:,} texts are encoded already"
    said = f"{cost.n_missing:,} of {cost.n_texts:,} texts are to be encoded"
    return said if cost.seconds is None else f"{said}, about {duration(cost.seconds)}"
