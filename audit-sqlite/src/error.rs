use std::error::Error as StdError;
use std::fmt;

use audit_core::{Error, ErrorKind};

use crate::result_code;

/// What SQLite answered, without its own text, which may quote what a row holds.
#[derive(Debug)]
pub(crate) struct ResultError {
    code: i32,
}

impl ResultError {
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        let code = error.as_database_error()?.code()?.parse().ok()?;
        Some(Self { code })
    }

    /// The extended result code.
    pub(crate) fn code(&self) -> i32 {
        self.code
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        result_code::meaning(self.code).0
    }

    pub(crate) fn is_damage(&self) -> bool {
        result_code::is_damage(self.code)
    }
}

impl fmt::Display for ResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = result_code::meaning(self.code).1;
        write!(f, "{meaning} (SQLite code {})", self.code)
    }
}

impl StdError for ResultError {}

/// What went wrong on the way to SQLite: no text of it comes from a row.
#[derive(Debug)]
struct DriverError(Box<str>);

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for DriverError {}

/// Says what failed, and whether to try again, by result code and kind alone.
pub(crate) fn convert(doing: &'static str, error: &sqlx::Error) -> Error {
    if let Some(result) = ResultError::of(error) {
        return match result_code::is_about_rights(result.code) {
            true => Error::not_permitted(result.kind(), doing, result),
            false => Error::with_source(result.kind(), doing, result),
        };
    }
    let driver = |kind, text: &str| Error::with_source(kind, doing, DriverError(text.into()));
    match error {
        sqlx::Error::Io(error) => driver(ErrorKind::Unavailable, &error.to_string()),
        sqlx::Error::ColumnDecode { index, .. } => driver(
            ErrorKind::Corrupt,
            &format!("column {index} holds what no event has"),
        ),
        sqlx::Error::ColumnNotFound(name) => {
            driver(ErrorKind::Corrupt, &format!("column `{name}` is missing"))
        }
        // A thread of the driver that ended, or a statement that had no answer.
        _ => driver(
            ErrorKind::Unavailable,
            "the connection cannot be used any more",
        ),
    }
}

pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    ResultError::of(error).is_some_and(|result| result_code::is_busy(result.code))
}

/// The text of an error with those of its sources, for where one line has to do.
pub(crate) fn with_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
