use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use audit_core::event::AuditEvent;

/// Attempts of processes that have died, until somebody records them.
#[derive(Debug, Default)]
pub(super) struct Orphans(Mutex<VecDeque<AuditEvent>>);

impl Orphans {
    pub(super) fn add(&self, intents: Vec<AuditEvent>) {
        let mut orphans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orphans.extend(intents);
    }

    /// At most so many, each given out once.
    pub(super) fn take(&self, limit: usize) -> Vec<AuditEvent> {
        let mut orphans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n_taken = std::cmp::min(limit, orphans.len());
        orphans.drain(..n_taken).collect()
    }
}
