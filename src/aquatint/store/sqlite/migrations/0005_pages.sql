-- Secrets that the processes of a database share: the one that seals the sessions of the web pages.
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- What ended lately, for the operator's overview.
CREATE INDEX task_ended ON task (updated_at) WHERE phase = 2;
