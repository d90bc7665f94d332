-- The archive's tables at schema version 8, before narratives kept the word that gathers them: what an upgrade starts from.

CREATE TABLE meta (
    "key" VARCHAR(64) NOT NULL,
    value JSON NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE article (
    id VARCHAR(16) NOT NULL,
    url TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    lang VARCHAR(16) NOT NULL,
    published_at DATETIME NOT NULL,
    published_offset_minutes INTEGER NOT NULL,
    ingested_at DATETIME NOT NULL,
    content_hash VARCHAR(32) NOT NULL,
    story_id VARCHAR(16) NOT NULL,
    origin TEXT NOT NULL,
    version INTEGER NOT NULL,
    step_week DATE,
    is_voice BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX article_story ON article (story_id);
CREATE INDEX article_published ON article (published_at);
CREATE INDEX article_step ON article (step_week);
CREATE TABLE quarantine (
    id INTEGER NOT NULL,
    fingerprint VARCHAR(32) NOT NULL,
    origin TEXT NOT NULL,
    reason VARCHAR(32) NOT NULL,
    message TEXT NOT NULL,
    raw TEXT NOT NULL,
    quarantined_at DATETIME NOT NULL,
    state VARCHAR(16) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (fingerprint)
);
CREATE TABLE feed (
    url TEXT NOT NULL,
    etag TEXT,
    modified TEXT,
    checked_at DATETIME,
    n_failures INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (url)
);
CREATE TABLE narrative (
    id VARCHAR(16) NOT NULL,
    slug VARCHAR(64),
    origin VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    merged_into VARCHAR(16),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    keywords_zh JSON NOT NULL,
    keywords_en JSON NOT NULL,
    definition JSON,
    drafted BOOLEAN NOT NULL,
    born_week DATE,
    last_week DATE,
    n_members INTEGER NOT NULL,
    anchor BLOB,
    centre BLOB,
    cohesion FLOAT,
    score_mean FLOAT,
    score_sd FLOAT,
    level FLOAT,
    profile JSON NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(merged_into) REFERENCES narrative (id)
);
CREATE TABLE space_version (
    week DATE NOT NULL,
    lang VARCHAR(16) NOT NULL,
    n INTEGER NOT NULL,
    mean BLOB NOT NULL,
    PRIMARY KEY (week, lang)
);
CREATE TABLE week_terms (
    week DATE NOT NULL,
    profile JSON NOT NULL,
    PRIMARY KEY (week)
);
CREATE TABLE headline_week (
    week DATE NOT NULL,
    form INTEGER NOT NULL,
    noted BLOB NOT NULL,
    PRIMARY KEY (week)
);
CREATE TABLE theme (
    id VARCHAR(16) NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    keywords_zh JSON NOT NULL,
    keywords_en JSON NOT NULL,
    narratives JSON NOT NULL,
    first_week DATE NOT NULL,
    last_week DATE NOT NULL,
    living BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE decision (
    id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    article_id VARCHAR(16) NOT NULL,
    payload JSON NOT NULL,
    decided_at DATETIME NOT NULL,
    undone BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE proposal (
    kind VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    other_id VARCHAR(16) NOT NULL,
    first_week DATE NOT NULL,
    last_week DATE NOT NULL,
    n_held INTEGER NOT NULL,
    detail JSON NOT NULL,
    PRIMARY KEY (kind, narrative_id, other_id)
);
CREATE TABLE step (
    week DATE NOT NULL,
    n_articles INTEGER NOT NULL,
    counts JSON NOT NULL,
    PRIMARY KEY (week)
);
CREATE TABLE run (
    id INTEGER NOT NULL,
    command VARCHAR(32) NOT NULL,
    state VARCHAR(16) NOT NULL,
    started_at DATETIME NOT NULL,
    finished_at DATETIME,
    settings JSON NOT NULL,
    versions JSON NOT NULL,
    counts JSON NOT NULL,
    seconds JSON NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE article_version (
    article_id VARCHAR(16) NOT NULL,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    content_hash VARCHAR(32) NOT NULL,
    published_at DATETIME NOT NULL,
    ingested_at DATETIME NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (article_id, version),
    FOREIGN KEY(article_id) REFERENCES article (id)
);
CREATE TABLE reprint_signature (
    article_id VARCHAR(16) NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (article_id),
    FOREIGN KEY(article_id) REFERENCES article (id)
);
CREATE TABLE membership (
    article_id VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    weight FLOAT NOT NULL,
    "primary" BOOLEAN NOT NULL,
    weak BOOLEAN NOT NULL,
    how VARCHAR(16) NOT NULL,
    week DATE NOT NULL,
    PRIMARY KEY (article_id, narrative_id),
    FOREIGN KEY(article_id) REFERENCES article (id),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE INDEX membership_narrative ON membership (narrative_id, week);
CREATE TABLE narrative_week (
    narrative_id VARCHAR(16) NOT NULL,
    week DATE NOT NULL,
    n INTEGER NOT NULL,
    vector_sum BLOB NOT NULL,
    own_n INTEGER NOT NULL,
    own_sum FLOAT NOT NULL,
    own_squares FLOAT NOT NULL,
    profile JSON NOT NULL,
    PRIMARY KEY (narrative_id, week),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE TABLE narrative_terms (
    narrative_id VARCHAR(16) NOT NULL,
    week DATE NOT NULL,
    n INTEGER NOT NULL,
    profile JSON NOT NULL,
    PRIMARY KEY (narrative_id, week),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE TABLE score (
    article_id VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    p_supports FLOAT NOT NULL,
    p_opposes FLOAT NOT NULL,
    p_neutral FLOAT NOT NULL,
    stance FLOAT NOT NULL,
    confidence FLOAT NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    evidence JSON NOT NULL,
    scorer VARCHAR(64) NOT NULL,
    PRIMARY KEY (article_id, narrative_id),
    FOREIGN KEY(article_id) REFERENCES article (id),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE INDEX score_narrative ON score (narrative_id, scorer);
CREATE TABLE tone (
    article_id VARCHAR(16) NOT NULL,
    tone FLOAT NOT NULL,
    p_negative FLOAT NOT NULL,
    p_neutral FLOAT NOT NULL,
    p_positive FLOAT NOT NULL,
    evidence JSON NOT NULL,
    scorer VARCHAR(64) NOT NULL,
    PRIMARY KEY (article_id),
    FOREIGN KEY(article_id) REFERENCES article (id)
);
CREATE TABLE actor_tone (
    article_id VARCHAR(16) NOT NULL,
    actor VARCHAR(128) NOT NULL,
    tone FLOAT NOT NULL,
    p_negative FLOAT NOT NULL,
    p_neutral FLOAT NOT NULL,
    p_positive FLOAT NOT NULL,
    n_sentences INTEGER NOT NULL,
    evidence JSON NOT NULL,
    scorer VARCHAR(64) NOT NULL,
    PRIMARY KEY (article_id, actor),
    FOREIGN KEY(article_id) REFERENCES article (id)
);
CREATE TABLE event (
    id INTEGER NOT NULL,
    week DATE NOT NULL,
    kind VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    other_id VARCHAR(16) NOT NULL,
    detail JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (week, kind, narrative_id, other_id),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE TABLE alert (
    id VARCHAR(16) NOT NULL,
    narrative_id VARCHAR(16) NOT NULL,
    week DATE NOT NULL,
    tier VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    acknowledged BOOLEAN NOT NULL,
    statistic FLOAT NOT NULL,
    p_value FLOAT,
    threshold FLOAT NOT NULL,
    evidence JSON NOT NULL,
    settled_week DATE,
    PRIMARY KEY (id),
    FOREIGN KEY(narrative_id) REFERENCES narrative (id)
);
CREATE TABLE delivery (
    alert_id VARCHAR(16) NOT NULL,
    state_sent VARCHAR(16) NOT NULL,
    channel VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    sent_at DATETIME,
    PRIMARY KEY (alert_id, state_sent, channel),
    FOREIGN KEY(alert_id) REFERENCES alert (id)
);
