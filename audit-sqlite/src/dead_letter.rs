//! What the store refused: looking at it, trying it again, taking it out.

use audit_core::event::{AuditEvent, EventId, InvalidField, Timestamp};
use audit_core::sink::Receipt;
use audit_core::{Error, ErrorKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::error::convert;
use crate::reader::Sql;
use crate::sink::append_within;
use crate::store::SqliteStore;

const READING: &str = "a dead letter cannot be read";
const RETRYING: &str = "the dead letter cannot be tried again";

/// The dead letters: what
/// [`SqliteStore::dead_letters`](crate::SqliteStore::dead_letters) hands out.
#[derive(Debug)]
pub struct DeadLetters<'a> {
    store: &'a SqliteStore,
}

/// An event that the store refused.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// By which it is asked for.
    pub number: i64,
    /// The id of the event.
    pub event_id: EventId,
    /// Why it was refused.
    pub reason: String,
    /// SQLite's extended result code for that, where SQLite refused it.
    pub result_code: Option<i32>,
    /// When.
    pub set_aside_at: Timestamp,
    /// The JSON form of the event.
    pub event: String,
}

impl std::fmt::Debug for DeadLetter {
    /// Shows no payload.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("number", &self.number)
            .field("event_id", &self.event_id)
            .field("reason", &self.reason)
            .field("result_code", &self.result_code)
            .field("set_aside_at", &self.set_aside_at)
            .finish_non_exhaustive()
    }
}

impl<'a> DeadLetters<'a> {
    /// The most letters of one answer.
    pub const MAX_LIMIT: u16 = 1_000;

    pub(crate) const fn new(store: &'a SqliteStore) -> Self {
        Self { store }
    }

    /// The letters behind a number, in their order; from the first one, if none is given.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn list(&self, after: Option<i64>, limit: u16) -> Result<Vec<DeadLetter>, Error> {
        let mut sql = Sql::new(
            "SELECT dead_letter_id, event_id, reason, result_code, set_aside_at, event
             FROM audit_dead_letters WHERE dead_letter_id > ",
        );
        sql.bind(after.unwrap_or(0))
            .text(" ORDER BY dead_letter_id LIMIT ")
            .bind_rows(std::cmp::min(limit, Self::MAX_LIMIT));
        let rows = self.store.reader().rows(sql).await?;
        rows.iter().map(from_row).collect()
    }

    /// The letters that were set aside last, the newest first.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn latest(&self, limit: u16) -> Result<Vec<DeadLetter>, Error> {
        let mut sql = Sql::new(
            "SELECT dead_letter_id, event_id, reason, result_code, set_aside_at, event
             FROM audit_dead_letters ORDER BY dead_letter_id DESC LIMIT ",
        );
        sql.bind_rows(std::cmp::min(limit, Self::MAX_LIMIT));
        let rows = self.store.reader().rows(sql).await?;
        rows.iter().map(from_row).collect()
    }

    /// How many letters there are, counted up to `cap` and no further.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn count(&self, cap: u32) -> Result<u64, Error> {
        let mut sql = Sql::new("SELECT 1 FROM audit_dead_letters LIMIT ");
        sql.bind_rows(cap);
        let rows = self.store.reader().rows(sql).await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Appends the event of a letter again; once the store has it, the letter is gone. Says what
    /// became of it: a refused one stays.
    ///
    /// # Errors
    /// There is no such letter, it holds no event, or the file cannot be written to.
    ///
    /// # Cancel safety
    /// Dropped half-way, it is done whole or not at all.
    pub async fn retry(&self, number: i64) -> Result<Receipt, Error> {
        let retry = self
            .store
            .writer()
            .run(move |connection, now| Box::pin(retry(connection, number, now)));
        retry.await
    }

    /// Takes a letter out, for good; says whether there was one.
    ///
    /// # Errors
    /// The file cannot be written to.
    ///
    /// # Cancel safety
    /// Dropped half-way, the letter is taken out or not.
    pub async fn remove(&self, number: i64) -> Result<bool, Error> {
        let remove = self
            .store
            .writer()
            .run(move |connection, _| Box::pin(delete(connection, number)));
        remove.await
    }
}

async fn retry(
    connection: &mut SqliteConnection,
    number: i64,
    now: Timestamp,
) -> Result<Receipt, Error> {
    let query = sqlx::query_scalar("SELECT event FROM audit_dead_letters WHERE dead_letter_id = ?");
    let form: Option<String> = query
        .bind(number)
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| convert(RETRYING, &error))?;
    let form = form
        .ok_or_else(|| Error::new(ErrorKind::Invalid, "there is no dead letter of this number"))?;
    let event = AuditEvent::from_json(&form).map_err(|error| {
        let text = "the dead letter holds no event that this version can read";
        Error::with_source(ErrorKind::Invalid, text, error)
    })?;
    // Refused again, it is not set aside a second time: the letter is there.
    let receipts = append_within(connection, &[event], now).await?;
    let receipt = receipts.into_iter().next();
    let receipt =
        receipt.ok_or_else(|| Error::new(ErrorKind::Internal, "the append gave no receipt"))?;
    if receipt.is_kept() {
        delete(connection, number).await?;
    }
    Ok(receipt)
}

async fn delete(connection: &mut SqliteConnection, number: i64) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM audit_dead_letters WHERE dead_letter_id = ?")
        .bind(number)
        .execute(connection)
        .await
        .map_err(|error| convert("the dead letter cannot be removed", &error))?;
    Ok(done.rows_affected() > 0)
}

fn from_row(row: &SqliteRow) -> Result<DeadLetter, Error> {
    let failed = |error| convert(READING, &error);
    let corrupt = |error: InvalidField| Error::with_source(ErrorKind::Corrupt, READING, error);
    let event_id = row.try_get("event_id").map_err(failed)?;
    let set_aside_at = row.try_get("set_aside_at").map_err(failed)?;
    Ok(DeadLetter {
        number: row.try_get("dead_letter_id").map_err(failed)?,
        event_id: EventId::from_uuid(event_id).map_err(corrupt)?,
        reason: row.try_get("reason").map_err(failed)?,
        result_code: row.try_get("result_code").map_err(failed)?,
        set_aside_at: Timestamp::from_micros(set_aside_at).map_err(corrupt)?,
        event: row.try_get("event").map_err(failed)?,
    })
}
