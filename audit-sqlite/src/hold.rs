//! Legal holds: ranges of time whose events nobody may remove.

use audit_core::event::Timestamp;
use audit_core::{Error, ErrorKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::error::convert;
use crate::reader::Sql;
use crate::store::SqliteStore;

/// The holds: what [`SqliteStore::holds`](crate::SqliteStore::holds) hands out.
#[derive(Debug)]
pub struct Holds<'a> {
    store: &'a SqliteStore,
}

/// A range of time, both ends in it, whose events retention must not remove.
///
/// ```
/// use audit_core::event::Timestamp;
/// use audit_sqlite::Hold;
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
    /// Since when; nothing before it is placed.
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
    pub(crate) const fn new(store: &'a SqliteStore) -> Self {
        Self { store }
    }

    /// Places a hold. From its `Ok` on, no event of the range is removed, also not by a plan that
    /// was made before. The same hold again is `Ok`.
    ///
    /// # Errors
    /// The range ends before it begins, the name stands for another range, or the file cannot be
    /// written to.
    ///
    /// # Cancel safety
    /// Dropped half-way, the hold is placed or not.
    pub async fn place(&self, hold: &Hold) -> Result<(), Error> {
        if matches!((hold.from, hold.to), (Some(from), Some(to)) if to < from) {
            return Err(invalid("the range of a hold ends before it begins"));
        }
        let hold = hold.clone();
        let place = self.store.writer().run(move |connection, now| {
            Box::pin(async move { place(connection, &hold, now).await })
        });
        if place.await? {
            return Ok(());
        }
        Err(invalid(
            "a hold of this name is there with another range: release it first, or choose another name",
        ))
    }

    /// Releases a hold; says whether there was one.
    ///
    /// # Errors
    /// The file cannot be written to.
    ///
    /// # Cancel safety
    /// Dropped half-way, the hold is released or not.
    pub async fn release(&self, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        let release = self.store.writer().run(|connection, _| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM audit_holds WHERE name = ?")
                    .bind(name)
                    .execute(connection)
                    .await
                    .map_err(|error| convert("the hold cannot be released", &error))?;
                Ok(done.rows_affected() > 0)
            })
        });
        release.await
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn list(&self) -> Result<Vec<Hold>, Error> {
        let sql = Sql::new(
            "SELECT name, from_ts, to_ts, reason, placed_at FROM audit_holds ORDER BY name",
        );
        let rows = self.store.reader().rows(sql).await?;
        rows.iter().map(from_row).collect()
    }
}

/// Says whether a hold of this name and range is there now.
async fn place(
    connection: &mut SqliteConnection,
    hold: &Hold,
    now: Timestamp,
) -> Result<bool, Error> {
    let failed = |error| convert("the hold cannot be placed", &error);
    let (from, to) = (
        hold.from.map(Timestamp::as_micros),
        hold.to.map(Timestamp::as_micros),
    );
    sqlx::query(
        "INSERT INTO audit_holds (name, from_ts, to_ts, reason, placed_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&hold.name)
    .bind(from)
    .bind(to)
    .bind(&hold.reason)
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    sqlx::query_scalar("SELECT from_ts IS ? AND to_ts IS ? FROM audit_holds WHERE name = ?")
        .bind(from)
        .bind(to)
        .bind(&hold.name)
        .fetch_one(connection)
        .await
        .map_err(failed)
}

pub(crate) fn from_row(row: &SqliteRow) -> Result<Hold, Error> {
    let failed = |error| convert("a hold cannot be read", &error);
    let moment = |column| {
        let micros: Option<i64> = row.try_get(column).map_err(failed)?;
        let moment = micros.map(Timestamp::from_micros).transpose();
        moment
            .map_err(|error| Error::with_source(ErrorKind::Corrupt, "a hold cannot be read", error))
    };
    Ok(Hold {
        name: row.try_get("name").map_err(failed)?,
        from: moment("from_ts")?,
        to: moment("to_ts")?,
        reason: row.try_get("reason").map_err(failed)?,
        placed_at: moment("placed_at")?,
    })
}

fn invalid(text: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, text)
}
