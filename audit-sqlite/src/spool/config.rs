use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_core::{Error, ErrorKind};

/// Where a spool keeps its events, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SpoolConfig {
    folder: PathBuf,
    pub(super) name: String,
    pub(super) max_bytes: u64,
    pub(super) free_bytes: u64,
    pub(super) window_bytes: usize,
    pub(super) batch_events: usize,
    pub(super) answer_deadline: Duration,
    pub(super) close_deadline: Duration,
    pub(super) adopt_every: Duration,
}

/// What a spool has room for at the least: a few of the largest batches of a logger.
const MIN_BYTES: u64 = 1 << 20;

impl SpoolConfig {
    /// A spool in this folder, which several processes may share. It is made if it is not there,
    /// for its owner alone.
    ///
    /// It must lie on a disk of this machine: neither SQLite's log nor the locks by which one
    /// process knows of another's end work over a network.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            name: "spool".to_owned(),
            max_bytes: 1 << 30,
            free_bytes: 64 << 20,
            window_bytes: 8 << 20,
            batch_events: 1_000,
            answer_deadline: Duration::from_secs(30),
            close_deadline: Duration::from_secs(5),
            adopt_every: Duration::from_secs(2),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name in metrics: `spool`, if nothing is said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The most bytes of events that wait for the store: 1 GiB, if nothing is said. The file may be
    /// larger by a fifth, and the log beside it by 64 MiB.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// How many bytes the file keeps free for what comes, when everything was sent on: 64 MiB, if
    /// nothing is said. What an outage took beyond that is given back to the disk afterwards.
    pub fn free_bytes(mut self, free_bytes: u64) -> Self {
        self.free_bytes = free_bytes;
        self
    }

    /// How many bytes of what was spooled last stay in memory as well, so that they need not be
    /// read back while the store keeps up: 8 MiB, if nothing is said.
    pub fn window_bytes(mut self, window_bytes: usize) -> Self {
        self.window_bytes = window_bytes;
        self
    }

    /// The most events that are sent to the store at once: 1,000, if nothing is said.
    pub fn batch_events(mut self, n_events: usize) -> Self {
        self.batch_events = n_events;
        self
    }

    /// How long the store may take to answer, before it counts as unavailable: 30 seconds, if
    /// nothing is said.
    pub fn answer_deadline(mut self, deadline: Duration) -> Self {
        self.answer_deadline = deadline;
        self
    }

    /// How long a close waits for what is on its way: five seconds, if nothing is said. What is
    /// left stays in the folder.
    pub fn close_deadline(mut self, deadline: Duration) -> Self {
        self.close_deadline = deadline;
        self
    }

    /// How often to look for what processes left that have died: every two seconds, if nothing is
    /// said.
    pub fn adopt_every(mut self, interval: Duration) -> Self {
        self.adopt_every = interval;
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::new(ErrorKind::Invalid, text));
        if self.max_bytes < MIN_BYTES {
            return invalid(format!(
                "`max_bytes` of a spool must be at least {MIN_BYTES}"
            ));
        }
        if self.batch_events == 0 {
            return invalid("`batch_events` of a spool must be at least 1".to_owned());
        }
        if self.adopt_every.is_zero() {
            return invalid("`adopt_every` of a spool must be longer than nothing".to_owned());
        }
        Ok(())
    }
}
