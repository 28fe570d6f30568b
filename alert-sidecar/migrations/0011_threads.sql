-- Where a conversation goes on: what the channel returned when its first message was accepted for this recipient.
CREATE TABLE thread (
    conversation_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    thread TEXT NOT NULL,
    PRIMARY KEY (conversation_id, channel, recipient)
);
