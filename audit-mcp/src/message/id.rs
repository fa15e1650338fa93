use std::fmt;
use std::sync::Arc;

use audit_core::event::RequestId;

use crate::digest::Fingerprint;
use crate::json;

/// An id, as far as it says which answer belongs to which request. Two are equal if a parser
/// behind the gateway may take them for equal: `1` is `1.0`, and is not `"1"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    kind: Kind,
    text: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// A number that every parser reads alike.
    Integer,
    /// What is allowed for no id, or not read alike by all: a fraction, a number that is too big,
    /// `null`, an object.
    Other,
    String,
}

/// The largest integer up to which a float is exact: 2⁵³ − 1.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// The longest id of which the text is kept. Of a longer one the digest stands for it.
const MAX_ID_BYTES: usize = 256;

impl MessageId {
    /// Takes an id from its JSON.
    #[must_use]
    pub fn of_json(json: &str) -> Self {
        if let Some(text) = json::text(json) {
            return Self::new(Kind::String, &text);
        }
        match safe_integer(json) {
            Some(number) => Self::new(Kind::Integer, &number.to_string()),
            None => Self::new(Kind::Other, json),
        }
    }

    /// A string as id.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self::new(Kind::String, text)
    }

    /// A number as id.
    #[must_use]
    pub fn number(number: i64) -> Self {
        Self::of_json(&number.to_string())
    }

    /// The id for the record. A number and a string of the same digits look alike there.
    #[must_use]
    pub fn to_request_id(&self) -> RequestId {
        RequestId::lossy(&self.text)
    }

    /// Whether the protocol allows it and every parser reads it alike.
    pub(super) fn is_proper(&self) -> bool {
        self.kind != Kind::Other
    }

    fn new(kind: Kind, text: &str) -> Self {
        let text = if text.len() > MAX_ID_BYTES {
            format!("sha256:{}", Fingerprint::of(text.as_bytes()).sha256).into()
        } else {
            text.into()
        };
        Self { kind, text }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An integer in any spelling (`1`, `1.0`, `1e0`) that a float holds exactly.
fn safe_integer(json: &str) -> Option<i64> {
    let is_safe = |number: &i64| (-MAX_SAFE..=MAX_SAFE).contains(number);
    if let Ok(number) = json.parse::<i64>() {
        return Some(number).filter(is_safe);
    }
    let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let number: f64 = Some(json).filter(|_| is_number)?.parse().ok()?;
    // The text of a float without a fraction is an integer's.
    let is_integer = number.fract() == 0.0;
    let text = is_integer.then(|| format!("{number:.0}"))?;
    text.parse().ok().filter(is_safe)
}
