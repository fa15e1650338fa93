use std::borrow::Cow;
use std::fmt;

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFilter {
    column: usize,
    problem: Cow<'static, str>,
}

impl InvalidFilter {
    /// `at` counts bytes of `text`.
    pub(super) fn at(text: &str, at: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        let before = text.get(..at).unwrap_or(text);
        Self {
            column: before.chars().count() + 1,
            problem: problem.into(),
        }
    }

    /// Where it begins to be none: the number of the character, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

impl std::error::Error for InvalidFilter {}
