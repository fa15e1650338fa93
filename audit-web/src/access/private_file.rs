use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A small file that its owner alone may read, replaced as a whole.
#[derive(Clone, Debug)]
pub(super) struct PrivateFile {
    path: PathBuf,
}

/// By what a change of the file is noticed: writers put a new file in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edition {
    modified: std::time::SystemTime,
    n_bytes: u64,
    inode: u64,
}

impl PrivateFile {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, if it is there.
    ///
    /// # Errors
    /// It cannot be read, or others than its owner may use it.
    pub(super) fn read(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                check_private(&self.path)?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By what a later change is noticed; `None` while there is no file.
    pub(super) fn edition(&self) -> io::Result<Option<Edition>> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(Edition {
                modified: metadata.modified()?,
                n_bytes: metadata.len(),
                inode: inode(&metadata),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps all others who ask for it waiting until the answer is dropped.
    pub(super) fn lock(&self) -> io::Result<File> {
        let lock = private()
            .create(true)
            .truncate(false)
            .open(self.beside("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Readers see the old file or the new one, also if the machine stops in between.
    pub(super) fn replace(&self, text: &str) -> io::Result<()> {
        let draft = self.beside("new");
        let mut file = private().create(true).truncate(true).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        sync_folder(&self.path)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        self.path.with_file_name(name)
    }

    /// It is not there any more.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.path),
        }
    }
}

/// Opens files for their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whoever can write the file can let himself in; whoever can read it learns names and digests.
#[cfg(unix)]
fn check_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let text = format!(
        "others than its owner may use it (mode {:03o}): chmod 600 {}",
        mode & 0o777,
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// The new name is on the disk as well.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        #[cfg(unix)]
        _ => File::open(".")?.sync_all(),
        #[cfg(not(unix))]
        _ => Ok(()),
    }
}
