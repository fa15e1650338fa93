use std::error::Error;

use audit_core::event::Timestamp;
use audit_core::reader::moment;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::name::TokenName;
use super::scope::Scope;
use super::token::Token;

/// The tokens that were ever made, in that order. Names are never used again: they stand in
/// records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenBook {
    tokens: Vec<Token>,
}

/// The form of the file, so that a later one can be told apart.
const FORM: u32 = 1;

impl TokenBook {
    /// The tokens, in the order in which they were made.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The token of this name.
    #[must_use]
    pub fn named(&self, name: &TokenName) -> Option<&Token> {
        self.tokens.iter().find(|token| token.name == *name)
    }

    /// Adds a token, unless its name was used before.
    #[must_use]
    pub(super) fn add(&mut self, token: Token) -> bool {
        let is_new = self.named(&token.name).is_none();
        if is_new {
            self.tokens.push(token);
        }
        is_new
    }

    /// Takes a token back; gives back since when it is, if there is such a token.
    pub(super) fn revoke(&mut self, name: &TokenName, now: Timestamp) -> Option<Timestamp> {
        let mut tokens = self.tokens.iter_mut();
        let token = tokens.find(|token| token.name == *name)?;
        Some(*token.revoked.get_or_insert(now))
    }

    /// The token with this digest. Every token is looked at, so that the time says nothing.
    pub(crate) fn find(&self, digest: Digest) -> Option<&Token> {
        let tokens = self.tokens.iter();
        tokens.fold(None, |found, token| {
            let is_it = token.digest == digest;
            if is_it { Some(token) } else { found }
        })
    }

    pub(super) fn to_json(&self) -> Result<String, serde_json::Error> {
        let tokens = self.tokens.iter().map(Line::of).collect();
        let file = File { form: FORM, tokens };
        serde_json::to_string_pretty(&file).map(|json| json + "\n")
    }

    pub(super) fn from_json(json: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let file: File = serde_json::from_str(json)?;
        if file.form != FORM {
            let text = format!("form {} of the file is not known, only {FORM}", file.form);
            return Err(text.into());
        }
        let mut book = Self::default();
        for line in file.tokens {
            let name = line.name.clone();
            if !book.add(line.token()?) {
                return Err(format!("the name {name} stands there twice").into());
            }
        }
        Ok(book)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    form: u32,
    tokens: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    sha256: String,
    scopes: Vec<String>,
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
}

impl Line {
    fn of(token: &Token) -> Self {
        Self {
            name: token.name.to_string(),
            sha256: token.digest.to_string(),
            scopes: token.scopes.iter().map(|scope| scope.to_string()).collect(),
            created: token.created.to_string(),
            expires: token.expires.as_ref().map(ToString::to_string),
            revoked: token.revoked.as_ref().map(ToString::to_string),
        }
    }

    fn token(&self) -> Result<Token, Box<dyn Error + Send + Sync>> {
        let name = &self.name;
        let digest = Digest::from_hex(&self.sha256)
            .ok_or_else(|| format!("the sha256 of {name} is not 64 digits of hex"))?;
        let scopes = self.scopes.iter().map(|word| word.parse::<Scope>());
        let created = read_moment(&self.created)?;
        let mut token = Token::new(
            TokenName::new(&self.name)?,
            scopes.collect::<Result<_, _>>()?,
            digest,
            created,
        );
        token.expires = self.expires.as_deref().map(read_moment).transpose()?;
        token.revoked = self.revoked.as_deref().map(read_moment).transpose()?;
        Ok(token)
    }
}

/// A moment as [`Timestamp`] writes it. What is relative to now has no place in a file.
fn read_moment(text: &str) -> Result<Timestamp, Box<dyn Error + Send + Sync>> {
    let no_moment = || format!("`{text}` is no moment like 2026-03-01T12:00:00Z");
    let read = moment(text, Timestamp::MIN).map_err(|_| no_moment())?;
    let is_absolute = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('T');
    if is_absolute {
        Ok(read)
    } else {
        Err(no_moment().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment_of(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000 + 7).unwrap()
    }

    fn token(name: &str, secret: &str) -> Token {
        let scopes = [Scope::Viewer, Scope::Ingest].into_iter().collect();
        let name = TokenName::new(name).unwrap();
        Token::new(name, scopes, Digest::of(secret), moment_of(1))
    }

    #[test]
    fn a_book_is_read_as_it_was_written() {
        let mut book = TokenBook::default();
        assert!(book.add(token("a", "x").expires(Some(moment_of(9)))));
        assert!(book.add(token("b", "y")));
        assert!(!book.add(token("a", "z")), "a name is used once");
        let name = TokenName::new("b").unwrap();
        assert_eq!(book.revoke(&name, moment_of(3)), Some(moment_of(3)));
        assert_eq!(book.revoke(&name, moment_of(4)), Some(moment_of(3)));
        let json = book.to_json().unwrap();
        assert_eq!(TokenBook::from_json(&json).unwrap(), book);
        assert_eq!(book.find(Digest::of("y")).unwrap().name, name);
        assert!(book.find(Digest::of("z")).is_none());
    }

    #[test]
    fn a_book_that_says_something_else_is_refused() {
        let mut book = TokenBook::default();
        assert!(book.add(token("a", "x")));
        let json = book.to_json().unwrap();
        for (from, to) in [
            ("\"form\": 1", "\"form\": 2"),
            ("\"a\"", "\"-a\""),
            ("viewer", "root"),
            ("1970-01-01T00:00:01.000007Z", "yesterday"),
        ] {
            assert!(json.contains(from), "{json}");
            let broken = json.replace(from, to);
            assert!(TokenBook::from_json(&broken).is_err(), "{broken}");
        }
    }
}
