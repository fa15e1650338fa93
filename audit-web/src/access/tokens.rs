use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use audit_core::event::Timestamp;

use super::book::TokenBook;
use super::digest::Digest;
use super::file::TokenFile;
use super::private_file::Edition;
use super::token::Token;

/// The tokens that a server knows: those of its file, which it reads again whenever the file
/// changes, and those that live as long as the server does.
#[derive(Debug, Default)]
pub struct Tokens {
    file: Option<TokenFile>,
    read: Mutex<Read>,
    temporary: RwLock<TokenBook>,
}

/// What was read of the file, and of which edition of it.
#[derive(Debug, Default)]
struct Read {
    edition: Option<Edition>,
    book: Arc<TokenBook>,
}

impl Tokens {
    /// None yet, and no file.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Those of a file.
    #[must_use]
    pub fn of_file(file: TokenFile) -> Self {
        Self {
            file: Some(file),
            ..Self::default()
        }
    }

    /// Adds a token that ends with the server; gives back whether its name was new.
    pub fn add(&self, token: Token) -> bool {
        let mut temporary = self
            .temporary
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        temporary.add(token)
    }

    /// Takes back a token that was [added](Self::add); gives back whether there was one.
    pub fn revoke(&self, name: &super::TokenName, now: Timestamp) -> bool {
        let mut temporary = self
            .temporary
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        temporary.revoke(name, now).is_some()
    }

    /// The valid token with this digest. A file that cannot be read lets nobody in.
    ///
    /// # Errors
    /// The file changed and cannot be read.
    pub(crate) fn valid(&self, digest: Digest, now: Timestamp) -> io::Result<Option<Token>> {
        let temporary = self
            .temporary
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let of_file = self.of_the_file()?;
        let found = of_file.find(digest).or_else(|| temporary.find(digest));
        Ok(found.filter(|token| token.is_valid(now)).cloned())
    }

    /// Whether any token lets somebody in at this moment.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn has_valid(&self, now: Timestamp) -> io::Result<bool> {
        let temporary = self
            .temporary
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let of_file = self.of_the_file()?;
        let mut all = of_file.tokens().iter().chain(temporary.tokens());
        Ok(all.any(|token| token.is_valid(now)))
    }

    /// What the file says now. To look whether it changed costs microseconds; so a token that was
    /// taken back is refused from the next request on.
    fn of_the_file(&self) -> io::Result<Arc<TokenBook>> {
        let Some(file) = &self.file else {
            return Ok(Arc::default());
        };
        let edition = file.edition()?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.edition != edition {
            // The edition is the one before reading: what changes meanwhile is read once more.
            read.book = Arc::new(file.load()?);
            read.edition = edition;
        }
        Ok(Arc::clone(&read.book))
    }
}
