-- Times are microseconds since 1970-01-01 UTC.
CREATE TABLE key (
    id TEXT PRIMARY KEY,
    secret_hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    models TEXT NOT NULL DEFAULT '[]',
    points INTEGER,
    requests_per_minute INTEGER,
    webhook_secret TEXT
) WITHOUT ROWID;

-- phase: 0 waiting, 1 leased to a worker, 2 finished. `status` is what callers see and never goes back.
CREATE TABLE task (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    user_id TEXT,
    model TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    phase INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,  -- raised by every claim; fences the writes of earlier ones
    failures INTEGER NOT NULL DEFAULT 0, -- runs that the engine failed; restarts of the server do not count
    progress REAL NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    points INTEGER NOT NULL DEFAULT 0,
    callback_url TEXT,
    echo BLOB NOT NULL,
    input BLOB NOT NULL,
    engine TEXT,
    result BLOB,
    failure_reason TEXT,
    failure_message TEXT,
    warnings TEXT
);
CREATE INDEX task_waiting ON task (not_before, no) WHERE phase = 0;
CREATE INDEX task_leased ON task (lease_until) WHERE phase = 1;
CREATE INDEX task_unfinished ON task (deadline_at) WHERE phase < 2;
CREATE INDEX task_of_key ON task (key_id, no);
CREATE INDEX task_of_user ON task (key_id, user_id, no) WHERE user_id IS NOT NULL;

CREATE TABLE attempt (
    task_no INTEGER NOT NULL,
    number INTEGER NOT NULL,
    owner TEXT NOT NULL,
    engine TEXT,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (task_no, number)
) WITHOUT ROWID;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_no INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX event_of_task ON event (task_no);

CREATE TABLE idempotency (
    no INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    task_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (key_id, key)
);

CREATE TABLE ledger (
    task_no INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'capture', 'release')),
    key_id TEXT NOT NULL,
    points INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (task_no, kind)
) WITHOUT ROWID;

CREATE TABLE delivery (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    task_no INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, -- in this round; a manual redelivery starts a new one
    next_at INTEGER,
    lease_owner TEXT,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (task_no)
);
CREATE INDEX delivery_due ON delivery (next_at, host) WHERE state = 'pending';

CREATE TABLE delivery_attempt (
    delivery_no INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    response TEXT NOT NULL,
    PRIMARY KEY (delivery_no, number)
) WITHOUT ROWID;

CREATE TABLE link (
    token TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    expired INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX link_living ON link (expires_at) WHERE expired = 0;
CREATE INDEX link_of_digest ON link (digest) WHERE expired = 0;
