-- The pictures that are to follow messages that were accepted, and how far they came.
CREATE TABLE picture (
    delivery_id TEXT NOT NULL PRIMARY KEY REFERENCES delivery (id),
    channel TEXT NOT NULL,
    -- What the message leads with; the conversation may lead with another one later.
    incident_id TEXT NOT NULL REFERENCES incident (id),
    -- What the service calls the message, as the channel reads it again.
    message TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'accepted', 'given_up')),
    -- How often it was tried and did not arrive.
    failures BIGINT NOT NULL,
    -- When the message was accepted.
    accepted_ns BIGINT NOT NULL,
    next_attempt_ns BIGINT NOT NULL,
    answer TEXT
);

CREATE INDEX picture_waiting ON picture (channel, next_attempt_ns) WHERE state IN ('pending', 'sending');
