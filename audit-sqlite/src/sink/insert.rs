use std::sync::LazyLock;

use audit_core::Error;
use audit_core::event::AuditEvent;
use audit_core::payload::Payload;
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use crate::error::{ResultError, convert};
use crate::row::{PAYLOADS, SUMMARY};

pub(super) const APPENDING: &str = "the events cannot be appended";

/// How many rows one statement inserts: as many as there is a statement for, the largest first.
///
/// A statement a row costs a message to SQLite's thread and back for each; one for every number of
/// rows would be compiled each time. ARCHITECTURE.md has the numbers.
const N_ROWS: [usize; 4] = [64, 16, 4, 1];

/// The statements for [`N_ROWS`]: put together once, from constants alone.
static INSERTS: LazyLock<[String; 4]> = LazyLock::new(|| {
    N_ROWS.map(|n_rows| {
        let row = format!("({})", ["?"; N_COLUMNS].join(","));
        let rows = vec![row; n_rows].join(",");
        format!(
            "INSERT INTO audit_events ({SUMMARY}, {PAYLOADS}) VALUES {rows} ON CONFLICT (id) DO NOTHING"
        )
    })
});

/// The columns of [`SUMMARY`] and [`PAYLOADS`].
const N_COLUMNS: usize = 24;

/// Why events were not inserted.
#[derive(Debug)]
pub(super) enum Failure {
    /// The whole batch, for a reason that is not in it.
    Batch(Error),
    /// SQLite refuses one of the events, or more.
    Refused(ResultError),
}

impl Failure {
    fn new(error: &sqlx::Error) -> Self {
        let converted = convert(APPENDING, error);
        match ResultError::of(error) {
            Some(result) if converted.is_rejected() => Self::Refused(result),
            _ => Self::Batch(converted),
        }
    }
}

/// Inserts what is not there yet, in the order of the events; says how many that were.
///
/// A statement that SQLite refuses leaves those before it done: the transaction goes on.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
) -> Result<usize, Failure> {
    let mut n_stored = 0;
    let mut rest = events;
    for (n_rows, sql) in N_ROWS.into_iter().zip(INSERTS.iter()) {
        while let Some((part, behind)) = rest.split_at_checked(n_rows) {
            let query = part.iter().fold(sqlx::query(sql.as_str()), bind);
            let done = query.execute(&mut *connection).await;
            let done = done.map_err(|error| Failure::new(&error))?;
            // At most as many as there are events.
            n_stored += usize::try_from(done.rows_affected()).unwrap_or(usize::MAX);
            rest = behind;
        }
    }
    Ok(n_stored)
}

type InsertQuery<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Binds the columns of an event, in the order of [`SUMMARY`] and [`PAYLOADS`].
fn bind<'q>(query: InsertQuery<'q>, event: &'q AuditEvent) -> InsertQuery<'q> {
    let payload = |payload: Option<&'q Payload>| payload.and_then(Payload::json);
    query
        .bind(*event.id.as_uuid())
        .bind(event.ts.as_micros())
        .bind(event.api_key_id.as_ref().map(|text| text.as_str()))
        .bind(event.role.as_str())
        .bind(event.method.as_str())
        .bind(event.tool_name.as_ref().map(|text| text.as_str()))
        .bind(i64::from(event.status_code.as_u16()))
        .bind(event.latency_ms.as_millis())
        .bind(event.decision.to_json())
        .bind(event.outcome.as_str())
        .bind(event.upstream.as_ref().map(|text| text.as_str()))
        .bind(event.upstream_latency_ms.map(|latency| latency.as_millis()))
        .bind(event.session_id.as_ref().map(|text| text.as_str()))
        .bind(event.request_id.as_ref().map(|text| text.as_str()))
        .bind(event.trace_id.map(|id| id.to_string()))
        .bind(event.span_id.map(|id| id.to_string()))
        .bind(event.client.name.as_ref().map(|text| text.as_str()))
        .bind(event.client.version.as_ref().map(|text| text.as_str()))
        .bind(event.client.address.as_ref().map(|text| text.as_str()))
        .bind(event.writer.as_str())
        // At most what a signed integer holds.
        .bind(event.seq.get().cast_signed())
        .bind(event.payload_report_json())
        .bind(payload(event.request()))
        .bind(payload(event.response()))
}
