-- The traceparent (W3C Trace Context) of a task's submit; empty when nothing was traced.
ALTER TABLE task ADD COLUMN trace TEXT NOT NULL DEFAULT '';
