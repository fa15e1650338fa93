-- What may go, what must stay, and what went.

CREATE TABLE audit_holds (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    from_ts timestamptz,
    to_ts timestamptz,
    reason text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (from_ts <= to_ts)
);
COMMENT ON TABLE audit_holds IS 'Ranges of time whose events nobody may remove, each by name.';
COMMENT ON COLUMN audit_holds.name IS 'By which the hold is released.';
COMMENT ON COLUMN audit_holds.from_ts IS 'The first moment that is held. Null: from the beginning.';
COMMENT ON COLUMN audit_holds.to_ts IS 'The last moment that is held. Null: without an end.';
COMMENT ON COLUMN audit_holds.reason IS 'Why.';
COMMENT ON COLUMN audit_holds.placed_at IS 'Since when, by the server''s clock.';

-- One row for each partition that was removed, there before anything is gone: who follows compares
-- the last place with where he is. Also what an interrupted removal is finished by.
CREATE TABLE audit_retention (
    retention_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_name text NOT NULL,
    table_oid oid NOT NULL,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL,
    from_ts timestamptz NOT NULL,
    to_ts timestamptz NOT NULL,
    n_events bigint NOT NULL,
    last_xact bigint,
    last_xact_order integer,
    begun_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);
CREATE UNIQUE INDEX audit_retention_begun ON audit_retention (table_oid) WHERE removed_at IS NULL;
COMMENT ON TABLE audit_retention IS 'Partitions that retention removed.';
COMMENT ON COLUMN audit_retention.retention_id IS 'Counts removals.';
COMMENT ON COLUMN audit_retention.partition_name IS 'Name of the table.';
COMMENT ON COLUMN audit_retention.table_oid IS 'Which table of that name.';
COMMENT ON COLUMN audit_retention.from_id IS 'The smallest id that it took.';
COMMENT ON COLUMN audit_retention.to_id IS 'The first id that it did not take any more.';
COMMENT ON COLUMN audit_retention.from_ts IS 'Where its range of time began.';
COMMENT ON COLUMN audit_retention.to_ts IS 'Where its range of time ended.';
COMMENT ON COLUMN audit_retention.n_events IS 'How many events were in it.';
COMMENT ON COLUMN audit_retention.last_xact IS 'The last transaction that had stored one of them. Null: it was empty.';
COMMENT ON COLUMN audit_retention.last_xact_order IS 'The last place of one of them within that transaction.';
COMMENT ON COLUMN audit_retention.begun_at IS 'When the removal began.';
COMMENT ON COLUMN audit_retention.removed_at IS 'When the table was dropped. Null: not yet.';
