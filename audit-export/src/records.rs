use std::io::{BufRead, Read as _};

use crate::error::{InvalidExport, Problem};
use crate::format::ExportFormat;

/// The records of a text: its lines; of CSV those of which the quotes are closed.
pub(crate) struct Records<R> {
    input: R,
    line: u64,
}

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With the end of its line.
    Complete,
    /// With the text, in its middle.
    Cut,
    /// There is none any more.
    Nowhere,
}

/// No record is longer: two payloads of a megabyte, as a store may have respelled them.
pub(crate) const MAX_RECORD_BYTES: u64 = 32 << 20;

impl<R: BufRead> Records<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, line: 0 }
    }

    /// The number of the line on which the record ended that was read last.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next record with its end; which format it is has to be known for all but the first
    /// one.
    pub(crate) fn next(
        &mut self,
        format: Option<ExportFormat>,
        record: &mut Vec<u8>,
    ) -> Result<Ended, InvalidExport> {
        record.clear();
        let mut n_quotes = 0_usize;
        loop {
            let left = MAX_RECORD_BYTES.saturating_sub(record.len() as u64);
            let before = record.len();
            let mut input = (&mut self.input).take(left);
            if input.read_until(b'\n', record)? == 0 && left > 0 {
                return Ok(match record.is_empty() {
                    true => Ended::Nowhere,
                    false => Ended::Cut,
                });
            }
            self.line += 1;
            let part = &record[before..];
            if part.last() != Some(&b'\n') {
                return match left > part.len() as u64 {
                    true => Ok(Ended::Cut),
                    false => Err(InvalidExport::new(Problem::Foreign { line: self.line })),
                };
            }
            n_quotes += part.iter().filter(|byte| **byte == b'"').count();
            if format != Some(ExportFormat::Csv) || n_quotes.is_multiple_of(2) {
                return Ok(Ended::Complete);
            }
        }
    }
}
