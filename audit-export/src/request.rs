use audit_core::reader::Filter;

use crate::format::ExportFormat;

/// What is exported, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    pub(crate) filter: Filter,
    pub(crate) format: ExportFormat,
    pub(crate) compression: Compression,
}

/// Whether the file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// It is not.
    #[default]
    None,
    /// Zstandard, in frames.
    Zstd,
}

impl ExportRequest {
    /// The events that match, in this format, not compressed.
    #[must_use]
    pub const fn new(filter: Filter, format: ExportFormat) -> Self {
        Self {
            filter,
            format,
            compression: Compression::None,
        }
    }

    /// Compressed or not.
    #[must_use]
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Which events.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// In which format.
    #[must_use]
    pub const fn format(&self) -> ExportFormat {
        self.format
    }

    /// Whether the file is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.compression != Compression::None
    }
}
