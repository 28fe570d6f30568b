-- The reports that are mailed: to whom each month's goes, and how far that came. The month of which a report was first known
-- has no recipient: what was over before it was configured is not sent.
CREATE TABLE report_mail (
    report TEXT NOT NULL,
    -- Year and month, for example 2026-10.
    month TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('not_sent', 'pending', 'sending', 'accepted', 'refused')),
    attempt BIGINT NOT NULL,
    -- 1 when an earlier attempt may have arrived although nobody said so.
    uncertain BIGINT NOT NULL,
    next_attempt_ns BIGINT NOT NULL,
    settled_ns BIGINT,
    answer TEXT,
    PRIMARY KEY (report, month, channel, recipient)
);
