"""What a reader should know of the material before she believes a figure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from narratives.archive import schema
from narratives.map import projected

if TYPE_CHECKING:
    from narratives.desk import Desk

_POOL = 1_000  # latest articles that the same-language share is measured on


def desk_health(desk: Desk) -> dict[str, Any]:
    """Counts and shares of a desk.

    Keys: n_articles, n_waiting, n_stories, n_reprints, n_quarantined (open), n_unassigned (stories), languages (lang ->
    n articles), sources (source -> n articles, largest first), n_blank_titles, n_midnight (published at exactly
    midnight in the desk's zone: often a date without a time), largest_source_share, encoder (fingerprint, None
    before the first update), same_language_share (see `embeddings.same_language_share`; None where a second
    language has fewer than 20 articles), alert_precision (share of the settled alerts that were confirmed; None
    where none is settled) with alert_precision_low and _high (its 95 % interval) and n_alerts_settled, feed_notices
    (sources that fell silent, doubled or began in the latest week, an English sentence each).
    """
    articles = desk.articles()
    n_open = len(desk.archive.rows(schema.quarantine, schema.quarantine.c.state == "open"))
    n_all = desk.archive.n_articles()
    local = articles["published_at"].dt.tz_convert(desk.settings.discover.timezone)
    sources = articles["source"].value_counts()
    first = articles[articles["is_first"]]
    encoder, share = _language_share(desk)
    precision = desk.alert_precision()
    return {
        "n_articles": n_all,
        "n_waiting": n_all - len(articles),
        "n_stories": int(articles["story"].nunique()),
        "n_reprints": int(len(articles) - articles["story"].nunique()),
        "n_quarantined": n_open,
        "n_unassigned": int((first["narrative"] == "").sum()),
        "languages": {str(k): int(v) for k, v in articles["lang"].value_counts().sort_index().items()},
        "sources": {str(k): int(v) for k, v in sorted(sources.items(), key=lambda item: (-item[1], str(item[0])))},
        "n_blank_titles": int((articles["title"].str.strip() == "").sum()),
        "n_midnight": int(((local.dt.hour == 0) & (local.dt.minute == 0) & (local.dt.second == 0)).sum()),
        "largest_source_share": round(float(sources.max() / len(articles)), 4) if len(articles) else None,
        "encoder": encoder,
        "same_language_share": share,
        "alert_precision": precision.share,
        "alert_precision_low": precision.low,
        "alert_precision_high": precision.high,
        "n_alerts_settled": precision.n,
        "feed_notices": list(desk.feed_notices()["en"]),
    }


def _language_share(desk: Desk) -> tuple[str | None, float | None]:
    """Encoder and same-language share of the latest articles, from cached vectors only."""
    fingerprint = desk.archive.get_meta("encoder")
    if fingerprint is None:
        return None, None
    from embeddings import same_language_share

    articles = desk.articles()
    articles = articles[articles["is_first"]].tail(_POOL)
    have, vectors = projected(desk, articles)
    langs = [str(tag) for tag in articles["lang"].iloc[have]]
    counts = Counter(tag.split("-")[0] for tag in langs)
    if len(counts) < 2 or sorted(counts.values())[-2] < 20:
        return fingerprint, None
    return fingerprint, round(same_language_share(vectors, langs), 4)
