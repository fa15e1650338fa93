use std::fmt;
use std::io;

use crate::last_line::Totals;

/// Why a file is no whole export. Quotes nothing of it.
#[derive(Debug)]
pub struct InvalidExport(Problem);

#[derive(Debug)]
pub(crate) enum Problem {
    /// The text is not the text of which the last line has the digest.
    Altered { said: Totals, found: Totals },
    /// Something stands behind the last line.
    Continued,
    /// The last line is missing.
    Cut,
    /// It cannot be decompressed.
    Damaged(io::Error),
    /// It is none at all.
    Foreign { line: u64 },
    /// It cannot be read.
    Io(io::Error),
}

impl InvalidExport {
    /// Whether the end of the file is missing.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        matches!(self.0, Problem::Cut)
    }

    /// Whether the file could not be read, which says nothing about what is in it.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self.0, Problem::Io(_))
    }

    pub(crate) const fn new(problem: Problem) -> Self {
        Self(problem)
    }
}

impl fmt::Display for InvalidExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Altered { said, found } => write!(
                f,
                "the text is not what was exported: the last line says {said}, and before it stand {found}"
            ),
            Problem::Continued => f.write_str("something stands behind the last line"),
            Problem::Cut => f.write_str("the last line is missing: the file was cut"),
            Problem::Damaged(_) => f.write_str("the file is damaged: it cannot be decompressed"),
            Problem::Foreign { line } => {
                write!(f, "line {line} is none of an export")
            }
            Problem::Io(_) => f.write_str("the file cannot be read"),
        }
    }
}

impl std::error::Error for InvalidExport {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::Damaged(source) | Problem::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for InvalidExport {
    /// Compressed text that ends within a frame was cut. What the decompressor complains of is in the
    /// file, and has no number of the system.
    fn from(error: io::Error) -> Self {
        Self(match error.kind() {
            io::ErrorKind::UnexpectedEof => Problem::Cut,
            io::ErrorKind::Other if error.raw_os_error().is_none() => Problem::Damaged(error),
            _ => Problem::Io(error),
        })
    }
}
