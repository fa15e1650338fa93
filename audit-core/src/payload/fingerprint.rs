//! Keyed fingerprints: "was it this token?" can be asked without seeing one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::authorization;
use super::encodings::{LOWER, hex};

/// Rules whose values can be guessed: a fingerprint would let anybody with the key try them out.
const GUESSABLE: &[&str] = &[
    "credential",
    "cvv",
    "dsn",
    "operator_key",
    "otp",
    "oversized_key",
    "password",
    "path",
    "unpaired_value",
    "url_userinfo",
];

/// What is shorter can be guessed whatever it is.
const MIN_BYTES: usize = 16;

/// The deployment's key, with a name by which it is known later.
#[derive(Clone)]
pub(super) struct Fingerprints {
    id: Box<str>,
    mac: Hmac<Sha256>,
}

impl Fingerprints {
    pub(super) fn new(id: &str, key: &[u8]) -> Option<Self> {
        let mac = Hmac::new_from_slice(key).ok()?;
        Some(Self { id: id.into(), mac })
    }

    /// `<key id>=<16 hexadecimal digits>`, bound to the rule; none for what can be guessed.
    pub(super) fn of(&self, rule: &str, value: &[u8]) -> Option<String> {
        if GUESSABLE.contains(&rule) || value.len() < MIN_BYTES {
            return None;
        }
        if rule == authorization::RULE && authorization::is_basic(value) {
            return None;
        }
        let mut mac = self.mac.clone();
        for part in [
            &b"audit payload fingerprint 1"[..],
            b"\0",
            rule.as_bytes(),
            b"\0",
            value,
        ] {
            mac.update(part);
        }
        let tag = mac.finalize().into_bytes();
        let digits = hex(&tag[..8], "", LOWER);
        Some(format!("{}={}", self.id, String::from_utf8_lossy(&digits)))
    }
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprints")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
