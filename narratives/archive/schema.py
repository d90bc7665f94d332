"""The archive's tables, in SQLAlchemy Core, for SQLite and PostgreSQL alike.

Instants are stored as UTC without an offset (the original offset is kept beside them), weeks as the date of
their Monday in the desk's time zone, vectors as little-endian float32 bytes, structures as JSON. No pickle.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# Facts about the archive itself: schema version, which encoder its vectors come from, frozen language means.
meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

article = Table(
    "article",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("url", Text, nullable=False, default=""),
    Column("source", Text, nullable=False, default=""),
    Column("title", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("lang", String(16), nullable=False),
    Column("published_at", DateTime, nullable=False),
    Column("published_offset_minutes", Integer, nullable=False, default=0),
    Column("ingested_at", DateTime, nullable=False),
    Column("content_hash", String(32), nullable=False),
    Column("story_id", String(16), nullable=False),
    Column("origin", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    # The week-step in which the pipeline took this article in; NULL = waiting.
    Column("step_week", Date, nullable=True),
    # It speaks for its story: the first of its copies that a step took in. Copies are False.
    Column("is_voice", Boolean, nullable=False, default=False),
)
Index("article_published", article.c.published_at)
Index("article_story", article.c.story_id)
Index("article_step", article.c.step_week)

# What an article said before a later version superseded it.
article_version = Table(
    "article_version",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("content_hash", String(32), nullable=False),
    Column("published_at", DateTime, nullable=False),
    Column("ingested_at", DateTime, nullable=False),
    Column("origin", Text, nullable=False),
)

# What reprints are found by: one MinHash signature an article.
reprint_signature = Table(
    "reprint_signature",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    # Hash of origin and raw record: the same bad row read again is the same quarantine row.
    Column("fingerprint", String(32), nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("quarantined_at", DateTime, nullable=False),
    Column("state", String(16), nullable=False, default="open"),  # open, recovered
)

feed = Table(
    "feed",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("modified", Text),
    Column("checked_at", DateTime),
    Column("n_failures", Integer, nullable=False, default=0),
    Column("last_error", Text),
)

narrative = Table(
    "narrative",
    metadata,
    Column("id", String(16), primary_key=True),  # N0001
    Column("slug", String(64)),  # the definition's id, for named narratives
    Column("origin", String(16), nullable=False),  # defined, discovered
    Column("status", String(16), nullable=False),  # provisional, active, dormant, ended, merged
    Column("merged_into", String(16), ForeignKey("narrative.id")),
    Column("name_zh", Text, nullable=False, default=""),
    Column("name_en", Text, nullable=False, default=""),
    Column("keywords_zh", JSON, nullable=False, default=list),
    Column("keywords_en", JSON, nullable=False, default=list),
    Column("definition", JSON),  # claim, statements: the analyst's or drafted
    Column("drafted", Boolean, nullable=False, default=False),
    Column("gathered_by", Text),  # the term in headlines that gathered it, if one did
    Column("born_week", Date),
    Column("last_week", Date),
    Column("n_members", Integer, nullable=False, default=0),
    Column("anchor", LargeBinary),  # first-seen centre
    Column("centre", LargeBinary),  # present centre
    Column("cohesion", Float),  # mean cosine between members
    # Calibration: mean and sd of its members' own scores, and the level that follows from them.
    Column("score_mean", Float),
    Column("score_sd", Float),
    Column("level", Float),
    Column("profile", JSON, nullable=False, default=dict),  # {"zh": {"n": articles, "terms": {word: articles}}}
)

membership = Table(
    "membership",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("narrative_id", String(16), ForeignKey("narrative.id"), primary_key=True),
    Column("weight", Float, nullable=False),  # cosine to the narrative's centre, 0 to 1
    Column("primary", Boolean, nullable=False),
    Column("weak", Boolean, nullable=False, default=False),  # placed by its neighbours' vote
    Column("how", String(16), nullable=False),  # assigned, discovered, vote, split, merged, decision
    Column("week", Date, nullable=False),  # step in which it joined
)
Index("membership_narrative", membership.c.narrative_id, membership.c.week)

# Language means by week: an article keeps those of the week that took it in, so its vector never moves.
space_version = Table(
    "space_version",
    metadata,
    Column("week", Date, primary_key=True),  # the step whose means they are
    Column("lang", String(16), primary_key=True),  # a language, or one with a form of its texts: en/title
    Column("n", Integer, nullable=False),  # articles that the mean is of
    Column("mean", LargeBinary, nullable=False),  # little-endian float64
)

# What a narrative's members of one week add up to, so that no step reads old members: primary, strong, no copies.
narrative_week = Table(
    "narrative_week",
    metadata,
    Column("narrative_id", String(16), ForeignKey("narrative.id"), primary_key=True),
    Column("week", Date, primary_key=True),  # step in which they joined; further back the last of four
    Column("n", Integer, nullable=False),
    Column("vector_sum", LargeBinary, nullable=False),  # of unit vectors, little-endian float64
    # Of their scores against the narrative without themselves, as of that week: number, sum of what words and actors
    # add to the cosine, sum of squared deviations from the mean.
    Column("own_n", Integer, nullable=False, default=0),
    Column("own_sum", Float, nullable=False, default=0.0),
    Column("own_squares", Float, nullable=False, default=0.0),
    Column("profile", JSON, nullable=False, default=dict),  # like narrative.profile, with more words
)

# How many of a narrative's members of one week hold a term: keywords follow without reading old members. Primary,
# strong, no copies; {"zh": {"n": texts, "terms": {term: [texts, titles, by itself, outlets]}, "forms": {…}}}.
narrative_terms = Table(
    "narrative_terms",
    metadata,
    Column("narrative_id", String(16), ForeignKey("narrative.id"), primary_key=True),
    Column("week", Date, primary_key=True),  # step in which they joined
    Column("n", Integer, nullable=False),
    Column("profile", JSON, nullable=False, default=dict),
)

# Of all stories that a step took in, the unassigned too: what a narrative's terms are compared with.
# {"zh": {"n": texts, "terms": {term: texts}}}; before version 6 as in `narrative_terms`.
week_terms = Table(
    "week_terms",
    metadata,
    Column("week", Date, primary_key=True),
    Column("profile", JSON, nullable=False, default=dict),
)

# Of which series the headlines of the latest weeks are; see `headline_weeks`.
headline_week = Table(
    "headline_week",
    metadata,
    Column("week", Date, primary_key=True),  # step that took them in
    Column("form", Integer, nullable=False),  # by which templates are made
    Column("noted", LargeBinary, nullable=False),
)

# Groups of narratives, made anew every few weeks; one that found no heir keeps its last state.
theme = Table(
    "theme",
    metadata,
    Column("id", String(16), primary_key=True),  # T0001
    Column("name_zh", Text, nullable=False, default=""),
    Column("name_en", Text, nullable=False, default=""),
    Column("keywords_zh", JSON, nullable=False, default=list),
    Column("keywords_en", JSON, nullable=False, default=list),
    Column("narratives", JSON, nullable=False, default=list),  # ids
    Column("first_week", Date, nullable=False),
    Column("last_week", Date, nullable=False),  # in which it was last found
    Column("living", Boolean, nullable=False, default=True),  # found when themes were last made
)

score = Table(
    "score",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("narrative_id", String(16), ForeignKey("narrative.id"), primary_key=True),
    Column("p_supports", Float, nullable=False),
    Column("p_opposes", Float, nullable=False),
    Column("p_neutral", Float, nullable=False),
    Column("stance", Float, nullable=False),  # p_supports - p_opposes, -1 to 1
    Column("confidence", Float, nullable=False),
    Column("verdict", String(16), nullable=False),  # supports, opposes, reports, unclear
    # [{"start", "end", "stance"}]: offsets into text; "speaker" where somebody other than the outlet speaks.
    Column("evidence", JSON, nullable=False, default=list),
    Column("scorer", String(64), nullable=False),
)
# An update asks which scores were made by other labels than those that stand: hardly any of very many.
Index("score_narrative", score.c.narrative_id, score.c.scorer)

tone = Table(
    "tone",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("tone", Float, nullable=False),  # p_positive - p_negative, -1 to 1
    Column("p_negative", Float, nullable=False),
    Column("p_neutral", Float, nullable=False),
    Column("p_positive", Float, nullable=False),
    Column("evidence", JSON, nullable=False, default=list),  # [{"start", "end", "tone"}]
    Column("scorer", String(64), nullable=False),
)

# Tone toward the actors that an article names, of those that the definitions name.
actor_tone = Table(
    "actor_tone",
    metadata,
    Column("article_id", String(16), ForeignKey("article.id"), primary_key=True),
    Column("actor", String(128), primary_key=True),
    Column("tone", Float, nullable=False),  # p_positive - p_negative, -1 to 1
    Column("p_negative", Float, nullable=False),
    Column("p_neutral", Float, nullable=False),
    Column("p_positive", Float, nullable=False),
    Column("n_sentences", Integer, nullable=False),  # that name it, of those looked at
    Column("evidence", JSON, nullable=False, default=list),  # [{"start", "end", "tone", "speaker"}]
    Column("scorer", String(64), nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("week", Date, nullable=False),
    Column("kind", String(16), nullable=False),  # born, grew, faded, split, merged, dormant, revived, ended, renamed
    Column("narrative_id", String(16), ForeignKey("narrative.id"), nullable=False),
    Column("other_id", String(16), nullable=False, default=""),
    Column("detail", JSON, nullable=False, default=dict),
    UniqueConstraint("week", "kind", "narrative_id", "other_id"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", String(16), primary_key=True),  # A0001
    Column("narrative_id", String(16), ForeignKey("narrative.id"), nullable=False),
    Column("week", Date, nullable=False),  # week of birth
    Column("tier", String(16), nullable=False),  # watch, alert
    Column("state", String(16), nullable=False),  # emerging, confirmed, retracted, held
    Column("acknowledged", Boolean, nullable=False, default=False),
    Column("statistic", Float, nullable=False),
    Column("p_value", Float),
    Column("threshold", Float, nullable=False),
    Column("evidence", JSON, nullable=False, default=dict),
    Column("settled_week", Date),  # week in which it was confirmed or retracted
)

delivery = Table(
    "delivery",
    metadata,
    Column("alert_id", String(16), ForeignKey("alert.id"), primary_key=True),
    Column("state_sent", String(16), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("status", String(16), nullable=False),  # pending, sent, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("last_error", Text),
    Column("sent_at", DateTime),  # instant of the last attempt, also of one that failed; of sending where it is sent
)

decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # rename, pin, merge, split, same_as, not_this, stance
    Column("narrative_id", String(16), nullable=False, default=""),
    Column("article_id", String(16), nullable=False, default=""),
    Column("payload", JSON, nullable=False, default=dict),
    Column("decided_at", DateTime, nullable=False),
    Column("undone", Boolean, nullable=False, default=False),
)

# Proposed splits and merges wait here until they have held for two runs.
proposal = Table(
    "proposal",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("narrative_id", String(16), primary_key=True),
    Column("other_id", String(16), primary_key=True, default=""),
    Column("first_week", Date, nullable=False),
    Column("last_week", Date, nullable=False),
    Column("n_held", Integer, nullable=False),
    Column("detail", JSON, nullable=False, default=dict),
)

step = Table(
    "step",
    metadata,
    Column("week", Date, primary_key=True),
    Column("n_articles", Integer, nullable=False),
    Column("counts", JSON, nullable=False, default=dict),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("command", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # running, done, failed
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    Column("settings", JSON, nullable=False, default=dict),
    Column("versions", JSON, nullable=False, default=dict),
    Column("counts", JSON, nullable=False, default=dict),
    Column("seconds", JSON, nullable=False, default=dict),
)
