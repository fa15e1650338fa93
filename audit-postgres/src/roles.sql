-- Three roles and what each may do. Can be run again: it changes what is not so yet. Run it as a
-- superuser, or as the owner of the tables with CREATEROLE, in the schema of the tables.
BEGIN;
-- Changing an owner waits for whoever uses the table, and everybody else waits behind that.
SET LOCAL lock_timeout = '10s';

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['{writer}', '{reader}', '{maintainer}'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Somebody else was faster.
            END;
        END IF;
    END LOOP;
    -- Only a member can give something to a role.
    IF NOT pg_has_role('{maintainer}', 'USAGE') THEN
        EXECUTE format('GRANT %I TO %I', '{maintainer}', current_user);
    END IF;
END
$$;

-- The schema: who may create something in it could put functions of the same names in the way.
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I, %I', current_schema(), '{writer}', '{reader}');
    EXECUTE format(
        'GRANT USAGE ON SCHEMA %I TO %I, %I, %I', current_schema(), '{writer}', '{reader}', '{maintainer}'
    );
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO %I', current_schema(), '{maintainer}');
END
$$;

-- Everything belongs to the maintainer; what does already is not touched, since that takes a lock.
DO $$
DECLARE
    relation regclass;
    routine regprocedure;
BEGIN
    -- Collected first: a table that a query reads cannot be altered.
    FOREACH relation IN ARRAY ARRAY(
        SELECT pg_class.oid::regclass FROM pg_class
        WHERE pg_class.relowner <> '{maintainer}'::regrole
          AND (
            pg_class.oid = ANY (ARRAY[
                'audit_events', 'audit_partitions', 'audit_store', 'audit_dead_letters', 'audit_legacy_ids',
                'audit_legacy_queue', 'audit_holds', 'audit_retention', 'audit_migrations'
            ]::regclass[])
            OR pg_class.oid IN (SELECT table_oid FROM audit_partitions)
            OR pg_class.oid IN (SELECT table_oid FROM audit_retention WHERE removed_at IS NULL)
          )
    )
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, '{maintainer}');
    END LOOP;
    FOR routine IN
        SELECT pg_proc.oid FROM pg_proc
        WHERE pg_proc.proowner <> '{maintainer}'::regrole
          AND pg_proc.oid = ANY (ARRAY[
            'audit_id_at(timestamptz)', 'audit_time_of(uuid)', 'audit_ensure_partition(uuid)',
            'audit_make_partition(uuid, timestamptz)'
          ]::regprocedure[])
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', routine, '{maintainer}');
    END LOOP;
END
$$;

-- Nobody has more than what follows, whatever was granted before or by default. A partition is
-- reached through audit_events alone.
DO $$
DECLARE
    relation regclass;
    stranger oid;
BEGIN
    FOR relation, stranger IN
        SELECT DISTINCT pg_class.oid, acl.grantee
        FROM pg_class, LATERAL (
            SELECT grantee FROM aclexplode(pg_class.relacl)
            UNION
            SELECT of_column.grantee FROM pg_attribute, aclexplode(pg_attribute.attacl) AS of_column
            WHERE pg_attribute.attrelid = pg_class.oid
        ) AS acl
        WHERE acl.grantee <> pg_class.relowner
          AND (
            pg_class.oid IN (SELECT table_oid FROM audit_partitions)
            OR acl.grantee IN (0, '{writer}'::regrole, '{reader}'::regrole) AND pg_class.oid = ANY (ARRAY[
                'audit_events', 'audit_partitions', 'audit_store', 'audit_dead_letters', 'audit_legacy_ids',
                'audit_legacy_queue', 'audit_holds', 'audit_retention', 'audit_migrations'
            ]::regclass[])
          )
    LOOP
        EXECUTE format(
            'REVOKE ALL ON TABLE %s FROM %s',
            relation, CASE WHEN stranger = 0 THEN 'PUBLIC' ELSE stranger::regrole::text END
        );
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION audit_id_at(timestamptz), audit_time_of(uuid), audit_ensure_partition(uuid),
    audit_make_partition(uuid, timestamptz) FROM PUBLIC, "{writer}", "{reader}";

-- The writer appends, compares an id that is there, and asks for a partition.
GRANT SELECT, INSERT ON audit_events TO "{writer}";
GRANT INSERT ON audit_dead_letters TO "{writer}";
GRANT SELECT ON audit_store TO "{writer}";
GRANT EXECUTE ON FUNCTION audit_id_at(timestamptz), audit_ensure_partition(uuid) TO "{writer}";

-- The reader reads.
GRANT SELECT ON audit_events, audit_partitions, audit_store, audit_dead_letters, audit_legacy_ids,
    audit_holds, audit_retention TO "{reader}";
GRANT EXECUTE ON FUNCTION audit_id_at(timestamptz), audit_time_of(uuid) TO "{reader}";

-- Rows of the predecessor are brought over by the maintainer; their table stays its owner's.
DO $$
BEGIN
    IF to_regclass(format('%I.audit_events_seed', current_schema())) IS NOT NULL
        AND NOT has_table_privilege('{maintainer}', format('%I.audit_events_seed', current_schema()), 'SELECT')
    THEN
        EXECUTE format('GRANT SELECT ON %I.audit_events_seed TO %I', current_schema(), '{maintainer}');
    END IF;
END
$$;

COMMIT;
