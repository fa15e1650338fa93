//! What the store refused: looking at it, trying it again, taking it out.

use audit_core::event::{AuditEvent, EventId, Timestamp};
use audit_core::sink::Receipt;
use audit_core::{Error, ErrorKind};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::error::convert;
use crate::pool::Pool;
use crate::sink::append_in_parts;

/// The dead letters: what
/// [`PostgresMaintainer::dead_letters`](crate::PostgresMaintainer::dead_letters) hands out.
#[derive(Debug)]
pub struct DeadLetters<'a> {
    pool: &'a Pool,
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
    /// The server's code for that, where the server refused it.
    pub sqlstate: Option<String>,
    /// When, by the server's clock.
    pub set_aside_at: Timestamp,
    /// The JSON form of the event; of a row of the predecessor that can be no event, that row,
    /// redacted.
    pub event: String,
}

impl std::fmt::Debug for DeadLetter {
    /// Shows no payload.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("number", &self.number)
            .field("event_id", &self.event_id)
            .field("reason", &self.reason)
            .field("sqlstate", &self.sqlstate)
            .field("set_aside_at", &self.set_aside_at)
            .finish_non_exhaustive()
    }
}

impl<'a> DeadLetters<'a> {
    /// The most letters of one answer.
    pub const MAX_LIMIT: u16 = 1_000;

    pub(crate) const fn new(pool: &'a Pool) -> Self {
        Self { pool }
    }

    /// The letters behind a number, in their order; from the first one, if none is given. The
    /// rights of the reader are enough.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run.
    pub async fn list(&self, after: Option<i64>, limit: u16) -> Result<Vec<DeadLetter>, Error> {
        let mut lease = self.pool.lease().await?;
        let rows = sqlx::query(
            "SELECT dead_letter_id, event_id, reason, sqlstate, set_aside_at, event
             FROM audit_dead_letters WHERE dead_letter_id > $1 ORDER BY dead_letter_id LIMIT $2",
        )
        .bind(after.unwrap_or(0))
        .bind(i64::from(std::cmp::min(limit, Self::MAX_LIMIT)))
        .fetch_all(&mut *lease)
        .await
        .map_err(|error| convert("the dead letters cannot be listed", &error))?;
        lease.give_back();
        rows.iter().map(from_row).collect()
    }

    /// The letters that were set aside last, the newest first. The rights of the reader are enough.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn latest(&self, limit: u16) -> Result<Vec<DeadLetter>, Error> {
        let mut lease = self.pool.lease().await?;
        let rows = sqlx::query(
            "SELECT dead_letter_id, event_id, reason, sqlstate, set_aside_at, event
             FROM audit_dead_letters ORDER BY dead_letter_id DESC LIMIT $1",
        )
        .bind(i64::from(std::cmp::min(limit, Self::MAX_LIMIT)))
        .fetch_all(&mut *lease)
        .await
        .map_err(|error| convert("the dead letters cannot be listed", &error))?;
        lease.give_back();
        rows.iter().map(from_row).collect()
    }

    /// How many letters there are, counted up to `cap` and no further.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn count(&self, cap: u32) -> Result<u64, Error> {
        let mut lease = self.pool.lease().await?;
        let counted: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT FROM audit_dead_letters LIMIT $1) AS letters",
        )
        .bind(i64::from(cap))
        .fetch_one(&mut *lease)
        .await
        .map_err(|error| convert("the dead letters cannot be counted", &error))?;
        lease.give_back();
        // A count is never negative.
        Ok(counted.unsigned_abs())
    }

    /// Appends the event of a letter again; once the store has it, the letter is gone. Says what
    /// became of it: a refused one stays.
    ///
    /// # Errors
    /// There is no such letter, it holds no event, or the server cannot be reached.
    pub async fn retry(&self, number: i64) -> Result<Receipt, Error> {
        let failed = |error| convert("the dead letter cannot be tried again", &error);
        let mut lease = self.pool.lease().await?;
        let mut transaction = self.pool.begin(&mut lease).await.map_err(failed)?;
        let form: Option<String> = sqlx::query_scalar(
            "SELECT event FROM audit_dead_letters WHERE dead_letter_id = $1 FOR UPDATE",
        )
        .bind(number)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let form = form.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "there is no dead letter of this number")
        })?;
        let event = AuditEvent::from_json(&form).map_err(|error| {
            let text = "the dead letter holds no event that this version can read";
            Error::with_source(ErrorKind::Invalid, text, error)
        })?;
        let receipts = append_in_parts(self.pool, &mut transaction, &[event]).await?;
        let receipt = receipts.into_iter().next();
        let receipt =
            receipt.ok_or_else(|| Error::new(ErrorKind::Internal, "the append gave no receipt"))?;
        if receipt.is_kept() {
            delete(&mut transaction, number).await.map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
        } else {
            // The letter is there: no second one for the same refusal.
            transaction.rollback().await.map_err(failed)?;
        }
        lease.give_back();
        Ok(receipt)
    }

    /// Takes a letter out, for good; says whether there was one.
    ///
    /// # Errors
    /// The server cannot be reached, or the role is not that of the maintainer.
    pub async fn remove(&self, number: i64) -> Result<bool, Error> {
        let mut lease = self.pool.lease().await?;
        let n_removed = delete(&mut lease, number)
            .await
            .map_err(|error| convert("the dead letter cannot be removed", &error))?;
        lease.give_back();
        Ok(n_removed > 0)
    }
}

async fn delete(connection: &mut PgConnection, number: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("DELETE FROM audit_dead_letters WHERE dead_letter_id = $1")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn from_row(row: &PgRow) -> Result<DeadLetter, Error> {
    let failed = |error| convert("a dead letter cannot be read", &error);
    let event_id = row.try_get("event_id").map_err(failed)?;
    Ok(DeadLetter {
        number: row.try_get("dead_letter_id").map_err(failed)?,
        event_id: EventId::from_uuid(event_id).map_err(|error| {
            Error::with_source(ErrorKind::Corrupt, "a dead letter cannot be read", error)
        })?,
        reason: row.try_get("reason").map_err(failed)?,
        sqlstate: row.try_get("sqlstate").map_err(failed)?,
        set_aside_at: row
            .try_get("set_aside_at")
            .map(Timestamp::saturating)
            .map_err(failed)?,
        event: row.try_get("event").map_err(failed)?,
    })
}
