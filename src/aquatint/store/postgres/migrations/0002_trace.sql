-- needs: 1
-- The traceparent (W3C Trace Context) of a task's submit; empty when nothing was traced.
-- An older process neither reads nor writes it, so it may go on.
ALTER TABLE task ADD COLUMN trace TEXT NOT NULL DEFAULT '';
