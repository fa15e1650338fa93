use std::io;
use std::path::{Path, PathBuf};

use audit_core::event::Timestamp;

use super::book::TokenBook;
use super::name::TokenName;
use super::private_file::{Edition, PrivateFile};
use super::scope::Scopes;
use super::secret::Secret;
use super::token::Token;

/// The file that holds the digests of tokens: readable for its owner alone, replaced as a whole.
///
/// Every method reads or writes the disk and blocks for that long.
#[derive(Clone, Debug)]
pub struct TokenFile {
    file: PrivateFile,
}

impl TokenFile {
    /// The file at this path, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            file: PrivateFile::at(path),
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What it says; a file that is not there holds no tokens.
    ///
    /// # Errors
    /// The file cannot be read, others may write to it, or it says something else.
    pub fn load(&self) -> io::Result<TokenBook> {
        match self.file.read()? {
            Some(json) => TokenBook::from_json(&json)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            None => Ok(TokenBook::default()),
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
        self.file.edition()
    }

    /// Reads, changes and replaces the file, while nobody else does.
    fn change<T>(&self, change: impl FnOnce(&mut TokenBook) -> io::Result<T>) -> io::Result<T> {
        let _lock = self.file.lock()?;
        let mut book = self.load()?;
        let changed = change(&mut book)?;
        self.file.replace(&book.to_json()?)?;
        Ok(changed)
    }
}
