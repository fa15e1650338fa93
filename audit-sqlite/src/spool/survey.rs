use std::path::{Path, PathBuf};

use audit_core::Error;
use audit_core::event::Timestamp;

use super::claim::Claim;
use super::dead_letter::{self, SpooledDeadLetter};
use super::schema;
use super::sink::Spool;
use crate::error::convert;

/// A file of a spool, as somebody sees it who leaves it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolFile {
    /// The file.
    pub path: PathBuf,
    /// Whether a process has it; what waits in one that nobody has, waits for the next process that
    /// opens this spool.
    pub is_in_use: bool,
    /// Events that wait for the store.
    pub n_events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the first of their calls began.
    pub oldest: Option<Timestamp>,
    /// Calls of which the attempt is written down and the record is not.
    pub n_attempts: u64,
    /// Events that the store refused for good.
    pub n_dead_letters: u64,
}

impl Spool {
    /// The files of a spool, without taking any over; none, where there is no such folder.
    ///
    /// # Errors
    /// The folder or a file cannot be read.
    pub async fn survey(folder: &Path) -> Result<Vec<SpoolFile>, Error> {
        let mut files = Vec::new();
        if folder.exists() {
            for (path, is_in_use) in Claim::files(folder)? {
                files.push(look(path, is_in_use).await?);
            }
        }
        Ok(files)
    }
}

impl SpoolFile {
    /// Events that the store refused for good, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<SpooledDeadLetter>, Error> {
        dead_letter::list(&self.path, limit).await
    }
}

async fn look(path: PathBuf, is_in_use: bool) -> Result<SpoolFile, Error> {
    const LOOK: &str = "SELECT coalesce(sum(n_events), 0), coalesce(sum(bytes), 0), min(oldest),
        (SELECT count(*) FROM intents), (SELECT count(*) FROM dead_letters) FROM batches";
    let mut connection = schema::open_to_read(&path).await?;
    let found: Result<(i64, i64, Option<i64>, i64, i64), _> =
        sqlx::query_as(LOOK).fetch_one(&mut connection).await;
    let (n_events, bytes, oldest, n_attempts, n_dead_letters) =
        found.map_err(|error| convert("a file of the spool cannot be read", &error))?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(SpoolFile {
        path,
        is_in_use,
        n_events: count(n_events),
        bytes: count(bytes),
        oldest: oldest.and_then(|micros| Timestamp::from_micros(micros).ok()),
        n_attempts: count(n_attempts),
        n_dead_letters: count(n_dead_letters),
    })
}
