//! Who has a file open.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::Duration;

use audit_core::{Error, ErrorKind};
use tokio::time::{Instant, sleep};

use crate::file::{DatabaseFile, failed, for_owner};

/// A lock on the file `…-lock`: shared by all who write to the database, exclusive for who sets it
/// aside. It ends with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

const PAUSE: Duration = Duration::from_millis(10);
const LOCKING: &str = "the file cannot be locked";

impl Lock {
    /// The lock of who uses the database.
    pub(crate) async fn shared(file: &DatabaseFile, patience: Duration) -> Result<Self, Error> {
        let lock = Self::open(file)?;
        lock.share(patience).await?;
        Ok(lock)
    }

    /// The lock of who sets the database aside.
    pub(crate) async fn exclusive(file: &DatabaseFile, patience: Duration) -> Result<Self, Error> {
        let lock = Self::open(file)?;
        let is_locked = until(patience, || lock.file.try_lock()).await?;
        if is_locked {
            return Ok(lock);
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "the file is damaged, and another process has it open: end that one, and this one can \
             set it aside and begin a new one",
        ))
    }

    /// Lets others use the database too.
    pub(crate) async fn into_shared(self, patience: Duration) -> Result<Self, Error> {
        self.file.unlock().map_err(|error| failed(LOCKING, error))?;
        self.share(patience).await?;
        Ok(self)
    }

    fn open(file: &DatabaseFile) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = for_owner(&mut options).open(file.beside("-lock"));
        let file = file.map_err(|error| {
            failed(
                "the lock beside the file cannot be opened: check the rights of the folder",
                error,
            )
        })?;
        Ok(Self { file })
    }

    async fn share(&self, patience: Duration) -> Result<(), Error> {
        if until(patience, || self.file.try_lock_shared()).await? {
            return Ok(());
        }
        let text = "another process is setting the file aside: try again";
        Err(Error::new(ErrorKind::Unavailable, text))
    }
}

/// Tries until it succeeds; says whether it did in time.
async fn until(
    patience: Duration,
    try_once: impl Fn() -> Result<(), TryLockError>,
) -> Result<bool, Error> {
    let end = Instant::now() + patience;
    loop {
        match try_once() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(failed(LOCKING, error)),
        }
    }
}
