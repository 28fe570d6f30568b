-- The SQL that SQLite and PostgreSQL both take. Times are nanoseconds since 1970, in UTC.

-- How far each rule has read.
CREATE TABLE rule_progress (
    rule TEXT NOT NULL PRIMARY KEY,
    read_until_ns BIGINT NOT NULL
);

-- The runs that may still be judged, or arrive again.
CREATE TABLE observation (
    rule TEXT NOT NULL,
    system TEXT NOT NULL,
    journey TEXT NOT NULL,
    probe TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    impact TEXT NOT NULL,
    outcome TEXT NOT NULL,
    run_id TEXT NOT NULL,
    failed_step TEXT,
    error_class TEXT,
    error TEXT,
    url TEXT,
    http_status BIGINT,
    PRIMARY KEY (rule, system, journey, probe, at_ns)
);

CREATE TABLE incident (
    id TEXT NOT NULL PRIMARY KEY,
    rule TEXT NOT NULL,
    system TEXT NOT NULL,
    journey TEXT NOT NULL,
    probe TEXT NOT NULL,
    impact TEXT NOT NULL,
    started_ns BIGINT NOT NULL,
    run_id TEXT NOT NULL,
    failed_step TEXT,
    error_class TEXT,
    error TEXT,
    url TEXT,
    http_status BIGINT,
    ended_ns BIGINT,
    ended_run_id TEXT,
    -- Whether InfluxDB holds the point that says what stands here.
    point_state TEXT NOT NULL CHECK (point_state IN ('unwritten', 'written'))
);

CREATE INDEX incident_of_series ON incident (rule, system, journey, probe, started_ns);
CREATE INDEX incident_unwritten ON incident (point_state) WHERE point_state = 'unwritten';

-- Why somebody, or nobody, was told.
CREATE TABLE decision (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at_ns BIGINT NOT NULL,
    decision TEXT NOT NULL
);

-- The outbox: what is to be sent, to whom, and how far that came.
CREATE TABLE delivery (
    id TEXT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('opened', 'closed', 'whole')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'accepted', 'refused')),
    attempt BIGINT NOT NULL,
    -- 1 when an earlier attempt may have arrived although nobody said so.
    uncertain BIGINT NOT NULL,
    intended_ns BIGINT NOT NULL,
    next_attempt_ns BIGINT NOT NULL,
    settled_ns BIGINT,
    answer TEXT
);

CREATE INDEX delivery_due ON delivery (channel, next_attempt_ns) WHERE state = 'pending';
CREATE INDEX delivery_of_incident ON delivery (incident_id, channel, recipient);
