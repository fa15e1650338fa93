use sha2::{Digest as _, Sha256};

use crate::last_line::Totals;

/// What was written so far, counted and hashed.
#[derive(Clone, Default)]
pub(crate) struct RunningTotals {
    hash: Sha256,
    n_rows: u64,
    n_bytes: u64,
}

impl RunningTotals {
    /// Text that is no row: the header of a CSV.
    pub(crate) fn add_text(&mut self, text: &[u8]) {
        self.hash.update(text);
        self.n_bytes += text.len() as u64;
    }

    pub(crate) fn add_row(&mut self, row: &[u8]) {
        self.add_text(row);
        self.n_rows += 1;
    }

    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    pub(crate) fn so_far(&self) -> Totals {
        Totals {
            n_rows: self.n_rows,
            sha256: self.hash.clone().finalize().into(),
        }
    }
}

impl std::fmt::Debug for RunningTotals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningTotals")
            .field("n_rows", &self.n_rows)
            .field("n_bytes", &self.n_bytes)
            .finish_non_exhaustive()
    }
}
