-- Which engine is to serve a task, and which routes it has used up.
ALTER TABLE task ADD COLUMN lane TEXT NOT NULL DEFAULT 'studio';
ALTER TABLE task ADD COLUMN failed_routes TEXT NOT NULL DEFAULT '';
DROP INDEX task_waiting;
CREATE INDEX task_waiting ON task (lane, not_before, no) WHERE phase = 0;

-- What an attempt says of itself when it ends (JSON, domain AttemptLog).
ALTER TABLE attempt ADD COLUMN due_at INTEGER;
ALTER TABLE attempt ADD COLUMN log BLOB;

-- The journal of paid calls: intent, sent, acknowledged, settled, or unknown.
CREATE TABLE call (
    no INTEGER PRIMARY KEY,
    task_no INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    engine TEXT NOT NULL,
    remote_model TEXT NOT NULL,
    account TEXT NOT NULL,
    images TEXT NOT NULL,     -- JSON list of places in the task
    resend_safe INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    failure TEXT NOT NULL DEFAULT '', -- our error's class
    code TEXT NOT NULL DEFAULT '',    -- the provider's word
    detail TEXT NOT NULL DEFAULT '',
    charged INTEGER NOT NULL DEFAULT 0,
    remote_id TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    handle TEXT NOT NULL DEFAULT '{}',
    pending TEXT NOT NULL DEFAULT '[]',
    kept TEXT NOT NULL DEFAULT '[]',
    sent_at INTEGER,
    acknowledged_at INTEGER,
    settled_at INTEGER
);
CREATE INDEX call_of_task ON call (task_no);
-- No image of a task is ever bought by two calls at once.
CREATE UNIQUE INDEX call_open_image ON call (task_no, images) WHERE state IN ('intent', 'sent', 'acknowledged');
CREATE INDEX call_in_flight ON call (account) WHERE state IN ('sent', 'acknowledged');
CREATE INDEX call_unknown ON call (no) WHERE state = 'unknown';
CREATE INDEX call_remote ON call (engine, remote_id) WHERE remote_id <> '';

-- Limits, pauses and rests of each provider account, shared by all workers (JSON, domain ProviderState).
CREATE TABLE provider (
    account TEXT PRIMARY KEY,
    state TEXT NOT NULL
) WITHOUT ROWID;

-- References that were fetched and cleaned.
CREATE TABLE escrow (
    source TEXT PRIMARY KEY,  -- SHA-256 of the URL, or of the bytes that came inside a request
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX escrow_age ON escrow (fetched_at);
