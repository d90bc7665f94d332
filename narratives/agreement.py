"""What an archive keeps twice must agree: places of articles and their scores, numbers of members, sums of weeks.

Every step writes differences (who came, who left), so that its cost does not grow with the archive; this counts all of
it again, and says where the two part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, exists, func, select

from narratives.archive import schema

if TYPE_CHECKING:
    from narratives.archive import Archive

_SHOWN = 3


def disagreements(archive: Archive, max_members: int) -> Iterator[str]:
    """What does not agree, a phrase with its number each; nothing where everything does.

    Parameters
    ----------
    max_members
        Of the latest members a narrative's sums are kept (`discover.max_members`).
    """
    member, narrative, week = schema.membership, schema.narrative, schema.narrative_week
    counts = func.sum(case((member.c.primary, 1), else_=0))
    places = select(member.c.article_id, counts).group_by(member.c.article_id)
    yield from _said(archive, places.having(counts == 0), "articles that lie in narratives and count in none")
    yield from _said(archive, places.having(counts > 1), "articles that count in more than one narrative")

    own = member.c.narrative_id == narrative.c.id, member.c.primary, ~member.c.weak
    n = select(func.count()).select_from(member).where(*own).scalar_subquery()
    wrong = select(narrative.c.id, narrative.c.n_members, n).where(narrative.c.n_members != n)
    yield from _said(archive, wrong, "narratives that keep another number of members than they have")
    merged = select(member.c.narrative_id, func.count()).join(narrative, narrative.c.id == member.c.narrative_id)
    merged = merged.where(narrative.c.status == "merged").group_by(member.c.narrative_id)
    yield from _said(archive, merged, "narratives that were merged and have members")

    score = schema.score
    here = member.c.article_id == score.c.article_id, member.c.narrative_id == score.c.narrative_id
    inside = exists().where(*here, member.c.primary)
    strays = select(score.c.article_id, score.c.narrative_id).where(~inside)
    yield from _said(archive, strays, "scores toward the claim of a narrative that the article is not in")

    article = schema.article
    first = func.sum(case((article.c.is_voice, 1), else_=0))
    stories = select(article.c.story_id, first).where(article.c.step_week.is_not(None)).group_by(article.c.story_id)
    yield from _said(archive, stories.having(first != 1), "stories without a first article, or with two")
    copy, voice, home = article.alias(), article.alias(), schema.membership.alias()
    told = select(home.c.narrative_id).join(voice, voice.c.id == home.c.article_id)
    told = told.where(voice.c.story_id == copy.c.story_id, voice.c.is_voice, home.c.primary)
    apart = select(member.c.article_id).join(copy, copy.c.id == member.c.article_id)
    apart = apart.where(~copy.c.is_voice, member.c.primary, member.c.narrative_id.not_in(told))
    yield from _said(archive, apart, "copies that lie elsewhere than their story")

    voices = select(func.count()).select_from(member).where(*own, member.c.how != "copy").scalar_subquery()
    summed = select(func.sum(week.c.n)).where(week.c.narrative_id == narrative.c.id).scalar_subquery()
    off = (voices <= max_members) & (summed != voices) | (summed > voices)
    yield from _said(
        archive, select(narrative.c.id, summed, voices).where(off), "narratives with sums of other members"
    )


def _said(archive: Archive, wrong: Select[Any], what: str) -> Iterator[str]:
    with archive.reading() as connection:
        rows = connection.execute(wrong.order_by(wrong.selected_columns[0])).all()
    if rows:
        first = "; ".join(": ".join(filter(None, (row[0], ", ".join(map(str, row[1:]))))) for row in rows[:_SHOWN])
        yield f"{what}: {len(rows):,} ({first}{'; …' if len(rows) > _SHOWN else ''})"
