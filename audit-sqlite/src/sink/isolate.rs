use std::collections::BTreeMap;
use std::slice;

use audit_core::event::AuditEvent;
use audit_core::{Error, ErrorKind};
use sqlx::SqliteConnection;

use super::insert::{APPENDING, Failure, insert};
use crate::error::{ResultError, convert};

/// Inserts events of which SQLite refuses some, each alone; gives back the refused ones by their
/// places.
///
/// What an earlier try has inserted within the transaction is passed over.
pub(super) async fn insert_each(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
) -> Result<BTreeMap<usize, ResultError>, Error> {
    let mut refused = BTreeMap::new();
    check_transaction(connection).await?;
    for (place, event) in events.iter().enumerate() {
        match insert(connection, slice::from_ref(event)).await {
            Ok(_) => {}
            Err(Failure::Batch(error)) => return Err(error),
            Err(Failure::Refused(result)) => {
                refused.insert(place, result);
                check_transaction(connection).await?;
            }
        }
    }
    Ok(refused)
}

/// Makes sure that the transaction goes on. A trigger may end it (`RAISE(ROLLBACK)`): whatever came
/// behind it would then be committed at once, each event for itself.
async fn check_transaction(connection: &mut SqliteConnection) -> Result<(), Error> {
    // The only way to ask: within a transaction SQLite begins no other.
    if sqlx::raw_sql("BEGIN")
        .execute(&mut *connection)
        .await
        .is_err()
    {
        return Ok(());
    }
    sqlx::raw_sql("ROLLBACK")
        .execute(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    Err(Error::new(
        ErrorKind::Unavailable,
        "a trigger of the file ended the transaction: let it raise ABORT, which refuses one event",
    ))
}
