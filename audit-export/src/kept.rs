use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, Read};

use audit_core::event::EventId;
use serde::Deserialize;
use zstd::stream::read::Decoder;

use crate::digest::RunningTotals;
use crate::error::{InvalidExport, Problem};
use crate::format::ExportFormat;
use crate::last_line::beginning;
use crate::read::Counted;
use crate::records::{Ended, MAX_RECORD_BYTES, Records};
use crate::request::{Compression, ExportRequest};

/// What is whole of an export that was interrupted: its complete rows, or of a compressed one its
/// complete frames. The file is cut to [`n_file_bytes`](Self::n_file_bytes), and what
/// [`Export::resume`](crate::Export::resume) gives stands behind it.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub(crate) totals: RunningTotals,
    /// The first row and the last one.
    pub(crate) ends: Option<(EventId, EventId)>,
    n_file_bytes: u64,
}

impl Kept {
    /// Reads what is there of the export of this request. Blocks, as the input does. What stands behind
    /// the last whole row, a last line included, is not kept.
    ///
    /// # Errors
    /// The input cannot be read, or what stands there was not exported by such a request.
    pub fn read(input: impl Read, request: &ExportRequest) -> Result<Self, InvalidExport> {
        let input = BufReader::with_capacity(1 << 16, input);
        match request.compression {
            Compression::None => {
                let mut kept = Self::default();
                kept.take_rows(input, request.format)?;
                kept.n_file_bytes = kept.totals.n_bytes();
                Ok(kept.or_nothing())
            }
            Compression::Zstd => Self::read_frames(Counted::new(input), request.format),
        }
    }

    /// The bytes of the file that are kept.
    #[must_use]
    pub const fn n_file_bytes(&self) -> u64 {
        self.n_file_bytes
    }

    /// The rows that are kept.
    #[must_use]
    pub fn n_rows(&self) -> u64 {
        self.totals.n_rows()
    }

    fn read_frames(
        mut input: Counted<impl std::io::BufRead>,
        format: ExportFormat,
    ) -> Result<Self, InvalidExport> {
        let mut kept = Self::default();
        while !input.fill_buf()?.is_empty() {
            let mut frame = Decoder::with_buffer(input)?.single_frame();
            let mut text = Vec::new();
            // A frame that was cut or damaged is not kept, and nothing behind it.
            let most = 2 * MAX_RECORD_BYTES;
            if (&mut frame).take(most).read_to_end(&mut text).is_err() {
                break;
            }
            input = frame.finish();
            let mut longer = kept.clone();
            if longer.take_rows(&*text, format)? != text.len() as u64 {
                break;
            }
            kept = longer;
            kept.n_file_bytes = input.n_bytes();
        }
        Ok(kept.or_nothing())
    }

    /// Takes the whole rows of a text; says how many bytes of it they are.
    fn take_rows(
        &mut self,
        text: impl std::io::BufRead,
        format: ExportFormat,
    ) -> Result<u64, InvalidExport> {
        let before = self.totals.n_bytes();
        let mut records = Records::new(text);
        let mut record = Vec::new();
        while records.next(Some(format), &mut record)? == Ended::Complete {
            if record.starts_with(beginning(format).as_bytes()) {
                break;
            }
            if self.totals.n_bytes() == 0 && format == ExportFormat::Csv {
                let is_header = record == format.header();
                if !is_header {
                    return Err(foreign(records.line()));
                }
                self.totals.add_text(&record);
                continue;
            }
            let id = id_of(&record, format).ok_or_else(|| foreign(records.line()))?;
            let first = self.ends.map_or(id, |(first, _)| first);
            self.ends = Some((first, id));
            self.totals.add_row(&record);
        }
        Ok(self.totals.n_bytes() - before)
    }

    /// A header alone is written anew.
    fn or_nothing(self) -> Self {
        match self.ends {
            Some(_) => self,
            None => Self::default(),
        }
    }
}

fn foreign(line: u64) -> InvalidExport {
    InvalidExport::new(Problem::Foreign { line })
}

fn id_of(record: &[u8], format: ExportFormat) -> Option<EventId> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Activity<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
    }
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        uid: Cow<'a, str>,
    }
    let text = std::str::from_utf8(record).ok()?;
    let id = match format {
        ExportFormat::Csv => Cow::Borrowed(text.split(',').next()?),
        ExportFormat::Jsonl => serde_json::from_str::<Event<'_>>(text).ok()?.id,
        ExportFormat::Ocsf => {
            serde_json::from_str::<Activity<'_>>(text)
                .ok()?
                .metadata
                .uid
        }
    };
    id.parse().ok()
}
