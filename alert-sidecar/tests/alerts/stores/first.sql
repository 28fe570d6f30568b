-- A store as the first version wrote it: one incident, told to one of two recipients; the process was killed while it told
-- the other. It is never changed; `sqlite3 FILE .dump` wrote it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'runs incidents deliveries','2026-11-23 01:50:27',1,X'f27801103ba26478d9389634582ff67cc14ea3153bd5aaff15ddc0479170bea50e853efc1461df4771a4ed804daf757e',3212131);
CREATE TABLE rule_progress (
    rule TEXT NOT NULL PRIMARY KEY,
    read_until_ns BIGINT NOT NULL
);
INSERT INTO rule_progress VALUES('journeys-failed',1795338060000000000);
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
INSERT INTO observation VALUES('journeys-failed','tramites','consultar','sede',1795338000000000000,'critical','failed','2026-11-22T09:00:00Z',NULL,NULL,NULL,NULL,NULL);
INSERT INTO observation VALUES('journeys-failed','tramites','consultar','sede',1795338060000000000,'critical','failed','2026-11-22T09:01:00Z',NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO incident VALUES('journeys-failed.tramites.consultar.sede.1795338000000000000','journeys-failed','tramites','consultar','sede','critical',1795338000000000000,'2026-11-22T09:00:00Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unwritten');
CREATE TABLE decision (
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at_ns BIGINT NOT NULL,
    decision TEXT NOT NULL
);
INSERT INTO decision VALUES('journeys-failed.tramites.consultar.sede.1795338000000000000',1795338120000000000,'told through `mail`');
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
INSERT INTO delivery VALUES('journeys-failed.tramites.consultar.sede.1795338000000000000/opened/mail/director@agency.example','journeys-failed.tramites.consultar.sede.1795338000000000000','mail','director@agency.example','opened','accepted',1,0,1795338120000000000,1795338120000000000,1795338120000000000,'250 taken');
INSERT INTO delivery VALUES('journeys-failed.tramites.consultar.sede.1795338000000000000/opened/mail/turno@agency.example','journeys-failed.tramites.consultar.sede.1795338000000000000','mail','turno@agency.example','opened','sending',1,0,1795338120000000000,1795338120000000000,NULL,NULL);
CREATE INDEX incident_of_series ON incident (rule, system, journey, probe, started_ns);
CREATE INDEX incident_unwritten ON incident (point_state) WHERE point_state = 'unwritten';
CREATE INDEX delivery_due ON delivery (channel, next_attempt_ns) WHERE state = 'pending';
CREATE INDEX delivery_of_incident ON delivery (incident_id, channel, recipient);
COMMIT;
