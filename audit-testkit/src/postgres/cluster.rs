use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::cluster_builder::LocalClusterBuilder;
use super::connect::connect;
use super::supervisor::Supervisor;
use super::wait::until;
use super::{PostgresError, crash};

/// A Postgres server of a test's own, run by the programs of this machine, to be mistreated.
///
/// It can be killed as by a power cut, started again on the same port, configured, reloaded,
/// followed by a standby that is promoted. It ends, and its folder is removed, when this is
/// dropped and when this process ends, also by `kill -9`.
pub struct LocalCluster {
    pub(super) supervisor: Supervisor,
    pub(super) access: Access,
    pub(super) data: PathBuf,
    pub(super) root_certificate: Option<PathBuf>,
}

/// How to get in.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) port: u16,
    pub(super) password: String,
}

impl LocalCluster {
    /// Says what the cluster should be like.
    pub fn builder() -> LocalClusterBuilder {
        LocalClusterBuilder::new()
    }

    /// The address of the database `postgres`, as superuser.
    #[must_use]
    pub fn url(&self) -> String {
        let Access { port, password } = &self.access;
        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
    }

    /// The same, over TLS, with the server's certificate checked against
    /// [`root_certificate`](Self::root_certificate). `None` without
    /// [`tls`](LocalClusterBuilder::tls).
    #[must_use]
    pub fn tls_url(&self) -> Option<String> {
        let root = self.root_certificate()?.display();
        Some(format!(
            "{}?sslmode=verify-full&sslrootcert={root}",
            self.url()
        ))
    }

    /// The file with the certificate that signed the server's. `None` without
    /// [`tls`](LocalClusterBuilder::tls).
    #[must_use]
    pub fn root_certificate(&self) -> Option<&Path> {
        self.root_certificate.as_deref()
    }

    /// The port of 127.0.0.1, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.access.port
    }

    /// The data directory.
    #[must_use]
    pub fn data_directory(&self) -> &Path {
        &self.data
    }

    /// The pid of the server's first process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.supervisor.pid()
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.supervisor.log()
    }

    /// Starts a server that was killed or stopped, and waits until it takes connections.
    ///
    /// # Errors
    /// If it runs already or does not get ready; the message has the end of the server's log.
    pub async fn start(&self) -> Result<(), PostgresError> {
        if self.pid().is_some() {
            return Err(PostgresError::new(
                "the server runs already: stop or kill it first",
            ));
        }
        let pid = self.supervisor.start().await?;
        self.until_status(pid, "ready").await
    }

    /// Kills every process of the server at once with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// If the server does not run, or a process of it cannot be killed.
    pub async fn kill(&self) -> Result<(), PostgresError> {
        let pid = self.running("kill")?;
        crash::kill_family(pid).await?;
        self.supervisor.gone().await?;
        // The next server would take it for that of a living one, if the number is in use again.
        fs::remove_file(self.pid_file()).map_err(PostgresError::because(
            "cannot remove the stale postmaster.pid",
        ))
    }

    /// Stops the server in its own good order ("fast": open transactions are rolled back).
    ///
    /// # Errors
    /// If the server does not run or does not stop.
    pub async fn stop(&self) -> Result<(), PostgresError> {
        self.running("stop")?;
        self.supervisor.signal("INT")?;
        self.supervisor.gone().await
    }

    /// Adds a line to `postgresql.conf`, such as `fsync = on`. It takes effect when the server
    /// [starts](Self::start) or, where the setting allows, is [reloaded](Self::reload).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn configure(&self, line: &str) -> Result<(), PostgresError> {
        append(&self.data.join("postgresql.conf"), line)
    }

    /// Makes the server read its configuration again. It does so a moment later.
    ///
    /// # Errors
    /// If the server does not run.
    pub fn reload(&self) -> Result<(), PostgresError> {
        self.running("reload")?;
        self.supervisor.signal("HUP")
    }

    /// Makes a standby a primary, and waits until it takes writes.
    ///
    /// # Errors
    /// If the server does not run, is no standby, or is not promoted within a minute.
    pub async fn promote(&self) -> Result<(), PostgresError> {
        const PROMOTE: &str = "SELECT pg_promote(wait => true, wait_seconds => 60)";
        let failed = "the standby cannot be promoted";
        let mut connection = connect(&self.url()).await?;
        let is_promoted: bool = sqlx::query_scalar(PROMOTE)
            .fetch_one(&mut connection)
            .await
            .map_err(PostgresError::because(failed))?;
        if is_promoted {
            return Ok(());
        }
        Err(PostgresError::new(format!("{failed} within a minute")))
    }

    fn running(&self, purpose: &str) -> Result<u32, PostgresError> {
        self.pid()
            .ok_or_else(|| PostgresError::new(format!("there is no running server to {purpose}")))
    }

    async fn until_status(&self, pid: u32, wanted: &str) -> Result<(), PostgresError> {
        let is_settled = || self.pid() != Some(pid) || self.status(pid).as_deref() == Some(wanted);
        until(format!("the server is {wanted}"), is_settled)
            .await
            .map_err(PostgresError::because(self.end_of_log()))?;
        if self.pid() == Some(pid) {
            return Ok(());
        }
        Err(PostgresError::new(format!(
            "the server ended while it started; {}",
            self.end_of_log()
        )))
    }

    /// What the server says of itself in its pid file.
    fn status(&self, pid: u32) -> Option<String> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let mut lines = text.lines();
        let is_of_this_run = lines.next()?.trim().parse() == Ok(pid);
        let status = lines.nth(6)?.trim();
        is_of_this_run.then(|| status.to_owned())
    }

    fn pid_file(&self) -> PathBuf {
        self.data.join("postmaster.pid")
    }

    fn end_of_log(&self) -> String {
        const LINES: usize = 20;
        let log = self.log();
        let mut lines: Vec<&str> = log.lines().rev().take(LINES).collect();
        lines.reverse();
        format!("the end of its log:\n{}\n", lines.join("\n"))
    }
}

impl fmt::Debug for LocalCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCluster")
            .field("port", &self.port())
            .field("data", &self.data)
            .field("supervisor", &self.supervisor)
            .finish_non_exhaustive()
    }
}

/// Adds a line to a file that is there.
pub(super) fn append(file: &Path, line: &str) -> Result<(), PostgresError> {
    OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut file| writeln!(file, "{line}"))
        .map_err(PostgresError::because(format!(
            "cannot write {}",
            file.display()
        )))
}
