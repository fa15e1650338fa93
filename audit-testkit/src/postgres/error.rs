use std::error::Error;
use std::fmt;

/// Why there is no Postgres for a test, or why it did not do as it was told.
///
/// The message says what to do about it. `Debug` shows the message and its causes rather than
/// fields, so that `unwrap` in a test tells the reader all there is to know.
pub struct PostgresError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PostgresError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn caused_by(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// For `map_err`: an error of this message, with what it is called on as its cause.
    pub(super) fn because<E>(message: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let message = message.into();
        move |source| Self::caused_by(message, source)
    }

    /// The message and its causes, on one line.
    pub(super) fn whole_text(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole_text())
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PostgresError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
