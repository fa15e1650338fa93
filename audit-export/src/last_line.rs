//! The last line of an export: how many rows there are, and the digest of all text before it.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::format::ExportFormat;

/// What the last line of an export says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// How many events the export has.
    pub n_rows: u64,
    /// SHA-256 of every byte of text before the last line.
    pub sha256: [u8; 32],
}

/// How a cell of CSV begins that is no event. No other cell begins with `#`.
const CSV_MARK: &str = "#audit_export";

/// How the last line begins, and no row does.
pub(crate) const fn beginning(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Csv => CSV_MARK,
        ExportFormat::Jsonl => r#"{"audit_export":"#,
        ExportFormat::Ocsf => r#"{"class_uid":0,"#,
    }
}

impl Totals {
    /// The digest as text.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.sha256 {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The line with its end. `last_moment` is that of the last event, in milliseconds.
    pub(crate) fn to_line(self, format: ExportFormat, last_moment: i64) -> String {
        let (n_rows, sha256) = (self.n_rows, self.sha256_hex());
        let end = format!(r#"{{"rows":{n_rows},"sha256":"{sha256}"}}"#);
        match format {
            ExportFormat::Csv => {
                let empty = ",".repeat(Column::ALL.len() - 1);
                format!("{CSV_MARK} rows={n_rows} sha256={sha256}{empty}\n")
            }
            ExportFormat::Jsonl => format!("{}{end}}}\n", beginning(format)),
            ExportFormat::Ocsf => format!(
                "{}{}{last_moment}{}{end}}}}}\n",
                beginning(format),
                r#""class_name":"Base Event","category_uid":0,"type_uid":99,"activity_id":99,"activity_name":"Export ended","severity_id":1,"time":"#,
                r#","metadata":{"version":"1.5.0","product":{"name":"audit","vendor_name":"audit"}},"unmapped":{"audit_export":"#,
            ),
        }
    }

    /// Reads a line that begins as a last line does; its end is cut off.
    pub(crate) fn from_line(format: ExportFormat, line: &str) -> Option<Self> {
        let (n_rows, hex) = match format {
            ExportFormat::Csv => from_cell(line)?,
            ExportFormat::Jsonl => from_json::<JsonlEnd>(line)?.audit_export.into(),
            ExportFormat::Ocsf => from_json::<OcsfEnd>(line)?.unmapped.audit_export.into(),
        };
        let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut sha256 = [0; 32];
        for (at, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2).filter(|_| is_hex)?, 16).ok()?;
        }
        Some(Self { n_rows, sha256 })
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows, SHA-256 {}", self.n_rows, self.sha256_hex())
    }
}

fn from_cell(line: &str) -> Option<(u64, String)> {
    let is_empty =
        |end: &str| end.len() == Column::ALL.len() - 2 && end.bytes().all(|it| it == b',');
    let (cell, _) = line.split_once(',').filter(|(_, end)| is_empty(end))?;
    let cell = cell.strip_prefix(CSV_MARK)?;
    let (rows, sha256) = cell.strip_prefix(" rows=")?.split_once(" sha256=")?;
    Some((rows.parse().ok()?, sha256.to_owned()))
}

fn from_json<'a, T: Deserialize<'a>>(line: &'a str) -> Option<T> {
    serde_json::from_str(line).ok()
}

#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

impl From<End> for (u64, String) {
    fn from(end: End) -> Self {
        (end.rows, end.sha256)
    }
}

#[derive(Deserialize)]
struct JsonlEnd {
    audit_export: End,
}

#[derive(Deserialize)]
struct OcsfEnd {
    unmapped: JsonlEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_is_read_as_it_was_written() {
        let totals = Totals {
            n_rows: 12,
            sha256: std::array::from_fn(|at| u8::try_from(at * 7).unwrap()),
        };
        for format in ExportFormat::ALL {
            let line = totals.to_line(*format, 1_700_000_000_000);
            assert!(line.starts_with(beginning(*format)), "{line}");
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(
                Totals::from_line(*format, line.trim_end()),
                Some(totals),
                "{line}"
            );
            for end in 0..line.len() - 1 {
                assert!(Totals::from_line(*format, &line[..end]).is_none(), "{end}");
            }
        }
    }
}
