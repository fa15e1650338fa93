//! The file of a store, and those beside it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use audit_core::{Error, ErrorKind};

/// The path of a database, without links in it.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
}

/// Which file stands under a path, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl DatabaseFile {
    /// Follows the links of a path. Whoever sets a file aside must move the file itself.
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let found = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::in_folder(path),
            found => found,
        };
        let path = found.map_err(|error| {
            failed(
                "the folder of the file cannot be entered: is it there?",
                error,
            )
        })?;
        if path.to_str().is_none() {
            let text = "the path of the file is not UTF-8, which SQLite wants";
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        Ok(Self { path })
    }

    fn in_folder(path: &Path) -> io::Result<PathBuf> {
        let absolute = std::path::absolute(path)?;
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        Ok(fs::canonicalize(folder)?.join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path with something behind its name.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.path, suffix)
    }

    /// Makes an empty file for its owner alone, unless there is one. SQLite gives its own files the
    /// same rights.
    ///
    /// A file that is there is not opened: to close it again would take SQLite's locks off it,
    /// wherever in this process they are held.
    pub(crate) fn create_if_missing(&self) -> Result<(), Error> {
        let made = for_owner(OpenOptions::new().write(true).create_new(true)).open(&self.path);
        match made {
            Ok(file) => {
                drop(file);
                self.sync_folder()
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed("the file cannot be made", error)),
        }
    }

    /// Makes what happened to names survive the loss of power.
    pub(crate) fn sync_folder(&self) -> Result<(), Error> {
        let synced = match self.path.parent() {
            Some(folder) if cfg!(unix) => File::open(folder).and_then(|folder| folder.sync_all()),
            _ => Ok(()),
        };
        synced.map_err(|error| failed("the folder of the file cannot be flushed", error))
    }

    /// Which file it is now.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        let metadata = fs::metadata(&self.path)?;
        Ok(Identity::of(&metadata))
    }

    /// Whether there is a log with events in it, and no database that it belongs to. SQLite would
    /// delete it.
    pub(crate) fn is_log_alone(&self) -> bool {
        let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        length(&self.path) == 0 && length(&self.beside("-wal")) > 0
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// Where a file that is open cannot be moved, its name tells.
    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Self {
        Self {}
    }
}

/// The same options, for a file that only its owner may read.
pub(crate) fn for_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

pub(crate) fn failed(text: &'static str, error: io::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, text, error)
}
