use std::fmt;
use std::io::{self, BufReader, Cursor, Read};

use crate::column::Column;
use crate::digest::RunningTotals;
use crate::error::{InvalidExport, Problem};
use crate::format::ExportFormat;
use crate::last_line::{Totals, beginning};
use crate::records::{Ended, Records};

/// Reads an export row by row, compressed or not, in the memory of a row. Blocks, as its input does.
pub struct ExportReader {
    records: Records<BufReader<Box<dyn Read + Send>>>,
    format: Option<ExportFormat>,
    totals: RunningTotals,
    record: Vec<u8>,
}

/// A row of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The number of the line on which it ends, from 1.
    pub line: u64,
    /// Its text, without the end of the line.
    pub text: &'a [u8],
}

/// What compressed files begin with.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads a whole export and compares it with its last line. Blocks, as the input does.
///
/// # Errors
/// The input cannot be read, or is no whole export.
pub fn verify(input: impl Read + Send + 'static) -> Result<Totals, InvalidExport> {
    let mut reader = ExportReader::new(input)?;
    while reader.next_row()?.is_some() {}
    Ok(reader.totals.so_far())
}

impl ExportReader {
    /// Begins to read; how it is compressed, and what format it has, its beginning tells.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn new(mut input: impl Read + Send + 'static) -> Result<Self, InvalidExport> {
        let mut head = Vec::new();
        (&mut input).take(4).read_to_end(&mut head)?;
        let is_compressed = head == ZSTD_MAGIC;
        let whole = Cursor::new(head).chain(input);
        let text: Box<dyn Read + Send> = match is_compressed {
            true => Box::new(zstd::stream::read::Decoder::new(whole)?),
            false => Box::new(whole),
        };
        Ok(Self {
            records: Records::new(BufReader::with_capacity(1 << 16, text)),
            format: None,
            totals: RunningTotals::default(),
            record: Vec::new(),
        })
    }

    /// The format, once a row was read.
    #[must_use]
    pub const fn format(&self) -> Option<ExportFormat> {
        self.format
    }

    /// What was read so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals.so_far()
    }

    /// The next row; `None` when the last line was read, and is true. What rows were given before an
    /// error stand in the file.
    ///
    /// # Errors
    /// The input cannot be read, is no export, ends without a last line, or has one that is not true.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, InvalidExport> {
        if self.records.next(self.format, &mut self.record)? != Ended::Complete {
            return Err(InvalidExport::new(Problem::Cut));
        }
        let format = match self.format {
            Some(format) => format,
            None => {
                let format = self.recognize()?;
                self.format = Some(format);
                if format == ExportFormat::Csv {
                    self.totals.add_text(&self.record);
                    return self.next_row();
                }
                format
            }
        };
        if self.record.starts_with(beginning(format).as_bytes()) {
            return self.read_end(format).map(|()| None);
        }
        self.totals.add_row(&self.record);
        let end = self.record.len() - 1;
        Ok(Some(Row {
            line: self.records.line(),
            text: &self.record[..end],
        }))
    }

    fn recognize(&self) -> Result<ExportFormat, InvalidExport> {
        let mut header = Vec::new();
        Column::write_csv_header(Column::ALL, &mut header);
        if self.record == header {
            return Ok(ExportFormat::Csv);
        }
        match self.record.first() {
            Some(b'{') if self.record.starts_with(br#"{"class_uid":"#) => Ok(ExportFormat::Ocsf),
            Some(b'{') => Ok(ExportFormat::Jsonl),
            _ => Err(InvalidExport::new(Problem::Foreign { line: 1 })),
        }
    }

    /// Compares what was read with what the last line says, and sees that it is the last one.
    fn read_end(&mut self, format: ExportFormat) -> Result<(), InvalidExport> {
        let line = self.records.line();
        let foreign = || InvalidExport::new(Problem::Foreign { line });
        let text = std::str::from_utf8(&self.record).map_err(|_| foreign())?;
        let said = Totals::from_line(format, text.trim_end()).ok_or_else(foreign)?;
        let found = self.totals.so_far();
        if said != found {
            return Err(InvalidExport::new(Problem::Altered { said, found }));
        }
        match self.records.next(self.format, &mut self.record)? {
            Ended::Nowhere => Ok(()),
            Ended::Complete | Ended::Cut => Err(InvalidExport::new(Problem::Continued)),
        }
    }
}

impl fmt::Debug for ExportReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportReader")
            .field("format", &self.format)
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}

/// Reads from somewhere, and knows how far.
pub(crate) struct Counted<R> {
    input: R,
    n_bytes: u64,
}

impl<R: io::BufRead> Counted<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, n_bytes: 0 }
    }

    pub(crate) const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

impl<R: io::BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(into)?;
        self.n_bytes += n as u64;
        Ok(n)
    }
}

impl<R: io::BufRead> io::BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.n_bytes += n as u64;
        self.input.consume(n);
    }
}
