use std::error::Error;
use std::fmt;

/// A value that an event cannot hold: which field, and what it may hold instead.
///
/// The text names the field and its bound, and never repeats the value: what was refused may be
/// the secret that must not be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    field: &'static str,
    problem: FieldProblem,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldProblem {
    /// The value looks like a credential; the rule that says so is named.
    Credential {
        /// The payload rule that matched.
        rule: &'static str,
    },
    /// The value is empty where something has to stand.
    Empty,
    /// The value is not of the form that is named.
    Malformed {
        /// What would have been read.
        expected: &'static str,
    },
    /// The text holds U+0000, which no store takes.
    Nul,
    /// The number lies outside its range, ends included.
    OutOfRange {
        /// The smallest number taken.
        min: u64,
        /// The largest number taken.
        max: u64,
    },
    /// The text is longer than its bound.
    TooLong {
        /// The bound, in characters (Unicode scalar values).
        max: usize,
    },
}

impl InvalidField {
    pub(crate) const fn new(field: &'static str, problem: FieldProblem) -> Self {
        Self { field, problem }
    }

    /// The field by its column name.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with the value, with the bound it broke.
    #[must_use]
    pub const fn problem(&self) -> FieldProblem {
        self.problem
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field;
        match self.problem {
            FieldProblem::Credential { rule } => {
                write!(
                    f,
                    "`{field}` looks like a credential (rule {rule}): record the name of a key, never the key"
                )
            }
            FieldProblem::Empty => {
                write!(f, "`{field}` is empty: at least one character is needed")
            }
            FieldProblem::Malformed { expected } => write!(f, "`{field}` is not {expected}"),
            FieldProblem::Nul => write!(f, "`{field}` holds U+0000, which no store takes"),
            FieldProblem::OutOfRange { min, max } => {
                write!(f, "`{field}` lies outside {min} to {max}")
            }
            FieldProblem::TooLong { max } => {
                write!(f, "`{field}` is longer than {max} characters")
            }
        }
    }
}

impl Error for InvalidField {}
