use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use audit_core::event::{ApiKeyId, Role};
use rand::Rng as _;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::ConfigError;

/// A key as it is stored.
type Hash = [u8; 32];

/// Who called, once a key was recognized.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) key: ApiKeyId,
    pub(crate) role: Role,
}

/// The API keys, as hashes: the keys themselves are nowhere.
///
/// A key has 256 random bits, so a fast hash is enough: nobody can try them all. It is looked up
/// by its hash, which a caller cannot choose, so the time that takes tells nothing of another key.
#[derive(Clone, Default)]
pub struct ApiKeys {
    callers: Arc<HashMap<Hash, Caller>>,
}

/// `keys.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    id: String,
    role: String,
    sha256: String,
}

impl ApiKeys {
    /// Reads `keys.toml`.
    ///
    /// ```toml
    /// [[key]]
    /// id = "k_reports"      # the name of the key, which is on record
    /// role = "reader"
    /// sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    /// ```
    ///
    /// # Errors
    /// The text is no TOML, a name is empty, too long or looks like a key, or a hash is none.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: KeysFile = toml::from_str(text).map_err(ConfigError::new)?;
        let callers: Result<_, _> = file.key.iter().map(KeyEntry::read).collect();
        Ok(Self {
            callers: Arc::new(callers?),
        })
    }

    /// The caller of a key.
    pub(crate) fn recognize(&self, presented: &str) -> Option<&Caller> {
        self.callers.get(&hash(presented))
    }
}

impl KeyEntry {
    fn read(&self) -> Result<(Hash, Caller), ConfigError> {
        let caller = Caller {
            key: ApiKeyId::new(&self.id).map_err(ConfigError::new)?,
            role: Role::new(&self.role).map_err(ConfigError::new)?,
        };
        let hash = from_hex(&self.sha256).ok_or_else(|| {
            ConfigError::new(format_args!("`sha256` of the key `{}` is no hash", self.id))
        })?;
        Ok((hash, caller))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.callers.values().map(|caller| caller.key.as_str()))
            .finish()
    }
}

/// A new key, to be shown once.
#[must_use]
pub fn new_key() -> String {
    let mut bits = Hash::default();
    rand::rng().fill_bytes(&mut bits);
    format!("gw_{}", hex(&bits))
}

/// What `keys.toml` holds of a key.
#[must_use]
pub fn hash_of(key: &str) -> String {
    hex(&hash(key))
}

fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes whatever is written to it.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Hash> {
    let digit = |place: usize| text.get(place..place + 2);
    let byte = |place: usize| u8::from_str_radix(digit(place)?, 16).ok();
    let bytes: Vec<u8> = (0..32).map_while(|n| byte(2 * n)).collect();
    bytes.try_into().ok().filter(|_| text.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sha256: &str) -> String {
        format!("[[key]]\nid = 'k_1'\nrole = 'reader'\nsha256 = '{sha256}'\n")
    }

    #[test]
    fn only_the_key_of_the_hash_is_recognized() {
        let key = new_key();
        let keys = ApiKeys::from_toml(&file(&hash_of(&key))).unwrap();
        assert_eq!(keys.recognize(&key).unwrap().key.as_str(), "k_1");
        for wrong in [
            &new_key(),
            "",
            &key[1..],
            &hash_of(&key),
            &key.to_uppercase(),
        ] {
            assert!(keys.recognize(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{keys:?}").contains(&hash_of(&key)));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let right = hash_of("a key");
        for wrong in [
            "",
            "abc",
            &right[1..],
            &format!("{right}00"),
            &right.replace('a', "x"),
        ] {
            let error = ApiKeys::from_toml(&file(wrong)).unwrap_err();
            assert_eq!(error.to_string(), "`sha256` of the key `k_1` is no hash");
        }
    }
}
