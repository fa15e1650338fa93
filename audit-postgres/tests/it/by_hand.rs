//! Rows that a test inserts itself, in transactions that end when the test says so.

use audit_core::event::{AuditEvent, Decision, EventId, Method};
use audit_testkit::fixture;
use sqlx::{PgPool, Postgres, Transaction};

/// A transaction that has inserted the rows of these numbers, one after the other, and is open.
pub(crate) async fn open(
    pool: &PgPool,
    numbers: impl IntoIterator<Item = u64>,
) -> Transaction<'static, Postgres> {
    let mut transaction = pool.begin().await.expect("a transaction begins");
    for (order, number) in (0..).zip(numbers) {
        insert(&mut transaction, number, order).await;
    }
    transaction
}

/// Inserts the bare row of a number.
pub(crate) async fn insert(transaction: &mut Transaction<'_, Postgres>, number: u64, order: i32) {
    let event = bare(number);
    let insert = sqlx::query(
        "INSERT INTO audit_events (
            id, ts, role, method, status_code, latency_ms, decision, outcome, writer, seq, xact_order
         ) VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9, $10, $11)",
    );
    let insert = insert
        .bind(*event.id.as_uuid())
        .bind(event.ts.to_datetime())
        .bind(event.role.as_str())
        .bind(event.method.as_str())
        .bind(i32::from(event.status_code.as_u16()))
        .bind(event.latency_ms.as_millis())
        .bind(Decision::default().to_json())
        .bind(event.outcome.as_str())
        .bind(event.writer.as_str())
        .bind(event.seq.get().cast_signed())
        .bind(order);
    insert
        .execute(&mut **transaction)
        .await
        .expect("a row is inserted");
}

/// The statement that inserts a row for each whole number up to `n_rows`, as `n`: what begins at
/// `from` is a millisecond apart, and each row has this tool.
pub(crate) fn many(from: &str, n_rows: u32, tool: &str) -> String {
    let decision = Decision::default().to_json();
    format!(
        "SELECT audit_ensure_partition(audit_id_at(moment))
         FROM generate_series(
            timestamptz '{from}', timestamptz '{from}' + {n_rows} * interval '1 ms', '1 day'
         ) AS moment;
         INSERT INTO audit_events (
            id, ts, role, method, tool_name, status_code, latency_ms, decision, outcome, writer,
            seq, xact_order
         )
         SELECT
            overlay(audit_id_at(ts)::text PLACING '7000-8000' FROM 15)::uuid,
            ts, 'admin', 'tools/call', {tool}, 200, n % 1000, '{decision}', 'ok', 'by hand', n, n
         FROM generate_series(1, {n_rows}) AS n
         CROSS JOIN LATERAL (SELECT timestamptz '{from}' + n * interval '1 ms') AS moment (ts)"
    )
}

/// Commits a transaction.
pub(crate) async fn commit(transaction: Transaction<'static, Postgres>) {
    transaction.commit().await.expect("a transaction commits");
}

/// The event of a bare row.
pub(crate) fn bare(number: u64) -> AuditEvent {
    let draft = AuditEvent::draft(Method::tools_call());
    let draft = draft.ts(fixture::moment(number)).id(id(number));
    fixture::stamp(draft, number)
}

pub(crate) fn id(number: u64) -> EventId {
    fixture::event_id(number)
}
