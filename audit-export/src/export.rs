use std::fmt;
use std::sync::Arc;

use audit_core::event::{EventId, Timestamp};
use audit_core::reader::PageRequest;
use audit_core::{AuditEvent, AuditReader, Error};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;

use crate::digest::RunningTotals;
use crate::frames::Frames;
use crate::kept::Kept;
use crate::last_line::Totals;
use crate::pages::Pages;
use crate::progress::{Progress, fraction};
use crate::request::{Compression, ExportRequest};

/// The export of the events that match a filter, as chunks of bytes.
pub struct Export {
    request: ExportRequest,
    through: Option<EventId>,
    /// What is still to be read.
    pages: Option<Pages>,
    /// What was read and is still to be written.
    events: std::vec::IntoIter<AuditEvent>,
    /// The row that is written.
    row: Vec<u8>,
    /// What is to be given next.
    out: Vec<u8>,
    frames: Option<Frames>,
    totals: RunningTotals,
    /// The moments of the first row and of the last one so far.
    way: Option<(Timestamp, Timestamp)>,
    /// The last line was given, or something failed.
    has_ended: bool,
}

/// How large a chunk gets before it is given.
const CHUNK_BYTES: usize = 256 << 10;

impl Export {
    /// Begins an export: asks for the newest event that matches, and begins to read from the oldest.
    ///
    /// # Errors
    /// The store does not answer, or compression cannot begin.
    ///
    /// # Panics
    /// There is no tokio runtime: a task reads ahead.
    pub async fn begin(
        reader: Arc<dyn AuditReader>,
        request: ExportRequest,
    ) -> Result<Self, Error> {
        let newest = PageRequest::new(request.filter.clone()).limit(1)?;
        let newest = reader.page(&newest).await?;
        let through = newest.events.first().map(|event| event.id);
        Self::resume(reader, request, through, Kept::default())
    }

    /// Goes on with an export that was interrupted: behind what is [`Kept`] of it, up to where it was
    /// to go ([`through`](Self::through)).
    ///
    /// With the same request, what is kept and what this gives are together the bytes that the export
    /// would have had, as long as nothing was stored meanwhile with a moment before `through` and
    /// retention removed nothing.
    ///
    /// # Errors
    /// Compression cannot begin.
    ///
    /// # Panics
    /// As [`begin`](Self::begin).
    pub fn resume(
        reader: Arc<dyn AuditReader>,
        request: ExportRequest,
        through: Option<EventId>,
        kept: Kept,
    ) -> Result<Self, Error> {
        let frames = match request.compression {
            Compression::None => None,
            Compression::Zstd => Some(Frames::new()?),
        };
        let (first, last) = kept.ends.unzip();
        let left = through.filter(|through| last < Some(*through));
        Ok(Self {
            pages: left.map(|through| Pages::read(reader, &request, last, through)),
            request,
            through,
            events: Vec::new().into_iter(),
            row: Vec::new(),
            out: Vec::new(),
            frames,
            totals: kept.totals,
            way: first
                .zip(last)
                .map(|(first, last)| (first.timestamp(), last.timestamp())),
            has_ended: false,
        })
    }

    /// The next bytes of the file; `None` behind its last line.
    ///
    /// # Errors
    /// The store does not answer. The export has then ended; what was given stays good, and
    /// [`resume`](Self::resume) goes on behind it.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is lost: the next call goes on.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        let filled = self.fill().await;
        if let Err(error) = filled {
            self.has_ended = true;
            self.pages = None;
            return Err(error);
        }
        Ok(Some(std::mem::take(&mut self.out).into()))
    }

    /// The rest of the file as a stream, which ends behind the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        stream::try_unfold(self, |mut export| async move {
            let chunk = export.next_chunk().await?;
            Ok(chunk.map(|chunk| (chunk, export)))
        })
    }

    /// The newest event that this export can have; `None` where none matched. Whoever may have to
    /// [resume](Self::resume) it writes this down.
    #[must_use]
    pub const fn through(&self) -> Option<EventId> {
        self.through
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            n_rows: self.totals.n_rows(),
            n_bytes: self.totals.n_bytes(),
            fraction: self.through.zip(self.way).map(|(through, (first, at))| {
                fraction(first, at, std::cmp::max(at, through.timestamp()))
            }),
        }
    }

    /// What the last line says, or would say by now.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals.so_far()
    }

    /// Writes until there is enough to give, or the end.
    async fn fill(&mut self) -> Result<(), Error> {
        if self.totals.n_bytes() == 0 {
            let header = self.request.format.header();
            self.totals.add_text(&header);
            self.write(&header)?;
        }
        let enough = match self.frames {
            Some(_) => 1,
            None => CHUNK_BYTES,
        };
        while self.out.len() < enough {
            if let Some(event) = self.events.next() {
                self.write_row(&event)?;
            } else if let Some(pages) = &mut self.pages {
                let page = pages.next().await?;
                self.events = page.events.into_iter();
                if page.is_last {
                    self.pages = None;
                }
            } else {
                return self.write_end();
            }
        }
        Ok(())
    }

    fn write_row(&mut self, event: &AuditEvent) -> Result<(), Error> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        self.request.format.write_row(event, &mut row)?;
        self.totals.add_row(&row);
        let first = self.way.map_or(event.ts, |(first, _)| first);
        self.way = Some((first, event.ts));
        let written = self.write(&row);
        self.row = row;
        written
    }

    fn write_end(&mut self) -> Result<(), Error> {
        self.has_ended = true;
        // That of the last row in milliseconds, which an id has too: the same after a resume.
        let moment = self.way.map_or(0, |(_, at)| at.as_micros() / 1_000);
        let line = self.totals.so_far().to_line(self.request.format, moment);
        self.write(line.as_bytes())?;
        match &mut self.frames {
            Some(frames) => frames.close(&mut self.out),
            None => Ok(()),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        match &mut self.frames {
            Some(frames) => frames.push(text, &mut self.out),
            None => {
                self.out.extend_from_slice(text);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("request", &self.request)
            .field("through", &self.through)
            .field("progress", &self.progress())
            .field("has_ended", &self.has_ended)
            .finish_non_exhaustive()
    }
}
