//! The rows of the tool's predecessor, brought over behind the migrations.
//!
//! First every row gets its place in the order of time (`audit_legacy_queue`). Then batch after
//! batch leaves that list: one transaction writes the old ids with the new ones, appends the events
//! as a sink would, and sets aside what can be no event. So it can be ended at any moment, begun
//! again, and done by two processes at once. The predecessor's table stays as it is.

mod decision;
mod event;
mod row;
mod source;

use audit_core::Error;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::convert;
use crate::pool::Pool;
use crate::sink::append_in_parts;
use event::Converted;
use source::Source;

/// Rows of one transaction: they may be large.
const BATCH: i64 = 200;

/// One process at a time. The lock ends with the transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('audit legacy rows', 'audit_legacy_queue'::regclass::oid::bigint)),
    set_config('timezone', 'UTC', true)";

/// Brings over what is not there yet.
pub(crate) async fn bring_over(pool: &Pool, connection: &mut PgConnection) -> Result<(), Error> {
    let Some(source) = Source::find(connection).await? else {
        return Ok(());
    };
    let id_type = source.check(connection).await?;
    source.enqueue(pool, connection).await?;
    let mut place = 0;
    let mut n_rows = 0;
    while let Some(batch) = bring_batch(pool, connection, &source.name, &id_type, place).await? {
        place = batch.last_place;
        n_rows += batch.n_rows;
    }
    if n_rows > 0 {
        tracing::info!(
            n_rows,
            "rows of the predecessor were brought over; drop audit_events_seed when nobody needs it"
        );
    }
    Ok(())
}

/// How many rows of the predecessor are not brought over yet. Works before the migrations too.
pub(crate) async fn rows_left(connection: &mut PgConnection) -> Result<u64, Error> {
    let sql: Option<String> = sqlx::query_scalar(
        "SELECT CASE
            WHEN to_regclass(format('%I.audit_events_seed', current_schema())) IS NOT NULL
                AND to_regclass(format('%I.audit_legacy_ids', current_schema())) IS NOT NULL
            THEN format(
                'SELECT count(*) FROM %I.audit_events_seed AS s WHERE NOT EXISTS (
                    SELECT FROM audit_legacy_ids AS l WHERE l.legacy_id = s.id::text
                )', current_schema()
            )
            WHEN (SELECT relkind FROM pg_class
                WHERE oid = to_regclass(format('%I.audit_events', current_schema()))) = 'r'
            THEN format('SELECT count(*) FROM %I.audit_events', current_schema())
        END",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let Some(sql) = sql else {
        return Ok(0);
    };
    // The server quoted the names.
    let n_rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(u64::try_from(n_rows).unwrap_or(0))
}

struct Batch {
    last_place: i64,
    n_rows: u64,
}

/// Brings over the first rows behind a place; nothing, if there are none.
async fn bring_batch(
    pool: &Pool,
    connection: &mut PgConnection,
    source: &str,
    id_type: &str,
    behind: i64,
) -> Result<Option<Batch>, Error> {
    let mut transaction = pool.begin(connection).await.map_err(failed)?;
    sqlx::query(LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    let sql = format!(
        "WITH taken AS (
             DELETE FROM audit_legacy_queue
             WHERE place IN (
                 SELECT place FROM audit_legacy_queue WHERE place > $1 ORDER BY place LIMIT $2
             )
             RETURNING place, legacy_id
         )
         SELECT taken.place, taken.legacy_id, row_to_json(s)::text
         FROM taken LEFT JOIN {source} AS s ON s.id = taken.legacy_id::{id_type}
         ORDER BY taken.place"
    );
    // The server quoted the name of the table and spelled the type.
    let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(behind)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    let Some((last_place, _, _)) = rows.last() else {
        return Ok(None);
    };
    let batch = Batch {
        last_place: *last_place,
        n_rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
    };
    let last_seq: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM audit_legacy_ids")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let mut converted = Converted::behind(last_seq);
    for (_, legacy_id, json) in rows {
        // A row that somebody deleted meanwhile is none to bring over.
        if let Some(json) = json {
            converted.push(legacy_id, &json)?;
        }
    }
    write(pool, &mut transaction, converted).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(Some(batch))
}

async fn write(
    pool: &Pool,
    connection: &mut PgConnection,
    converted: Converted,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit_legacy_ids (legacy_id, id, seq)
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])",
    )
    .bind(converted.legacy_ids)
    .bind(converted.ids)
    .bind(converted.seqs)
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    if !converted.events.is_empty() {
        // What the server refuses is set aside there.
        append_in_parts(pool, connection, &converted.events).await?;
    }
    for impossible in converted.impossible {
        sqlx::query(
            "INSERT INTO audit_dead_letters (event_id, reason, event) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(*impossible.id.as_uuid())
        .bind(impossible.reason)
        .bind(impossible.row)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

fn failed(error: sqlx::Error) -> Error {
    convert("the predecessor's rows cannot be brought over", &error)
}
