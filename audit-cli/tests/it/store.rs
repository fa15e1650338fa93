//! A store with known events, and the binary to ask it.

use std::path::PathBuf;
use std::process::{Command, Output};

use audit_core::AuditSink as _;
use audit_core::event::AuditEvent;
use audit_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

/// A folder of one's own with a store in it.
pub(crate) struct Store {
    folder: TempDir,
}

/// What a run printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Store {
    /// Nothing is there yet.
    pub(crate) fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// Holds these events.
    pub(crate) async fn with(events: &[AuditEvent]) -> Self {
        let store = Self::none();
        let sink = SqliteStore::open(&SqliteConfig::new(store.path())).await;
        let sink = sink.unwrap();
        assert!(sink.append(events).await.unwrap().is_all_kept());
        sink.close().await.unwrap();
        store
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    /// Runs `audit` on this store, by the variable that names it.
    pub(crate) fn audit(&self, arguments: &[&str]) -> Ran {
        let mut command = audit(arguments);
        command.env("AUDIT_STORE", format!("sqlite:{}", self.path().display()));
        ran(command)
    }
}

/// The binary, without what the environment of the tests says.
pub(crate) fn audit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
    command.args(arguments);
    for variable in ["AUDIT_STORE", "AUDIT_LOG", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn ran(mut command: Command) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ran {
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
        code: status.code().expect("it ended by itself"),
    }
}
