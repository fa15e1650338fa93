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
        store.append(events).await;
        store
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    /// A path beside the store.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `audit` on this store, by the variable that names it.
    pub(crate) fn audit(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// The same, to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = audit(arguments);
        command.env("AUDIT_STORE", self.address());
        command
    }

    /// How a user names this store.
    pub(crate) fn address(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// Stores more events.
    pub(crate) async fn append(&self, events: &[AuditEvent]) {
        let sink = SqliteStore::open(&SqliteConfig::new(self.path())).await;
        let sink = sink.unwrap();
        assert!(sink.append(events).await.unwrap().is_all_kept());
        sink.close().await.unwrap();
    }

    /// All that is stored, the oldest first.
    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        let ran = self.audit(&["events", "--reverse", "-n", "1000000", "-o", "jsonl"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines = ran.out.lines();
        lines
            .map(|line| AuditEvent::from_json(line).unwrap())
            .collect()
    }
}

/// The binary, without what the environment of the tests says.
pub(crate) fn audit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
    command.args(arguments);
    for variable in [
        "AUDIT_COLOR",
        "AUDIT_CONFIG",
        "AUDIT_LOG",
        "AUDIT_ON_STORE_FAILURE",
        "AUDIT_OUTPUT",
        "AUDIT_POLICY",
        "AUDIT_SPOOL",
        "AUDIT_STORE",
        "NO_COLOR",
    ] {
        command.env_remove(variable);
    }
    // Whoever runs the tests may have a configuration, and a spool.
    command.env("XDG_CONFIG_HOME", "/nowhere/config");
    command.env(
        "XDG_DATA_HOME",
        std::env::temp_dir().join("audit-tests-have-no-data"),
    );
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
