//! A copy of the store that was restored on another server.

use audit_core::Error;
use sqlx::{Connection as _, PgConnection};

use crate::error::convert;

/// A new store with the old one's rows: no position of the original leads into it.
const RENAME: &str = "
UPDATE audit_store
SET store_id = gen_random_uuid(),
    system_identifier = control.system_identifier,
    database_oid = pg_database.oid::bigint
FROM pg_control_system() AS control, pg_database
WHERE pg_database.datname = current_database()
    AND (audit_store.system_identifier, audit_store.database_oid)
        IS DISTINCT FROM (control.system_identifier, pg_database.oid::bigint)";

/// Numbers the rows anew in the order that they had, in a transaction that no server has ever
/// run: 2 is the one that PostgreSQL reserves for what lies before all others.
const RENUMBER: &str = "
UPDATE audit_events
SET xact = 2, xact_order = numbered.place
FROM (
    SELECT id, row_number() OVER (ORDER BY xact, xact_order, id) AS place FROM audit_events
) AS numbered
WHERE audit_events.id = numbered.id";

/// Makes the copy a store of its own; whether it was a copy.
pub(crate) async fn adopt(connection: &mut PgConnection) -> Result<bool, Error> {
    let adopted = async {
        let mut transaction = connection.begin().await?;
        // Nobody appends to it or follows it meanwhile.
        sqlx::raw_sql("LOCK TABLE audit_events, audit_store")
            .execute(&mut *transaction)
            .await?;
        let renamed = sqlx::raw_sql(RENAME).execute(&mut *transaction).await?;
        let is_copy = renamed.rows_affected() > 0;
        if is_copy {
            sqlx::raw_sql(RENUMBER).execute(&mut *transaction).await?;
            // What the original had removed says nothing about the new order.
            sqlx::raw_sql("UPDATE audit_retention SET last_xact = NULL, last_xact_order = NULL")
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(is_copy)
    };
    adopted
        .await
        .map_err(|error: sqlx::Error| convert("the copy cannot be adopted", &error))
}
