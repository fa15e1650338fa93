-- What may go, what must stay, and what went.

-- Ranges of time whose events nobody may remove, each by name.
CREATE TABLE audit_holds (
    -- By which the hold is released.
    name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    -- The first moment that is held, in microseconds since 1970. Null: from the beginning.
    from_ts INTEGER,
    -- The last moment that is held. Null: without an end.
    to_ts INTEGER,
    -- Why.
    reason TEXT NOT NULL,
    -- Since when.
    placed_at INTEGER NOT NULL,
    CHECK (from_ts <= to_ts)
) STRICT;

-- One row for each stretch of time that retention removed events of. It grows in the transactions
-- that remove them: who follows compares the last position with where he is.
CREATE TABLE audit_retention (
    -- Counts removals.
    retention_id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Where the stretch begins, in microseconds since 1970.
    from_ts INTEGER NOT NULL,
    -- Where it ends; not in it.
    to_ts INTEGER NOT NULL,
    -- How many events are gone.
    n_events INTEGER NOT NULL,
    -- The last position of one of them.
    last_position INTEGER NOT NULL,
    -- When the first one went.
    begun_at INTEGER NOT NULL,
    -- When the last one went.
    ended_at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_retention_last_position ON audit_retention (last_position);
