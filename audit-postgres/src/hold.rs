//! Legal holds: ranges of time whose events nobody may remove.

use audit_core::event::Timestamp;
use audit_core::{Error, ErrorKind};
use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::error::convert;
use crate::pool::Pool;

/// The holds: what [`PostgresMaintainer::holds`](crate::PostgresMaintainer::holds) hands out.
#[derive(Debug)]
pub struct Holds<'a> {
    pool: &'a Pool,
}

/// A range of time, both ends in it, whose partitions retention must not remove.
///
/// ```
/// use audit_core::event::Timestamp;
/// use audit_postgres::Hold;
///
/// // Open at its end: from that moment on.
/// let hold = Hold::new("case-17", "letter of the regulator")?
///     .since(Timestamp::from_micros(1_700_000_000_000_000)?);
/// # let _ = hold;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// By which it is released.
    pub name: String,
    /// The first moment that is held; from the beginning, if nothing is said.
    pub from: Option<Timestamp>,
    /// The last moment that is held; without an end, if nothing is said.
    pub to: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Since when, by the server's clock; nothing before it is placed.
    pub placed_at: Option<Timestamp>,
}

impl Hold {
    /// The most characters of a name.
    pub const MAX_NAME_CHARS: usize = 128;
    /// The most characters of a reason.
    pub const MAX_REASON_CHARS: usize = 1_000;

    /// A hold over all of time.
    ///
    /// # Errors
    /// The name is empty, or one of both is too long or holds a control character.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Result<Self, Error> {
        let (name, reason) = (name.into(), reason.into());
        let fits =
            |text: &str, max| text.chars().count() <= max && !text.chars().any(char::is_control);
        if name.is_empty() || !fits(&name, Self::MAX_NAME_CHARS) {
            return Err(invalid(
                "the name of a hold has 1 to 128 characters, none of them a control character",
            ));
        }
        if !fits(&reason, Self::MAX_REASON_CHARS) {
            return Err(invalid(
                "the reason of a hold has at most 1000 characters, none of them a control character",
            ));
        }
        Ok(Self {
            name,
            from: None,
            to: None,
            reason,
            placed_at: None,
        })
    }

    /// The same hold beginning with this moment.
    #[must_use]
    pub fn since(mut self, moment: Timestamp) -> Self {
        self.from = Some(moment);
        self
    }

    /// The same hold ending with this moment.
    #[must_use]
    pub fn until(mut self, moment: Timestamp) -> Self {
        self.to = Some(moment);
        self
    }
}

impl<'a> Holds<'a> {
    pub(crate) const fn new(pool: &'a Pool) -> Self {
        Self { pool }
    }

    /// Places a hold. From its `Ok` on, no partition of the range is removed, also not by a plan
    /// that was made before. The same hold again is `Ok`.
    ///
    /// # Errors
    /// The range ends before it begins, the name stands for another range, the server cannot be
    /// reached, or retention is just dropping a partition and takes long.
    pub async fn place(&self, hold: &Hold) -> Result<(), Error> {
        if matches!((hold.from, hold.to), (Some(from), Some(to)) if to < from) {
            return Err(invalid("the range of a hold ends before it begins"));
        }
        let mut lease = self.pool.lease().await?;
        let stands: Option<bool> = sqlx::query_scalar(
            "WITH placed AS (
                 INSERT INTO audit_holds (name, from_ts, to_ts, reason) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (name) DO NOTHING
                 RETURNING true AS is_placed
             )
             SELECT is_placed FROM placed
             UNION ALL
             SELECT from_ts IS NOT DISTINCT FROM $2 AND to_ts IS NOT DISTINCT FROM $3
             FROM audit_holds WHERE name = $1",
        )
        .bind(&hold.name)
        .bind(hold.from.map(Timestamp::to_datetime))
        .bind(hold.to.map(Timestamp::to_datetime))
        .bind(&hold.reason)
        .fetch_optional(&mut *lease)
        .await
        .map_err(|error| convert("the hold cannot be placed", &error))?;
        lease.give_back();
        match stands {
            Some(true) => Ok(()),
            Some(false) => Err(invalid(
                "a hold of this name is there with another range: release it first, or choose another name",
            )),
            // Somebody placed one of this name in the same moment.
            None => Err(Error::new(
                ErrorKind::Unavailable,
                "a hold of this name is just being placed: try again",
            )),
        }
    }

    /// Releases a hold; says whether there was one.
    ///
    /// # Errors
    /// The server cannot be reached, or the role is not that of the maintainer.
    pub async fn release(&self, name: &str) -> Result<bool, Error> {
        let mut lease = self.pool.lease().await?;
        let done = sqlx::query("DELETE FROM audit_holds WHERE name = $1")
            .bind(name)
            .execute(&mut *lease)
            .await
            .map_err(|error| convert("the hold cannot be released", &error))?;
        lease.give_back();
        Ok(done.rows_affected() > 0)
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run.
    pub async fn list(&self) -> Result<Vec<Hold>, Error> {
        let mut lease = self.pool.lease().await?;
        let rows = sqlx::query(
            "SELECT name, from_ts, to_ts, reason, placed_at FROM audit_holds ORDER BY name",
        )
        .fetch_all(&mut *lease)
        .await;
        let holds = rows
            .and_then(|rows| rows.iter().map(from_row).collect())
            .map_err(|error| convert("the holds cannot be listed", &error))?;
        lease.give_back();
        Ok(holds)
    }
}

fn from_row(row: &PgRow) -> Result<Hold, sqlx::Error> {
    let moment = |column| {
        row.try_get::<Option<DateTime<Utc>>, _>(column)
            .map(|moment| moment.map(Timestamp::saturating))
    };
    Ok(Hold {
        name: row.try_get("name")?,
        from: moment("from_ts")?,
        to: moment("to_ts")?,
        reason: row.try_get("reason")?,
        placed_at: moment("placed_at")?,
    })
}

fn invalid(text: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, text)
}
