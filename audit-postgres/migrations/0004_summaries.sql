-- Where a value is not: summaries of 64 pages each, which a search for something rare reads instead
-- of the list. They grow by about one part in fifty of the table, and cost an insert next to
-- nothing, since a stretch of pages is summed up when it is full.
CREATE INDEX audit_events_trace_id ON audit_events USING brin (
    trace_id text_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.001)
) WITH (pages_per_range = 64);
CREATE INDEX audit_events_request_id ON audit_events USING brin (
    request_id text_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.001)
) WITH (pages_per_range = 64);
-- Of each of these there are few values, and none is rare for long but by mistake.
CREATE INDEX audit_events_words ON audit_events USING brin (
    role text_bloom_ops (n_distinct_per_range = 32, false_positive_rate = 0.001),
    method text_bloom_ops (n_distinct_per_range = 32, false_positive_rate = 0.001),
    upstream text_bloom_ops (n_distinct_per_range = 32, false_positive_rate = 0.001),
    client_name text_bloom_ops (n_distinct_per_range = 32, false_positive_rate = 0.001),
    client_version text_bloom_ops (n_distinct_per_range = 32, false_positive_rate = 0.001),
    status_code int2_minmax_multi_ops (values_per_range = 32)
) WITH (pages_per_range = 64);

-- What is not summed up yet is read. A vacuum sums it up, and one of a table that only grows reads
-- no more than what is new: so it comes after so many rows, and not after a fifth of all. (The
-- `autosummarize` of such an index would do so too, but fills the server's log when much comes in.)
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT table_oid FROM audit_partitions LOOP
        EXECUTE format('ALTER TABLE %s SET (
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000
        )', partition);
    END LOOP;
END
$$;

-- Makes the partition for an id as of a moment, unless there is one; gives back its name if it is
-- new. With the rights of the caller: whoever only inserts has `audit_ensure_partition`.
CREATE FUNCTION audit_make_partition(wanted uuid, at_moment timestamptz) RETURNS text
LANGUAGE plpgsql STRICT
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
        WHEN moment BETWEEN at_moment - interval '400 days' AND at_moment + interval '400 days'
            THEN coalesce((SELECT partition_width FROM audit_store), 'month')
        WHEN moment < at_moment + interval '100 years' THEN 'year'
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
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING ALL) WITH (
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000
        )', new_name);
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
COMMENT ON FUNCTION audit_make_partition IS 'Makes the partition for an id as of a moment, unless there is one; gives back its name if it is new.';

-- Makes the partition for an id, unless there is one; gives back its name if it is new.
--
-- Whoever may insert may call this, and it does nothing else: that is why it runs with the rights
-- of its owner.
CREATE OR REPLACE FUNCTION audit_ensure_partition(wanted uuid) RETURNS text
LANGUAGE sql STRICT SECURITY DEFINER
AS $$
    SELECT audit_make_partition(wanted, now())
$$;

-- As in 0002: it looks nowhere but here, and belongs to whom the function belongs that calls it.
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION audit_ensure_partition(uuid) SET search_path = %I, pg_temp',
        current_schema()
    );
    EXECUTE format(
        'ALTER FUNCTION audit_make_partition(uuid, timestamptz) OWNER TO %I',
        (SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE oid = 'audit_ensure_partition(uuid)'::regprocedure)
    );
END
$$;
ALTER FUNCTION audit_ensure_partition(uuid) SET timezone = 'UTC';
ALTER FUNCTION audit_ensure_partition(uuid) SET default_tablespace = '';
REVOKE ALL ON FUNCTION audit_make_partition(uuid, timestamptz) FROM PUBLIC;
