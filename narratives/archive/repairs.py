"""What programs before schema versions 7 and 8 left wrong in an archive, and how it is mended."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, func, select, update

from narratives.archive import schema


def homes_of_lost(connection: Connection) -> set[str]:
    """Articles that a merge by the machine left in narratives as named beside only count in one again.

    That is the one in which they were scored, or else the one that they fit best. Returns these narratives.
    """
    member, score = schema.membership, schema.score
    other = member.alias()
    elsewhere = exists().where(other.c.article_id == member.c.article_id, other.c.primary)
    scored = exists().where(score.c.article_id == member.c.article_id, score.c.narrative_id == member.c.narrative_id)
    lost = select(member.c.article_id, member.c.narrative_id).where(~member.c.primary, ~elsewhere)
    homes: dict[str, str] = {}
    for article_id, narrative_id in connection.execute(
        lost.order_by(scored.desc(), member.c.weight.desc(), member.c.narrative_id)
    ):
        homes.setdefault(article_id, narrative_id)
    for article_id, narrative_id in homes.items():
        home = member.c.article_id == article_id, member.c.narrative_id == narrative_id
        connection.execute(update(member).where(*home).values(primary=True))
    return set(homes.values())


def voices_of_silent(connection: Connection) -> set[str]:
    """Stories whose first article a correction made a copy of its reprints have it back as their voice.

    Returns the narratives that they are in.
    """
    article, member = schema.article, schema.membership
    other = article.alias()
    told = exists().where(other.c.story_id == article.c.story_id, other.c.is_voice)
    silent = select(article.c.story_id, article.c.id).where(article.c.step_week.is_not(None), ~told)
    firsts: dict[str, str] = {}
    for story_id, article_id in connection.execute(silent.order_by(article.c.published_at, article.c.id)):
        firsts.setdefault(story_id, article_id)
    homes = set[str]()
    for article_id in firsts.values():
        connection.execute(update(article).where(article.c.id == article_id).values(is_voice=True))
        own = member.c.article_id == article_id, member.c.primary
        homes.update(connection.scalars(select(member.c.narrative_id).where(*own)))
        connection.execute(update(member).where(*own).values(how="assigned"))
    return homes


def forget_stray_scores(connection: Connection) -> None:
    """Scores toward the claim of a narrative that the article is not in: who left in the week of a label had them."""
    score, member = schema.score, schema.membership
    home = member.c.article_id == score.c.article_id, member.c.narrative_id == score.c.narrative_id
    connection.execute(delete(score).where(~exists().where(*home, member.c.primary)))


def count_members(connection: Connection) -> None:
    """Numbers of members as they are; splits had taken none away."""
    member, narrative = schema.membership, schema.narrative
    own = member.c.narrative_id == narrative.c.id, member.c.primary, ~member.c.weak
    n = select(func.count()).select_from(member).where(*own).scalar_subquery()
    connection.execute(update(narrative).values(n_members=n))
