-- Partitions by ranges of id, which are ranges of time.

-- The smallest id of a moment's millisecond, of whatever version.
CREATE FUNCTION audit_id_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0')
        || '00000000000000000000')::uuid
$$;
COMMENT ON FUNCTION audit_id_at IS 'The smallest id of a moment''s millisecond: the end of a range of time as the end of a range of ids.';

-- The millisecond that an id carries.
CREATE FUNCTION audit_time_of(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT timestamptz 'epoch'
        + ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint * interval '1 millisecond'
$$;
COMMENT ON FUNCTION audit_time_of IS 'The millisecond that an id carries.';

-- The catalog is the only record of what partitions there are.
CREATE VIEW audit_partitions AS
SELECT
    partition.relname::text AS name,
    bounds[1]::uuid AS from_id,
    bounds[2]::uuid AS to_id,
    audit_time_of(bounds[1]::uuid) AS from_ts,
    audit_time_of(bounds[2]::uuid) AS to_ts,
    pg_inherits.inhdetachpending AS is_detaching
FROM pg_inherits
JOIN pg_class AS partition ON partition.oid = pg_inherits.inhrelid
CROSS JOIN LATERAL regexp_match(
    pg_get_expr(partition.relpartbound, partition.oid),
    'FROM \(''([0-9a-f-]{36})''\) TO \(''([0-9a-f-]{36})''\)'
) AS bounds
WHERE pg_inherits.inhparent = 'audit_events'::regclass;
COMMENT ON VIEW audit_partitions IS 'The partitions of audit_events with the ids and the time that each holds; the upper end is not in it.';

-- Makes the partition for an id, unless there is one; gives back its name if it is new.
--
-- Whoever may insert may call this, and it does nothing else: that is why it runs with the rights
-- of its owner. A moment far from now, of a broken clock or an old import, gets a whole year, so
-- that nobody can make partitions without end.
CREATE FUNCTION audit_ensure_partition(wanted uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    moment timestamptz := audit_time_of(wanted);
    unit text;
    from_ts timestamptz;
    to_ts timestamptz;
    from_id uuid;
    to_id uuid;
    new_name text;
BEGIN
    IF EXISTS (SELECT FROM audit_partitions AS p WHERE p.from_id <= wanted AND wanted < p.to_id) THEN
        RETURN NULL;
    END IF;
    -- One at a time. The lock ends with the transaction.
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_events partitions', 'audit_events'::regclass::oid::bigint));
    IF EXISTS (SELECT FROM audit_partitions AS p WHERE p.from_id <= wanted AND wanted < p.to_id) THEN
        RETURN NULL;
    END IF;

    SELECT CASE
        WHEN moment BETWEEN now() - interval '400 days' AND now() + interval '400 days'
        THEN partition_width ELSE 'year'
    END INTO unit FROM audit_store;
    from_ts := date_trunc(unit, moment, 'UTC');
    to_ts := (from_ts AT TIME ZONE 'UTC' + ('1 ' || unit)::interval) AT TIME ZONE 'UTC';
    -- What others hold of this stretch stays theirs.
    from_id := greatest(audit_id_at(from_ts), (
        SELECT p.to_id FROM audit_partitions AS p WHERE p.to_id <= wanted ORDER BY p.to_id DESC LIMIT 1
    ));
    to_id := least(audit_id_at(to_ts), (
        SELECT p.from_id FROM audit_partitions AS p WHERE p.from_id > wanted ORDER BY p.from_id LIMIT 1
    ));

    new_name := 'audit_events_' || to_char(
        audit_time_of(from_id) AT TIME ZONE 'UTC',
        CASE unit WHEN 'year' THEN 'YYYY' WHEN 'month' THEN 'YYYY_MM' ELSE 'YYYY_MM_DD' END
    );
    -- The rest of a stretch whose beginning has the name already.
    IF to_regclass(new_name) IS NOT NULL THEN
        new_name := 'audit_events_' || to_char(audit_time_of(from_id) AT TIME ZONE 'UTC', 'YYYY_MM_DD_HH24MISSMS');
    END IF;
    -- Attaching a table that is made apart keeps nobody from inserting; making a partition in
    -- place would.
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING ALL)', new_name);
    EXECUTE format(
        'ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        new_name, from_id, to_id
    );
    RETURN new_name;
END
$$;
COMMENT ON FUNCTION audit_ensure_partition IS 'Makes the partition for an id, unless there is one; gives back its name if it is new.';

-- The functions that run with their owner's rights look nowhere but here: a temporary table of
-- the caller must not pass for the real one.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION audit_ensure_partition(uuid) SET search_path = %I, pg_temp',
        current_schema()
    );
END
$$;
REVOKE ALL ON FUNCTION audit_ensure_partition(uuid) FROM PUBLIC;
