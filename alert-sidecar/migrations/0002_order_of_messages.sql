-- The order of the messages of one incident to one recipient, which no clock that is set can turn round.
ALTER TABLE delivery ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
UPDATE delivery SET sequence = CASE kind WHEN 'closed' THEN 2 ELSE 1 END;
