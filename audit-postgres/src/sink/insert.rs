use audit_core::Error;
use audit_core::event::AuditEvent;
use audit_core::payload::Payload;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt as _;

use crate::error::{ServerError, convert};
use crate::pool::Pool;

/// Stores what is not there yet, in the order of the batch, and says which that was; nothing, if
/// it was all.
///
/// Arrays, one a column, and not COPY: a COPY takes two round trips, fails as a whole for one id
/// that was there, and leaves a connection out of step when it is dropped half-way. ARCHITECTURE.md
/// has the numbers.
const INSERT: &str = "
WITH batch AS (
    SELECT *
    FROM unnest(
        $1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::text[], $8::text[], $9::smallint[], $10::float8[], $11::text[], $12::text[],
        $13::text[], $14::float8[], $15::text[], $16::text[], $17::text[], $18::text[],
        $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[], $24::text[]
    ) WITH ORDINALITY AS batch (
        id, ts, api_key_id, role, method, tool_name,
        request_json, response_json, status_code, latency_ms, decision, outcome,
        upstream, upstream_latency_ms, session_id, request_id, trace_id, span_id,
        client_name, client_version, client_address, writer, seq, payload_report, place
    )
), inserted AS (
    INSERT INTO audit_events (
        id, ts, api_key_id, role, method, tool_name,
        request_json, response_json, status_code, latency_ms, decision, outcome,
        upstream, upstream_latency_ms, session_id, request_id, trace_id, span_id,
        client_name, client_version, client_address, writer, seq, payload_report, xact_order
    )
    SELECT
        id, ts, api_key_id, role, method, tool_name,
        request_json::jsonb, response_json::jsonb, status_code, latency_ms, decision::jsonb, outcome,
        upstream, upstream_latency_ms, session_id, request_id, trace_id, span_id,
        client_name, client_version, client_address, writer, seq, payload_report::jsonb,
        $25::integer + place::integer
    FROM batch
    ON CONFLICT (id) DO NOTHING
    RETURNING xact_order
)
SELECT CASE WHEN count(*) < $26 THEN coalesce(array_agg(xact_order), '{}') END
FROM inserted";

/// Which events of a batch an insert stored; the others were there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    All,
    Some(Vec<bool>),
}

/// Why a batch was not inserted.
#[derive(Debug)]
pub(super) enum Failure {
    /// The whole batch, for a reason that is not in it.
    Batch(Error),
    /// An event lies where no partition is.
    MissingPartition,
    /// The server refuses one of the events, or more.
    Refused(ServerError),
}

impl Failure {
    pub(super) fn new(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return Self::Batch(convert(APPENDING, &error));
        };
        let server = ServerError::new(database);
        // A row without a partition is a check that is broken, but none that has a name: the
        // server names the table instead, which a trigger with this code does not.
        if server.sqlstate() == "23514"
            && database.constraint().is_none()
            && database.table() == Some("audit_events")
        {
            return Self::MissingPartition;
        }
        let error = convert(APPENDING, &error);
        if error.is_rejected() {
            return Self::Refused(server);
        }
        Self::Batch(error)
    }
}

pub(super) const APPENDING: &str = "the events cannot be appended";

/// Inserts the events, numbered within their transaction from `first_order` on.
pub(super) async fn insert(
    pool: &Pool,
    connection: &mut PgConnection,
    events: &[AuditEvent],
    first_order: usize,
) -> Result<Inserted, Failure> {
    // A batch has far fewer events than an integer has numbers.
    let offset = i32::try_from(first_order).unwrap_or(i32::MAX);
    let n_events = i64::try_from(events.len()).unwrap_or(i64::MAX);
    /// Binds a column of every event.
    macro_rules! column {
        ($of:expr) => {
            events.iter().map($of).bind_iter()
        };
    }
    let reports: Vec<_> = events.iter().map(AuditEvent::payload_report_json).collect();
    let query = sqlx::query_scalar(INSERT)
        .bind(column!(|event| *event.id.as_uuid()))
        .bind(column!(|event| event.ts.to_datetime()))
        .bind(column!(|event| event
            .api_key_id
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event.role.as_str()))
        .bind(column!(|event| event.method.as_str()))
        .bind(column!(|event| event
            .tool_name
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event.request().and_then(Payload::json)))
        .bind(column!(|event| event.response().and_then(Payload::json)))
        // At most 999.
        .bind(column!(
            |event| i16::try_from(event.status_code.as_u16()).unwrap_or(i16::MAX)
        ))
        .bind(column!(|event| event.latency_ms.as_millis()))
        .bind(column!(|event| event.decision.to_json()))
        .bind(column!(|event| event.outcome.as_str()))
        .bind(column!(|event| event
            .upstream
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event
            .upstream_latency_ms
            .map(|latency| latency.as_millis())))
        .bind(column!(|event| event
            .session_id
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event
            .request_id
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event.trace_id.map(|id| id.to_string())))
        .bind(column!(|event| event.span_id.map(|id| id.to_string())))
        .bind(column!(|event| event
            .client
            .name
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event
            .client
            .version
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event
            .client
            .address
            .as_ref()
            .map(|text| text.as_str())))
        .bind(column!(|event| event.writer.as_str()))
        .bind(column!(|event| event.seq.get().cast_signed()))
        .bind(reports)
        .bind(offset - 1)
        .bind(n_events)
        .persistent(pool.keeps_statements());
    let stored: Option<Vec<i32>> = query.fetch_one(connection).await.map_err(Failure::new)?;
    let Some(stored) = stored else {
        return Ok(Inserted::All);
    };
    let mut flags = vec![false; events.len()];
    for place in stored {
        let place = usize::try_from(place - offset).ok();
        if let Some(flag) = place.and_then(|place| flags.get_mut(place)) {
            *flag = true;
        }
    }
    Ok(Inserted::Some(flags))
}
