-- needs: 1
-- The processes that share this database: which engines each has set up, and for which of them it takes tasks.
-- An older process is not seen here; it goes on without.
CREATE TABLE process (
    owner TEXT PRIMARY KEY,
    engines TEXT[] NOT NULL,
    works TEXT[] NOT NULL,
    seen_at BIGINT NOT NULL
) WITH (fillfactor = 50);
