-- Partitions by ranges of id, which are ranges of time.

-- The smallest id of a moment's millisecond, of whatever version. What lies before 1970 is the
-- first id of all, what no id can carry (from the year 10889 on) the last millisecond's.
CREATE FUNCTION audit_id_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (lpad(to_hex(CASE
        WHEN moment <= timestamptz 'epoch' THEN 0
        WHEN moment >= to_timestamp(281474976711) THEN 281474976710655
        ELSE least(floor(extract(epoch FROM moment - timestamptz 'epoch') * 1000)::bigint, 281474976710655)
    END), 12, '0') || '00000000000000000000')::uuid
$$;
COMMENT ON FUNCTION audit_id_at IS 'The smallest id of a moment''s millisecond: the end of a range of time as the end of a range of ids.';

-- The millisecond that an id carries. In hours and the rest: a product of milliseconds alone
-- would be rounded from the year 2255 on.
CREATE FUNCTION audit_time_of(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT timestamptz 'epoch'
        + (millis / 3600000) * interval '1 hour'
        + (millis % 3600000) * interval '1 millisecond'
    FROM (SELECT ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint AS millis) AS carried
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
    pg_inherits.inhdetachpending AS is_detaching,
    partition.oid AS table_oid
FROM pg_inherits
JOIN pg_class AS partition ON partition.oid = pg_inherits.inhrelid
CROSS JOIN LATERAL regexp_match(
    pg_get_expr(partition.relpartbound, partition.oid),
    'FROM \(''([0-9a-f-]{36})''\) TO \(''([0-9a-f-]{36})''\)'
) AS bounds
WHERE pg_inherits.inhparent = 'audit_events'::regclass;
COMMENT ON VIEW audit_partitions IS 'The partitions of audit_events with the ids and the time that each holds; the upper end is not in it.';
COMMENT ON COLUMN audit_partitions.name IS 'Name of the table.';
COMMENT ON COLUMN audit_partitions.from_id IS 'The smallest id that it takes.';
COMMENT ON COLUMN audit_partitions.to_id IS 'The first id that it does not take any more.';
COMMENT ON COLUMN audit_partitions.from_ts IS 'Where its range of time begins.';
COMMENT ON COLUMN audit_partitions.to_ts IS 'Where its range of time ends; not in it.';
COMMENT ON COLUMN audit_partitions.is_detaching IS 'It is being taken off: no query sees it any more.';
COMMENT ON COLUMN audit_partitions.table_oid IS 'Which table of that name.';

-- Makes the partition for an id, unless there is one; gives back its name if it is new.
--
-- Whoever may insert may call this, and it does nothing else: that is why it runs with the rights
-- of its owner. Only the time that the id carries is looked at, not its version. A moment far from
-- now, of a broken clock or an old import, gets a whole year, and one farther still a century, so
-- that nobody can make partitions without end.
CREATE FUNCTION audit_ensure_partition(wanted uuid) RETURNS text
LANGUAGE plpgsql STRICT SECURITY DEFINER
AS $$
DECLARE
    moment timestamptz := audit_time_of(wanted);
    unit text;
    from_ts timestamptz;
    from_id uuid;
    to_id uuid;
    first_name text;
    new_name text;
    n integer := 1;
    detaching text;
    stranger oid;
BEGIN
    IF EXISTS (
        SELECT FROM audit_partitions AS p
        WHERE p.from_id <= wanted AND wanted < p.to_id AND NOT p.is_detaching
    ) THEN
        RETURN NULL;
    END IF;
    IF moment >= to_timestamp(253402300800) THEN
        RAISE EXCEPTION 'an id of a year after 9999 has no partition' USING ERRCODE = 'datetime_field_overflow';
    END IF;
    -- One at a time. The lock ends with the transaction.
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_events partitions', 'audit_events'::regclass::oid::bigint));
    SELECT p.name INTO detaching FROM audit_partitions AS p
    WHERE p.from_id <= wanted AND wanted < p.to_id AND p.is_detaching;
    IF FOUND THEN
        -- Retention is taking it off, or was ended by force while it did: the table goes on with
        -- it, but its range takes no rows until it is off.
        EXECUTE format('ALTER TABLE audit_events DETACH PARTITION %I FINALIZE', detaching);
    END IF;
    IF EXISTS (SELECT FROM audit_partitions AS p WHERE p.from_id <= wanted AND wanted < p.to_id) THEN
        RETURN NULL;
    END IF;

    unit := CASE
        WHEN moment BETWEEN now() - interval '400 days' AND now() + interval '400 days'
            THEN coalesce((SELECT partition_width FROM audit_store), 'month')
        WHEN moment < now() + interval '100 years' THEN 'year'
        ELSE 'century'
    END;
    from_ts := date_trunc(unit, moment, 'UTC');
    -- What others hold of this stretch stays theirs.
    from_id := greatest(audit_id_at(from_ts), (
        SELECT p.to_id FROM audit_partitions AS p WHERE p.to_id <= wanted ORDER BY p.to_id DESC LIMIT 1
    ));
    to_id := least(
        audit_id_at((from_ts AT TIME ZONE 'UTC' + ('1 ' || unit)::interval) AT TIME ZONE 'UTC'),
        (SELECT p.from_id FROM audit_partitions AS p WHERE p.from_id > wanted ORDER BY p.from_id LIMIT 1)
    );

    first_name := 'audit_events_' || to_char(audit_time_of(from_id) AT TIME ZONE 'UTC', CASE unit
        WHEN 'day' THEN 'YYYY_MM_DD'
        WHEN 'month' THEN 'YYYY_MM'
        ELSE 'YYYY'
    END);
    new_name := first_name;
    -- The rest of a stretch whose beginning has the name, or a table that is about to be removed.
    WHILE to_regclass(format('%I', new_name)) IS NOT NULL LOOP
        n := n + 1;
        new_name := first_name || '_part' || n;
    END LOOP;
    -- Attaching a table that is made apart keeps nobody from inserting; making a partition in
    -- place would.
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING ALL)', new_name);
    -- Access goes through audit_events alone, whatever is granted on new tables by default.
    FOR stranger IN
        SELECT DISTINCT acl.grantee FROM pg_class, aclexplode(relacl) AS acl
        WHERE oid = to_regclass(format('%I', new_name)) AND acl.grantee <> relowner
    LOOP
        EXECUTE format(
            'REVOKE ALL ON TABLE %I FROM %s',
            new_name, CASE WHEN stranger = 0 THEN 'PUBLIC' ELSE stranger::regrole::text END
        );
    END LOOP;
    EXECUTE format(
        'ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        new_name, from_id, to_id
    );
    RETURN new_name;
END
$$;
COMMENT ON FUNCTION audit_ensure_partition IS 'Makes the partition for an id, unless there is one; gives back its name if it is new.';

-- The function that runs with its owner's rights looks nowhere but here: a temporary table of the
-- caller must not pass for the real one, and no setting of the caller may choose where tables lie
-- or how time is counted.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION audit_ensure_partition(uuid) SET search_path = %I, pg_temp',
        current_schema()
    );
END
$$;
ALTER FUNCTION audit_ensure_partition(uuid) SET timezone = 'UTC';
ALTER FUNCTION audit_ensure_partition(uuid) SET default_tablespace = '';
REVOKE ALL ON FUNCTION audit_ensure_partition(uuid) FROM PUBLIC;
