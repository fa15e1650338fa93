use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use audit_core::{Error, ErrorKind};
use uuid::Uuid;

use crate::file::{DatabaseFile, failed, for_owner, with_suffix};

/// A file of a spool that belongs to this value and to nobody else.
///
/// The lock on the file beside it ends with the process that holds it, however that ends: that is
/// how another one knows that it may take the file over.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    _lock: File,
}

const PREFIX: &str = "spool-";
const SUFFIX: &str = ".db";
const LOCK: &str = "-lock";
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

impl Claim {
    /// A file that does not exist yet.
    pub(super) fn new_file(folder: &Path) -> Result<Self, Error> {
        let name = Uuid::from_u128(rand::random()).simple().to_string();
        let path = folder.join(format!("{PREFIX}{name}{SUFFIX}"));
        let claim = Self::take(path)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "a new file of the spool was locked by somebody else",
            )
        })?;
        // SQLite gives its log the rights of the database.
        let file = DatabaseFile::new(&claim.path)?;
        file.create_if_missing()?;
        file.sync_folder()?;
        Ok(claim)
    }

    /// The files of processes that have died, the largest first.
    pub(super) fn orphans(folder: &Path) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        for path in databases(folder)? {
            if let Some(claim) = Self::take(path)? {
                // It may have been taken over and removed since the folder was read.
                if claim.path.exists() {
                    found.push(claim);
                } else {
                    claim.remove();
                }
            }
        }
        found.sort_by_key(|claim| std::cmp::Reverse(claim.bytes()));
        Ok(found)
    }

    /// The files of a folder, and whether somebody has them. Each lock that is free is held for a
    /// moment, in which nobody else can take the file over.
    pub(super) fn files(folder: &Path) -> Result<Vec<(PathBuf, bool)>, Error> {
        let mut paths = databases(folder)?;
        paths.sort();
        let files = paths.into_iter().map(|path| {
            let is_in_use = Self::take(path.clone())?.is_none();
            Ok((path, is_in_use))
        });
        files.collect()
    }

    /// The database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, of which the content is elsewhere now. What cannot be removed is found
    /// again, and its events are stored once all the same.
    ///
    /// The database goes first: without its log it would say what was true a while ago, such as
    /// that a call is open which has ended. A log without a database says nothing to anybody.
    pub(super) fn remove(self) {
        drop(fs::remove_file(&self.path));
        for companion in COMPANIONS {
            drop(fs::remove_file(with_suffix(&self.path, companion)));
        }
        drop(fs::remove_file(with_suffix(&self.path, LOCK)));
    }

    /// `None` if somebody else has it.
    fn take(path: PathBuf) -> Result<Option<Self>, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let lock = for_owner(&mut options).open(with_suffix(&path, LOCK));
        let lock = lock.map_err(|error| {
            failed(
                "a lock of the spool cannot be opened: check the rights of its folder",
                error,
            )
        })?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(failed("a file of the spool cannot be locked", error))
            }
        }
    }

    fn bytes(&self) -> u64 {
        let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        length(&self.path) + length(&with_suffix(&self.path, COMPANIONS[0]))
    }
}

/// The databases in a folder.
fn databases(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let looking = |error| failed("the spool cannot be looked through", error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(looking)? {
        let entry = entry.map_err(looking)?;
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if is_ours {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Makes the folder of a spool, for its owner alone.
pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.map_err(|error| failed("the folder of the spool cannot be made", error))
}
