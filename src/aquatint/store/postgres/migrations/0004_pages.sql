-- needs: 1
-- Secrets that the processes of a database share: the one that seals the sessions of the web pages.
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- What ended lately, for the operator's overview. An older process keeps it up as well, and never looks into it.
CREATE INDEX task_ended ON task (updated_at) WHERE phase = 2;
