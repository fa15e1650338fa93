use std::fmt;
use std::str::FromStr;

use audit_core::{AuditEvent, Error, ErrorKind};

use crate::column::Column;

mod ocsf;

/// The form in which events are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// Comma-separated cells under names, for spreadsheets: RFC 4180, with line feeds.
    Csv,
    /// One event a line, as events are written everywhere here; can be read back.
    Jsonl,
    /// One API Activity (class 6003) of OCSF 1.5.0 a line, for a SIEM.
    Ocsf,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: &[Self] = &[Self::Csv, Self::Jsonl, Self::Ocsf];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Ocsf => "ocsf",
        }
    }

    /// What the file is, as HTTP says it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl | Self::Ocsf => "application/x-ndjson",
        }
    }

    /// What stands before the rows.
    pub(crate) fn header(self) -> Vec<u8> {
        let mut header = Vec::new();
        if self == Self::Csv {
            Column::write_csv_header(Column::ALL, &mut header);
        }
        header
    }

    /// Writes the row of an event, with its end.
    pub(crate) fn write_row(self, event: &AuditEvent, row: &mut Vec<u8>) -> Result<(), Error> {
        let failed =
            |error| Error::with_source(ErrorKind::Internal, "an event cannot be written", error);
        match self {
            Self::Csv => {
                Column::write_csv(Column::ALL, event, row);
                return Ok(());
            }
            Self::Jsonl => serde_json::to_writer(&mut *row, event).map_err(failed)?,
            Self::Ocsf => ocsf::write(event, row).map_err(failed)?,
        }
        row.push(b'\n');
        Ok(())
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ExportFormat {
    type Err = Error;

    /// # Errors
    /// The word is none of a format.
    fn from_str(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|format| format.as_str() == word);
        found.copied().ok_or_else(|| {
            let text = format!("`{word}` is no format of an export: it is jsonl, csv or ocsf");
            Error::new(ErrorKind::Invalid, text)
        })
    }
}
