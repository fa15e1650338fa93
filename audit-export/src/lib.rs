//! Audit events as files: JSON lines, CSV, and OCSF, for whoever takes them elsewhere.
//!
//! [`Export`] reads any [`AuditReader`](audit_core::AuditReader) page by page and gives chunks of
//! bytes, whatever the number of events in the memory of a few pages. The next page is read while
//! one is written.
//!
//! ```
//! use std::sync::Arc;
//!
//! use audit_core::AuditReader;
//! use audit_core::reader::Filter;
//! use audit_export::{Export, ExportFormat, ExportRequest};
//!
//! async fn collect(reader: Arc<dyn AuditReader>) -> Result<Vec<u8>, audit_core::Error> {
//!     let request = ExportRequest::new(Filter::all(), ExportFormat::Jsonl);
//!     let mut export = Export::begin(reader, request).await?;
//!     let mut file = Vec::new();
//!     while let Some(chunk) = export.next_chunk().await? {
//!         file.extend_from_slice(&chunk);
//!     }
//!     Ok(file)
//! }
//! ```
//!
//! # What is in the file
//! The events that match, the one whose call began first comes first. Up to where is fixed when the
//! export begins, by the id of the newest event that matches then: so the export of a busy store
//! ends. What is stored meanwhile under an older id (a spool that catches up) is in it if it comes
//! before the export has passed its place.
//!
//! | format | a row | the last line |
//! |---|---|---|
//! | [`Jsonl`](ExportFormat::Jsonl) | [`AuditEvent::to_json`](audit_core::AuditEvent::to_json) | an object with the one member `audit_export` |
//! | [`Csv`](ExportFormat::Csv) | the cells of [`Column::ALL`], below their names | a row whose first cell begins with `#audit_export` and whose others are empty |
//! | [`Ocsf`](ExportFormat::Ocsf) | an API Activity (class 6003) of OCSF 1.5.0 | a Base Event (class 0) with `unmapped.audit_export` |
//!
//! # The last line
//! It has the number of rows and the SHA-256 of every byte of text before it, of the uncompressed
//! text where the file is compressed. A file without it was cut; [`verify`] says so. Nobody signs
//! it: it notices accidents, and somebody who changes the file can change it too.
//!
//! # Compressed
//! Rows stand in frames of Zstandard of about a megabyte of text, each with a checksum, none of which
//! begins or ends within a row. Any decompressor reads them as one file. Where a frame ends depends on
//! the rows alone, so an export that was [resumed](Export::resume) has the bytes of one that was not.
//!
//! # CSV is one way
//! No cell begins with what a spreadsheet takes for a formula: see [`Column`]. What was changed for
//! that cannot be told from what was there, so only JSON lines can be read back ([`ExportReader`]).
//!
//! # What it does not do
//! It opens no files and no stores. It redacts nothing: what a store holds was redacted before.

mod request;

mod export;
mod frames;
mod pages;
mod progress;

mod column;
mod format;
mod neutral;

mod digest;
mod last_line;

mod error;
mod kept;
mod read;
mod records;

pub use column::{Cell, Column, write_csv_text};
pub use error::InvalidExport;
pub use export::Export;
pub use format::ExportFormat;
pub use kept::Kept;
pub use last_line::Totals;
pub use progress::Progress;
pub use read::{ExportReader, Row, verify};
pub use request::{Compression, ExportRequest};
