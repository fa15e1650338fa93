use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much of a payload was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// All of it.
    Full,
    /// Its beginning.
    Partial,
}

/// What was done to a payload: the truth that stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PayloadReport {
    /// Bytes that came in.
    pub original_bytes: u64,
    /// Redactions by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<Box<str>, u32>,
    /// How much was looked at.
    pub coverage: Coverage,
}

impl PayloadReport {
    pub(super) fn new(original_bytes: u64) -> Self {
        Self {
            original_bytes,
            redactions: BTreeMap::new(),
            coverage: Coverage::Partial,
        }
    }
}
