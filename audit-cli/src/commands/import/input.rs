use std::path::Path;

use audit_export::{ExportFormat, ExportReader, InvalidExport};
use tokio::sync::mpsc;

use super::super::export::open;
use crate::failure::Failure;

/// The lines of an export, read by a thread of their own.
pub(super) struct Lines {
    parts: mpsc::Receiver<Part>,
}

/// What comes next of a file.
pub(super) enum Part {
    /// Its end; if it is no whole export, why not.
    End(Option<InvalidExport>),
    /// Some of its lines.
    Lines(Vec<Line>),
    /// It has a format that cannot be read back; nothing of it was given.
    OneWay(ExportFormat),
}

/// A line, and its number.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: Vec<u8>,
}

/// How large a batch gets: what a store takes at once without a pause for others.
const BATCH_LINES: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = open(path)?;
        let (sender, parts) = mpsc::channel(1);
        // It ends with the file, or when nobody takes its lines any more.
        tokio::task::spawn_blocking(move || {
            let end = match ExportReader::new(file) {
                Ok(reader) => read(reader, &sender),
                Err(problem) => Part::End(Some(problem)),
            };
            drop(sender.blocking_send(end));
        });
        Ok(Self { parts })
    }

    pub(super) async fn next(&mut self) -> Part {
        // A thread that is gone has read nothing to the end.
        self.parts.recv().await.unwrap_or_else(|| {
            let gone = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            Part::End(Some(InvalidExport::from(gone)))
        })
    }
}

/// Gives lines until there are no more, and says how the file ended.
fn read(mut reader: ExportReader, parts: &mpsc::Sender<Part>) -> Part {
    loop {
        let mut lines = Vec::new();
        let mut n_bytes = 0;
        let mut end = None;
        while lines.len() < BATCH_LINES && n_bytes < BATCH_BYTES && end.is_none() {
            match reader.next_row() {
                Ok(Some(row)) => {
                    n_bytes += row.text.len();
                    lines.push(Line {
                        number: row.line,
                        text: row.text.to_vec(),
                    });
                }
                Ok(None) => end = Some(Part::End(None)),
                Err(problem) => end = Some(Part::End(Some(problem))),
            }
        }
        if let Some(format) = reader.format().filter(|it| *it != ExportFormat::Jsonl) {
            return Part::OneWay(format);
        }
        if !lines.is_empty() && parts.blocking_send(Part::Lines(lines)).is_err() {
            return Part::End(None);
        }
        if let Some(end) = end {
            return end;
        }
    }
}
