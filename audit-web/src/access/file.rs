use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use audit_core::event::Timestamp;

use super::book::TokenBook;
use super::name::TokenName;
use super::scope::Scopes;
use super::secret::Secret;
use super::token::Token;

/// The file that holds the digests of tokens: readable for its owner alone, replaced as a whole.
///
/// Every method reads or writes the disk and blocks for that long.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// By what a change of the file is noticed: writers put a new file in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edition {
    modified: std::time::SystemTime,
    n_bytes: u64,
    inode: u64,
}

impl TokenFile {
    /// The file at this path, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; a file that is not there holds no tokens.
    ///
    /// # Errors
    /// The file cannot be read, others may write to it, or it says something else.
    pub fn load(&self) -> io::Result<TokenBook> {
        match fs::read_to_string(&self.path) {
            Ok(json) => {
                check_private(&self.path)?;
                TokenBook::from_json(&json)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(TokenBook::default()),
            Err(error) => Err(error),
        }
    }

    /// Makes a token, and gives back what its holder has to present: it cannot be shown again.
    ///
    /// # Errors
    /// The name was used before ([`AlreadyExists`](io::ErrorKind::AlreadyExists)), or the file
    /// cannot be read or written.
    pub fn create(
        &self,
        name: TokenName,
        scopes: Scopes,
        now: Timestamp,
        expires: Option<Timestamp>,
    ) -> io::Result<Secret> {
        let secret = Secret::random();
        let token = Token::new(name, scopes, secret.digest(), now).expires(expires);
        self.change(|book| {
            if book.add(token) {
                return Ok(secret);
            }
            let text = "there is, or was, a token of this name";
            Err(io::Error::new(io::ErrorKind::AlreadyExists, text))
        })
    }

    /// Takes a token back, and gives back since when it is.
    ///
    /// # Errors
    /// There is no token of this name ([`NotFound`](io::ErrorKind::NotFound)), or the file cannot
    /// be read or written.
    pub fn revoke(&self, name: &TokenName, now: Timestamp) -> io::Result<Timestamp> {
        self.change(|book| {
            let text = "there is no token of this name";
            book.revoke(name, now)
                .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, text))
        })
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

    /// Reads, changes and replaces the file, while nobody else does.
    fn change<T>(&self, change: impl FnOnce(&mut TokenBook) -> io::Result<T>) -> io::Result<T> {
        let lock = private()
            .create(true)
            .truncate(false)
            .open(self.beside("lock"))?;
        lock.lock()?;
        let mut book = self.load()?;
        let changed = change(&mut book)?;
        self.replace(&book.to_json()?)?;
        Ok(changed)
    }

    /// Readers see the old file or the new one, also if the machine stops in between.
    fn replace(&self, json: &str) -> io::Result<()> {
        let draft = self.beside("new");
        let mut file = private().create(true).truncate(true).open(&draft)?;
        file.write_all(json.as_bytes())?;
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
