use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much of a payload was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// All of it went past the rules.
    Full,
    /// Something was left out unseen. Also what a report of a later version means that says it in
    /// a word unknown here.
    #[default]
    #[serde(other)]
    Partial,
}

/// How much of a payload is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PayloadLevel {
    /// Redacted and bounded content.
    #[default]
    Full,
    /// Its size alone.
    Metadata,
    /// Nothing, not even its size. Also a word unknown here.
    #[serde(other)]
    Off,
}

/// Why a payload is not, or not wholly, what came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PayloadFailure {
    /// The JSON ended in the middle; its beginning is kept.
    Incomplete,
    /// The value's own `Serialize` panicked; what it had said before is kept.
    Panicked,
    /// A credential of the caller was found after redaction, so nothing is kept.
    Withheld,
    /// It was not JSON; nothing of it is kept.
    Unparseable,
    /// The value's own `Serialize` failed; what it had said before is kept.
    Unserializable,
    /// A word of a later version.
    #[serde(other)]
    Unknown,
}

/// What was done to a payload: the truth that stands beside it.
///
/// Reading is tolerant: unknown fields are passed over and missing ones are empty, so that reports
/// of older and newer versions stay readable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PayloadReport {
    /// Bytes that came in.
    pub original_bytes: u64,
    /// Bytes of them that were looked at.
    pub scanned_bytes: u64,
    /// Something was cut away by size.
    pub truncated: bool,
    /// Redactions by rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<Box<str>, u32>,
    /// Characters that no store takes (U+0000, lone surrogates, invalid UTF-8), each replaced by
    /// U+FFFD.
    pub replaced_characters: u32,
    /// How much was looked at.
    pub coverage: Coverage,
    /// How much was to be kept.
    pub level: PayloadLevel,
    /// What went wrong, if anything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<PayloadFailure>,
}

impl PayloadReport {
    /// Redactions of all rules together.
    #[must_use]
    pub fn n_redactions(&self) -> u64 {
        self.redactions.values().copied().map(u64::from).sum()
    }
}
