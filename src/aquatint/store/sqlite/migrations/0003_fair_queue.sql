-- What a key may ask of the queue.
ALTER TABLE key ADD COLUMN weight REAL NOT NULL DEFAULT 1;
ALTER TABLE key ADD COLUMN max_running INTEGER;
ALTER TABLE key ADD COLUMN max_pending INTEGER;
ALTER TABLE key ADD COLUMN priority_max INTEGER NOT NULL DEFAULT 0;
ALTER TABLE key ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;
CREATE INDEX key_limited ON key (id) WHERE max_running IS NOT NULL;

-- A task's place: batch after everything else, higher priority first, then by the fair turn of its key.
ALTER TABLE task ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN start_by INTEGER;
DROP INDEX task_waiting;
CREATE INDEX task_waiting ON task (lane, batch, priority DESC, turn, no) WHERE phase = 0;
CREATE INDEX task_due ON task (lane, not_before) WHERE phase = 0;
CREATE INDEX task_start_by ON task (start_by) WHERE phase = 0 AND start_by IS NOT NULL;
CREATE INDEX task_running ON task (key_id) WHERE phase = 1;
CREATE INDEX task_backlog ON task (key_id) WHERE phase = 0;
CREATE INDEX task_changed ON task (key_id, updated_at);

-- Lanes that the operator has paused.
CREATE TABLE lane (
    name TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Replays by time.
CREATE INDEX delivery_made ON delivery (created_at);
