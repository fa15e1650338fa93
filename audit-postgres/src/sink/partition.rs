use std::collections::BTreeMap;

use audit_core::Error;
use audit_core::event::AuditEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::convert;
use crate::pool::Pool;

const MAKING: &str = "the partition for an event cannot be made";

/// Makes the partitions of these events, where they are missing: asked for by one event of each
/// day, or by each event.
pub(super) async fn ensure(
    pool: &Pool,
    connection: &mut PgConnection,
    events: &[AuditEvent],
    asks_for_each: bool,
) -> Result<(), Error> {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    // A partition holds whole days, unless somebody made one by hand.
    let width = if asks_for_each { 1 } else { DAY };
    let of_stretches: BTreeMap<i64, Uuid> = events
        .iter()
        .map(|event| (event.ts.as_micros() / width, *event.id.as_uuid()))
        .collect();
    let ids: Vec<Uuid> = of_stretches.into_values().collect();
    let make = async {
        let mut transaction = pool.begin(connection).await?;
        sqlx::query("SELECT audit_ensure_partition(id) FROM unnest($1::uuid[]) AS wanted (id)")
            .persistent(false)
            .bind(ids)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    };
    make.await.map_err(|error| convert(MAKING, &error))
}

/// Makes the partitions of now and of a month from now, so that an insert seldom has to.
pub(super) async fn ensure_ahead(pool: &Pool, connection: &mut PgConnection) -> Result<(), Error> {
    let make = async {
        let mut transaction = pool.begin(connection).await?;
        sqlx::query(
            "SELECT audit_ensure_partition(audit_id_at(now() + ahead))
             FROM unnest(ARRAY[interval '0', interval '1 month']) AS ahead",
        )
        .persistent(false)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    };
    make.await.map_err(|error| convert(MAKING, &error))
}
