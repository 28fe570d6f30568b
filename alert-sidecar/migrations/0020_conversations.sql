-- What one message and its followers are about: incidents that are told together, on one channel.
CREATE TABLE conversation (
    id TEXT NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    -- A live one ends when its last incident does; a digest is told once.
    form TEXT NOT NULL CHECK (form IN ('live', 'digest')),
    -- What its incidents have in common: another one that has it, too, may join.
    common TEXT NOT NULL,
    impact TEXT NOT NULL,
    started_ns BIGINT NOT NULL,
    ended_ns BIGINT
);

CREATE INDEX conversation_open ON conversation (channel, common, started_ns) WHERE ended_ns IS NULL;

CREATE TABLE member (
    conversation_id TEXT NOT NULL REFERENCES conversation (id),
    incident_id TEXT NOT NULL REFERENCES incident (id),
    joined_ns BIGINT NOT NULL,
    -- The incident that this one follows from, where it is told inside that one.
    cause_id TEXT,
    PRIMARY KEY (conversation_id, incident_id)
);

CREATE INDEX member_of_incident ON member (incident_id);

-- Until now each incident was a conversation of its own on each channel.
INSERT INTO conversation (id, channel, form, common, impact, started_ns, ended_ns)
SELECT incident.id || '/' || delivery.channel, delivery.channel, 'live', '', incident.impact, MIN(delivery.intended_ns),
       incident.ended_ns
FROM delivery JOIN incident ON incident.id = delivery.incident_id
GROUP BY incident.id, delivery.channel, incident.impact, incident.ended_ns;

INSERT INTO member (conversation_id, incident_id, joined_ns)
SELECT incident_id || '/' || channel, incident_id, MIN(intended_ns) FROM delivery GROUP BY incident_id, channel;

-- A message is about a conversation, and there are more kinds of them. What a column may hold cannot be changed in SQLite.
CREATE TABLE delivery_of_conversation (
    id TEXT NOT NULL PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('opened', 'updated', 'closed', 'whole', 'reminder', 'escalated', 'digest', 'notice')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'accepted', 'refused')),
    attempt BIGINT NOT NULL,
    uncertain BIGINT NOT NULL,
    intended_ns BIGINT NOT NULL,
    next_attempt_ns BIGINT NOT NULL,
    settled_ns BIGINT,
    answer TEXT,
    sequence BIGINT NOT NULL
);

INSERT INTO delivery_of_conversation
SELECT id, incident_id || '/' || channel, channel, recipient, kind, state, attempt, uncertain, intended_ns, next_attempt_ns,
       settled_ns, answer, sequence
FROM delivery;

DROP TABLE delivery;
ALTER TABLE delivery_of_conversation RENAME TO delivery;

CREATE INDEX delivery_waiting ON delivery (channel, next_attempt_ns) WHERE state = 'pending';
CREATE INDEX delivery_of_conversation ON delivery (conversation_id, recipient);

-- What a decision came to (told, held, untold, noted), for which channel, and why: the name of the reason, what it names, and
-- until when it holds.
ALTER TABLE decision ADD COLUMN verdict TEXT NOT NULL DEFAULT 'noted';
ALTER TABLE decision ADD COLUMN channel TEXT;
ALTER TABLE decision ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN about TEXT;
ALTER TABLE decision ADD COLUMN until_ns BIGINT;
UPDATE decision SET verdict = 'told' WHERE decision LIKE 'told through %';
UPDATE decision SET verdict = 'untold' WHERE decision LIKE 'nobody is told: %';
CREATE INDEX decision_of_incident ON decision (incident_id, at_ns);
CREATE INDEX decision_of_successor ON decision (about) WHERE reason = 'goes_on_as';

-- When an incident was known of first, and when it is to be looked at again, because somebody may have to be told then.
ALTER TABLE incident ADD COLUMN known_ns BIGINT;
ALTER TABLE incident ADD COLUMN next_look_ns BIGINT;
CREATE INDEX incident_to_look_at ON incident (next_look_ns) WHERE next_look_ns IS NOT NULL;

-- Counts what the point of an incident says, so that what is written meanwhile is not taken for what was written before.
ALTER TABLE incident ADD COLUMN point_version BIGINT NOT NULL DEFAULT 0;

-- Who said that they take care of an incident. The newest counts.
CREATE TABLE acknowledgement (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at_ns BIGINT NOT NULL,
    person TEXT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (incident_id, at_ns)
);

-- What a person muted. Each list holds patterns, one a line; what is not asked for is NULL.
CREATE TABLE silence (
    id TEXT NOT NULL PRIMARY KEY,
    impacts TEXT,
    systems TEXT,
    journeys TEXT,
    probes TEXT,
    rules TEXT,
    starts_ns BIGINT NOT NULL,
    ends_ns BIGINT NOT NULL,
    author TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_ns BIGINT NOT NULL
);
