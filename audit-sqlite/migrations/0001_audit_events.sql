-- The table of events, and what it needs to be found in.

-- One row for each call that passed a gateway. Append-only: rows are never changed, and leave only
-- by retention.
--
-- The payloads stand last: a row that is larger than its page goes on in others, and a list that
-- does not show them never gets there. Texts compare by bytes, which is SQLite's own order.
CREATE TABLE audit_events (
    -- The order of commits, for followers. A number never comes again, also not that of a row
    -- which retention removed.
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    -- UUIDv7 of the millisecond of ts, 16 bytes; the idempotency key. Its order is the order of time.
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- When the call began, by the gateway's clock: microseconds since 1970-01-01T00:00:00Z.
    ts INTEGER NOT NULL,
    -- Name of the API key that called; never the key. Null: nobody was recognized.
    api_key_id TEXT,
    -- Role under which the gateway let the caller act.
    role TEXT NOT NULL,
    -- What was called, such as tools/call.
    method TEXT NOT NULL,
    -- Which tool, where the method has one.
    tool_name TEXT,
    -- Status that the caller got; 0: none.
    status_code INTEGER NOT NULL CHECK (status_code BETWEEN 0 AND 999),
    -- How long the call took, in milliseconds with microseconds as a fraction.
    latency_ms REAL NOT NULL CHECK (latency_ms >= 0),
    -- What auth, authz and rate said, in JSON: each a verdict and, where they apply, reason, rule,
    -- limit, remaining.
    decision TEXT NOT NULL,
    -- What came of the call, one word.
    outcome TEXT NOT NULL,
    -- Which server behind the gateway answered.
    upstream TEXT,
    -- How much of the latency that server took, in milliseconds.
    upstream_latency_ms REAL,
    -- Session of the call, usually hashed.
    session_id TEXT,
    -- JSON-RPC id as text; unique only among the requests in flight of one sender.
    request_id TEXT,
    -- W3C trace id: 32 digits of hex.
    trace_id TEXT,
    -- W3C span id: 16 digits of hex.
    span_id TEXT,
    -- Name that the client claims.
    client_name TEXT,
    -- Version that the client claims.
    client_version TEXT,
    -- Address of the client as the gateway saw it.
    client_address TEXT,
    -- Logger that numbered the event: one run of one process.
    writer TEXT NOT NULL,
    -- Number within the writer, from 1 without a gap: a missing number is a lost event.
    seq INTEGER NOT NULL CHECK (seq >= 1),
    -- What was done to the payloads, in JSON: sizes, redactions by rule, whether something was cut.
    payload_report TEXT,
    -- What the caller sent, redacted and bounded, in JSON. Null beside a report of level full
    -- stands for JSON null.
    request_json TEXT,
    -- What the tool answered, redacted and bounded, in JSON. Null as in request_json.
    response_json TEXT
) STRICT;

CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
-- The list of a key, of a tool, of a session, newest first.
CREATE INDEX audit_events_api_key_id ON audit_events (api_key_id, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX audit_events_tool_name ON audit_events (tool_name, id) WHERE tool_name IS NOT NULL;
CREATE INDEX audit_events_session_id ON audit_events (session_id, id) WHERE session_id IS NOT NULL;
-- What went wrong is rare, and asked for often.
CREATE INDEX audit_events_outcome ON audit_events (outcome, id) WHERE outcome <> 'ok';
-- The numbers that are missing.
CREATE INDEX audit_events_writer ON audit_events (writer, seq);

-- What is true of the store as a whole; one row.
CREATE TABLE audit_store (
    -- Always 1: it keeps the table at one row.
    is_only INTEGER PRIMARY KEY CHECK (is_only = 1),
    -- Tells this store's follow positions from those of another.
    store_id BLOB NOT NULL CHECK (length(store_id) = 16)
) STRICT;
INSERT INTO audit_store (is_only, store_id) VALUES (1, randomblob(16));

-- Events that a healthy store refuses, each with the reason.
CREATE TABLE audit_dead_letters (
    -- By which a letter is asked for.
    dead_letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- When it was refused: microseconds since 1970-01-01T00:00:00Z.
    set_aside_at INTEGER NOT NULL,
    -- Id of the event.
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    -- Why it was refused; quotes nothing of it.
    reason TEXT NOT NULL,
    -- SQLite's extended result code for that, where SQLite refused it.
    result_code INTEGER,
    -- The event in its JSON form.
    event TEXT NOT NULL
) STRICT;
CREATE INDEX audit_dead_letters_event_id ON audit_dead_letters (event_id);
