-- The table of events, and what it needs to be found in.

-- A table of this name that is there already is the one of the tool's predecessor: it steps aside
-- with everything in it, and its rows are brought over behind the migrations.
DO $$
DECLARE
    relation record;
BEGIN
    IF to_regclass(format('%I.audit_events', current_schema())) IS NULL THEN
        RETURN;
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass(format('%I.audit_events', current_schema()))) <> 'r' THEN
        RAISE EXCEPTION 'audit_events is there and no plain table: it is not that of the predecessor'
            USING ERRCODE = 'duplicate_table', HINT = 'Restore audit_migrations if it was lost, or choose another schema.';
    END IF;
    FOR relation IN
        SELECT index_class.relname AS name
        FROM pg_index
        JOIN pg_class AS index_class ON index_class.oid = pg_index.indexrelid
        WHERE pg_index.indrelid = to_regclass(format('%I.audit_events', current_schema()))
    LOOP
        EXECUTE format(
            'ALTER INDEX %I.%I RENAME TO %I',
            current_schema(), relation.name, left('seed_' || relation.name, 63)
        );
    END LOOP;
    EXECUTE format('ALTER TABLE %I.audit_events RENAME TO audit_events_seed', current_schema());
END
$$;

-- Texts compare by bytes: the same order and the same matches on every server, and a prefix is
-- found through an index.
CREATE TABLE audit_events (
    id uuid NOT NULL,
    ts timestamptz NOT NULL,
    api_key_id text COLLATE "C",
    role text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    tool_name text COLLATE "C",
    request_json jsonb,
    response_json jsonb,
    status_code smallint NOT NULL CHECK (status_code BETWEEN 0 AND 999),
    latency_ms double precision NOT NULL CHECK (latency_ms >= 0),
    decision jsonb NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    upstream text COLLATE "C",
    upstream_latency_ms double precision,
    session_id text COLLATE "C",
    request_id text COLLATE "C",
    trace_id text COLLATE "C",
    span_id text COLLATE "C",
    client_name text COLLATE "C",
    client_version text COLLATE "C",
    client_address text COLLATE "C",
    writer text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    payload_report jsonb,
    xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    xact_order integer NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

COMMENT ON TABLE audit_events IS
    'One row for each call that passed a gateway. Append-only: rows are never changed, and leave only with their whole partition.';
COMMENT ON COLUMN audit_events.id IS 'UUIDv7 of the millisecond of ts; the idempotency key. Its order is the order of time.';
COMMENT ON COLUMN audit_events.ts IS 'When the call began, by the gateway''s clock, in microseconds.';
COMMENT ON COLUMN audit_events.api_key_id IS 'Name of the API key that called; never the key. Null: nobody was recognized.';
COMMENT ON COLUMN audit_events.role IS 'Role under which the gateway let the caller act.';
COMMENT ON COLUMN audit_events.method IS 'What was called, such as tools/call.';
COMMENT ON COLUMN audit_events.tool_name IS 'Which tool, where the method has one.';
COMMENT ON COLUMN audit_events.request_json IS 'What the caller sent, redacted and bounded. Null beside a report of level full stands for JSON null.';
COMMENT ON COLUMN audit_events.response_json IS 'What the tool answered, redacted and bounded. Null as in request_json.';
COMMENT ON COLUMN audit_events.status_code IS 'Status that the caller got; 0: none.';
COMMENT ON COLUMN audit_events.latency_ms IS 'How long the call took, in milliseconds with microseconds as a fraction.';
COMMENT ON COLUMN audit_events.decision IS 'What auth, authz and rate said: each a verdict and, where they apply, reason, rule, limit, remaining.';
COMMENT ON COLUMN audit_events.outcome IS 'What came of the call, one word.';
COMMENT ON COLUMN audit_events.upstream IS 'Which server behind the gateway answered.';
COMMENT ON COLUMN audit_events.upstream_latency_ms IS 'How much of the latency that server took, in milliseconds.';
COMMENT ON COLUMN audit_events.session_id IS 'Session of the call, usually hashed.';
COMMENT ON COLUMN audit_events.request_id IS 'JSON-RPC id as text; unique only among the requests in flight of one sender.';
COMMENT ON COLUMN audit_events.trace_id IS 'W3C trace id: 32 digits of hex.';
COMMENT ON COLUMN audit_events.span_id IS 'W3C span id: 16 digits of hex.';
COMMENT ON COLUMN audit_events.client_name IS 'Name that the client claims.';
COMMENT ON COLUMN audit_events.client_version IS 'Version that the client claims.';
COMMENT ON COLUMN audit_events.client_address IS 'Address of the client as the gateway saw it.';
COMMENT ON COLUMN audit_events.writer IS 'Logger that numbered the event: one run of one process.';
COMMENT ON COLUMN audit_events.seq IS 'Number within the writer, from 1 without a gap: a missing number is a lost event.';
COMMENT ON COLUMN audit_events.payload_report IS 'What was done to the payloads: sizes, redactions by rule, whether something was cut.';
COMMENT ON COLUMN audit_events.xact IS 'Transaction that stored the row: the order of commits, for followers.';
COMMENT ON COLUMN audit_events.xact_order IS 'Place of the row within its transaction.';

-- The list of a key, of a tool, of a session, newest first.
CREATE INDEX audit_events_api_key_id ON audit_events (api_key_id, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX audit_events_tool_name ON audit_events (tool_name, id) WHERE tool_name IS NOT NULL;
CREATE INDEX audit_events_session_id ON audit_events (session_id, id) WHERE session_id IS NOT NULL;
-- What went wrong is rare, and asked for often.
CREATE INDEX audit_events_outcome ON audit_events (outcome, id) WHERE outcome <> 'ok';
-- Following, and the numbers that are missing. Both only grow at their end, which costs little.
CREATE INDEX audit_events_xact ON audit_events (xact, xact_order);
CREATE INDEX audit_events_writer ON audit_events (writer, seq);

-- What is true of the store as a whole; one row.
CREATE TABLE audit_store (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    store_id uuid NOT NULL DEFAULT gen_random_uuid(),
    system_identifier bigint NOT NULL,
    database_oid bigint NOT NULL,
    partition_width text NOT NULL DEFAULT 'month' CHECK (partition_width IN ('day', 'month'))
);
COMMENT ON TABLE audit_store IS 'What is true of the store as a whole; one row.';
COMMENT ON COLUMN audit_store.is_only IS 'Always true: it keeps the table at one row.';
COMMENT ON COLUMN audit_store.store_id IS 'Tells this store''s follow positions from those of another.';
COMMENT ON COLUMN audit_store.system_identifier IS 'Cluster in which xact was counted: in a copy restored elsewhere it means nothing.';
COMMENT ON COLUMN audit_store.database_oid IS 'Database in which xact was counted.';
COMMENT ON COLUMN audit_store.partition_width IS 'How much time a new partition holds.';

INSERT INTO audit_store (system_identifier, database_oid)
SELECT control.system_identifier, pg_database.oid::bigint
FROM pg_control_system() AS control, pg_database
WHERE pg_database.datname = current_database();

-- Events that a healthy store refuses. As text: the form in which they were refused may be what
-- no other column takes.
CREATE TABLE audit_dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_aside_at timestamptz NOT NULL DEFAULT now(),
    event_id uuid NOT NULL,
    reason text NOT NULL,
    sqlstate text,
    event text NOT NULL
);
CREATE UNIQUE INDEX audit_dead_letters_once ON audit_dead_letters (event_id, md5(event));
COMMENT ON TABLE audit_dead_letters IS 'Events that the store refused, each with the reason.';
COMMENT ON COLUMN audit_dead_letters.dead_letter_id IS 'By which a letter is asked for.';
COMMENT ON COLUMN audit_dead_letters.set_aside_at IS 'When it was refused, by the server''s clock.';
COMMENT ON COLUMN audit_dead_letters.event_id IS 'Id of the event.';
COMMENT ON COLUMN audit_dead_letters.reason IS 'Why it was refused; quotes nothing of it.';
COMMENT ON COLUMN audit_dead_letters.sqlstate IS 'The server''s code for that, where the server refused it.';
COMMENT ON COLUMN audit_dead_letters.event IS 'The event in its JSON form, as text.';

-- Where the rows of the predecessor went.
CREATE TABLE audit_legacy_ids (
    legacy_id text COLLATE "C" PRIMARY KEY,
    id uuid NOT NULL,
    seq bigint UNIQUE
);
COMMENT ON TABLE audit_legacy_ids IS 'Ids that events had with the predecessor, and the ids they have now.';
COMMENT ON COLUMN audit_legacy_ids.legacy_id IS 'The id with the predecessor, as text.';
COMMENT ON COLUMN audit_legacy_ids.id IS 'The id now: in audit_events, or in audit_dead_letters if the row can be no event.';
COMMENT ON COLUMN audit_legacy_ids.seq IS 'The number under which it was brought over. Null: the row can be no event.';

-- The rows of the predecessor that are still to come, in their order: a row leaves this list in
-- the transaction that brings it over.
CREATE TABLE audit_legacy_queue (
    place bigint PRIMARY KEY,
    legacy_id text COLLATE "C" NOT NULL
);
COMMENT ON TABLE audit_legacy_queue IS 'Rows of the predecessor that are still to be brought over. Empty: all were.';
COMMENT ON COLUMN audit_legacy_queue.place IS 'Place in the order of time.';
COMMENT ON COLUMN audit_legacy_queue.legacy_id IS 'The id with the predecessor, as text.';
