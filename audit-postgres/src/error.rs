use std::error::Error as StdError;
use std::fmt;

use audit_core::{Error, ErrorKind};

use crate::sqlstate;

/// What a server answered, without the values that its own text may quote.
#[derive(Debug)]
pub(crate) struct ServerError {
    sqlstate: Box<str>,
    meaning: &'static str,
    /// What the error is about, by name.
    object: Option<Box<str>>,
    /// The server's own message, where it cannot quote a value.
    message: Option<Box<str>>,
}

impl ServerError {
    pub(crate) fn new(error: &dyn sqlx::error::DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        let is_harmless = sqlstate::message_quotes_no_value(&code);
        Self {
            meaning: sqlstate::meaning(&code).1,
            object: error.constraint().or_else(|| error.table()).map(Into::into),
            message: is_harmless.then(|| error.message().into()),
            sqlstate: code.into(),
        }
    }

    pub(crate) fn sqlstate(&self) -> &str {
        &self.sqlstate
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {}", self.meaning, self.sqlstate)?;
        if let Some(object) = &self.object {
            write!(f, ", {object}")?;
        }
        f.write_str(")")?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl StdError for ServerError {}

/// What went wrong on the way to the server: no text of it comes from a row.
#[derive(Debug)]
struct TransportError(Box<str>);

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for TransportError {}

/// Says what failed, and whether to try again, by SQLSTATE and kind alone.
pub(crate) fn convert(doing: &'static str, error: &sqlx::Error) -> Error {
    let transport = |kind, text: &str| Error::with_source(kind, doing, TransportError(text.into()));
    match error {
        sqlx::Error::Database(error) => {
            let source = ServerError::new(&**error);
            let kind = sqlstate::meaning(source.sqlstate()).0;
            match sqlstate::is_about_rights(source.sqlstate()) {
                true => Error::not_permitted(kind, doing, source),
                false => Error::with_source(kind, doing, source),
            }
        }
        sqlx::Error::Io(error) => transport(ErrorKind::Unavailable, &error.to_string()),
        sqlx::Error::Tls(error) => {
            transport(ErrorKind::Unavailable, &format!("TLS failed: {error}"))
        }
        sqlx::Error::PoolTimedOut => transport(
            ErrorKind::Unavailable,
            "no connection of the pool became free in time: the server is slow, or the pool too small",
        ),
        sqlx::Error::PoolClosed => Error::new(ErrorKind::Closed, "the store was closed"),
        sqlx::Error::Configuration(_) => transport(
            ErrorKind::Invalid,
            "the connection cannot be made as it is configured",
        ),
        sqlx::Error::ColumnDecode { index, .. } => transport(
            ErrorKind::Corrupt,
            &format!("column {index} holds what no event has"),
        ),
        sqlx::Error::ColumnNotFound(name) => transport(
            ErrorKind::Corrupt,
            &format!("column `{name}` is missing: run the migrations"),
        ),
        sqlx::Error::ColumnIndexOutOfBounds { .. } => transport(
            ErrorKind::Corrupt,
            "the server answered with another number of columns than was asked for",
        ),
        sqlx::Error::RowNotFound => {
            transport(ErrorKind::Corrupt, "the server answered without a row")
        }
        sqlx::Error::Decode(_) => transport(
            ErrorKind::Corrupt,
            "a value of the server cannot be decoded",
        ),
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => transport(
            ErrorKind::Invalid,
            "a value cannot be encoded for the server",
        ),
        sqlx::Error::TypeNotFound { type_name } => transport(
            ErrorKind::Unavailable,
            &format!("type `{type_name}` is missing"),
        ),
        sqlx::Error::Protocol(_) => transport(
            ErrorKind::Unavailable,
            "the server's answer makes no sense: is that PostgreSQL?",
        ),
        // A connection that broke in the middle, or a task of the driver that ended.
        _ => transport(
            ErrorKind::Unavailable,
            "the connection cannot be used any more",
        ),
    }
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// What the driver's own texts may quote.
    const SECRET: &str = "hunter2";

    fn boxed() -> Box<dyn StdError + Send + Sync> {
        SECRET.into()
    }

    /// Every kind of error of the driver but that of the server itself: what becomes of it, and
    /// what its text says.
    fn errors() -> Vec<(sqlx::Error, ErrorKind, &'static str)> {
        use ErrorKind::{Closed, Corrupt, Invalid, Unavailable};
        let broken = "the connection cannot be used any more";
        Vec::from([
            (
                sqlx::Error::Io(io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    "reset by peer",
                )),
                Unavailable,
                "reset by peer",
            ),
            (
                sqlx::Error::Tls("unknown issuer".into()),
                Unavailable,
                "TLS failed: unknown issuer",
            ),
            (
                sqlx::Error::Protocol(SECRET.to_owned()),
                Unavailable,
                "makes no sense",
            ),
            (
                sqlx::Error::PoolTimedOut,
                Unavailable,
                "no connection of the pool",
            ),
            (sqlx::Error::PoolClosed, Closed, "the store was closed"),
            (
                sqlx::Error::Configuration(boxed()),
                Invalid,
                "cannot be made as it is configured",
            ),
            (
                sqlx::Error::ColumnDecode {
                    index: "\"seq\"".to_owned(),
                    source: boxed(),
                },
                Corrupt,
                "\"seq\" holds what no event has",
            ),
            (
                sqlx::Error::ColumnNotFound("writer".to_owned()),
                Corrupt,
                "`writer` is missing: run the migrations",
            ),
            (
                sqlx::Error::ColumnIndexOutOfBounds { index: 2, len: 1 },
                Corrupt,
                "another number of columns",
            ),
            (sqlx::Error::RowNotFound, Corrupt, "without a row"),
            (sqlx::Error::Decode(boxed()), Corrupt, "cannot be decoded"),
            (sqlx::Error::Encode(boxed()), Invalid, "cannot be encoded"),
            (
                sqlx::Error::InvalidArgument(SECRET.to_owned()),
                Invalid,
                "cannot be encoded",
            ),
            (
                sqlx::Error::TypeNotFound {
                    type_name: "jsonb".to_owned(),
                },
                Unavailable,
                "type `jsonb` is missing",
            ),
            (sqlx::Error::WorkerCrashed, Unavailable, broken),
            (sqlx::Error::BeginFailed, Unavailable, broken),
            (sqlx::Error::InvalidSavePointStatement, Unavailable, broken),
            (sqlx::Error::AnyDriverError(boxed()), Unavailable, broken),
        ])
    }

    #[test]
    fn each_kind_of_error_is_retried_or_not_and_quotes_nothing() {
        for (error, kind, text) in errors() {
            let converted = convert("the events cannot be appended", &error);
            assert_eq!(converted.kind(), kind, "{error:?}");
            let said = format!("{} {converted:?}", with_sources(&converted));
            assert!(said.contains(text), "{error:?}: {said}");
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}
