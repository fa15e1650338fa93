-- What calls are counted by stands in the primary key beside the id: statistics of a stretch of time
-- read that stretch of one index, a tenth of the table, and no row. Some 50 bytes an event; an index
-- of their own would take them once more with an id, and cost each insert a second entry.
--
-- The longest entry that the bounds of these columns allow is 2.2 KB, of the 2.7 that an index takes.
--
-- The table is locked while the index of every partition is built anew.
ALTER TABLE audit_events
    DROP CONSTRAINT audit_events_pkey,
    ADD PRIMARY KEY (id) INCLUDE (ts, api_key_id, role, tool_name, latency_ms, outcome);
