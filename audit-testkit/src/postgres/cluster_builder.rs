use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::cluster::{Access, LocalCluster, append};
use super::port::free_port;
use super::programs::Programs;
use super::supervisor::Supervisor;
use super::word::random_word;
use super::{PostgresError, tls};

/// What a [`LocalCluster`] should be like.
#[derive(Default)]
#[must_use = "a cluster is made by `start`"]
pub struct LocalClusterBuilder {
    config: Vec<String>,
    data: Option<PathBuf>,
    primary: Option<Access>,
    with_tls: bool,
}

impl LocalClusterBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a line to `postgresql.conf`, such as `fsync = on`.
    pub fn config(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// Where the data should be: an empty folder, or one that is still to be made. It is not
    /// removed afterwards. Without this, the data is in a temporary folder, which is.
    pub fn data_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Follows this server, which must be running, as a hot standby. It begins as a copy of it.
    pub fn standby_of(mut self, primary: &LocalCluster) -> Self {
        self.primary = Some(primary.access.clone());
        self
    }

    /// Offers TLS, with a certificate made for it; see [`LocalCluster::tls_url`].
    pub fn tls(mut self) -> Self {
        self.with_tls = true;
        self
    }

    /// Makes the cluster, starts its server, and waits until that takes connections.
    ///
    /// # Errors
    /// If the programs of a Postgres server are not installed (the message says how to), or
    /// making or starting the cluster fails.
    pub async fn start(self) -> Result<LocalCluster, PostgresError> {
        // Making a cluster takes a second, which other tasks of the runtime need not wait for.
        let cluster = tokio::task::spawn_blocking(move || self.make())
            .await
            .map_err(PostgresError::because("making a cluster panicked"))??;
        cluster.start().await?;
        Ok(cluster)
    }

    fn make(self) -> Result<LocalCluster, PostgresError> {
        let programs = Programs::find()?;
        let account = Account::find()?;
        let folder = temporary_folder(account)?;
        let data = self.data.clone().unwrap_or_else(|| folder.join("data"));
        // From here on the supervisor removes the folder, whatever happens.
        let supervisor = Supervisor::new(
            account,
            &folder,
            "QUIT",
            &programs.path("postgres"),
            &["-D".to_owned(), data.display().to_string()],
        )?;
        make_private(account, &data)?;

        let password = match &self.primary {
            Some(primary) => copy_of(primary, &programs, account, &data)?,
            None => initialize(&programs, account, &folder, &data)?,
        };
        let port = free_port()?;
        let mut lines = vec![
            format!("port = {port}"),
            "listen_addresses = '127.0.0.1'".to_owned(),
            "unix_socket_directories = ''".to_owned(),
        ];
        let mut root_certificate = None;
        if self.with_tls {
            let files = tls::write_files(account, &folder)?;
            lines.extend(files.config);
            root_certificate = Some(files.root_certificate);
        }
        lines.extend(self.config);
        append(&data.join("postgresql.conf"), &lines.join("\n"))?;
        Ok(LocalCluster {
            supervisor,
            access: Access { port, password },
            data,
            root_certificate,
        })
    }
}

impl std::fmt::Debug for LocalClusterBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalClusterBuilder")
            .field("config", &self.config)
            .field("data", &self.data)
            .field("is_standby", &self.primary.is_some())
            .field("with_tls", &self.with_tls)
            .finish()
    }
}

/// A new folder that only the server's user can look into.
pub(super) fn temporary_folder(account: Account) -> Result<PathBuf, PostgresError> {
    let folder = tempfile::Builder::new()
        .prefix("audit-test-")
        .tempdir()
        .map_err(PostgresError::because("cannot make a temporary folder"))?
        .keep();
    account.own(&folder)?;
    Ok(folder)
}

fn make_private(account: Account, folder: &Path) -> Result<(), PostgresError> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .map_err(PostgresError::because(format!(
            "cannot make {}",
            folder.display()
        )))?;
    account.own(folder)
}

/// A new cluster, and the password of its superuser.
fn initialize(
    programs: &Programs,
    account: Account,
    folder: &Path,
    data: &Path,
) -> Result<String, PostgresError> {
    let password = random_word(24);
    let file = folder.join("password");
    fs::write(&file, &password).map_err(PostgresError::because("cannot write a password"))?;
    account.own(&file)?;
    run(account
        .command(programs.path("initdb"))
        .args(["--username=postgres", "--auth=scram-sha-256"])
        .args(["--encoding=UTF8", "--locale=C", "--no-sync"])
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(&file))?;
    Ok(password)
}

/// A copy of a running primary that will follow it, and the password, which is the primary's.
fn copy_of(
    primary: &Access,
    programs: &Programs,
    account: Account,
    data: &Path,
) -> Result<String, PostgresError> {
    run(account
        .command(programs.path("pg_basebackup"))
        .args(["--host=127.0.0.1", "--username=postgres", "--no-password"])
        .arg(format!("--port={}", primary.port))
        .env("PGPASSWORD", &primary.password)
        .args(["--wal-method=stream", "--checkpoint=fast", "--no-sync"])
        .arg("--write-recovery-conf")
        .arg("--pgdata")
        .arg(data))?;
    Ok(primary.password.clone())
}

fn run(command: &mut Command) -> Result<(), PostgresError> {
    let program = command.get_program().display().to_string();
    let output = command
        .current_dir("/")
        .env("LC_ALL", "C")
        .output()
        .map_err(PostgresError::because(format!("cannot run {program}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PostgresError::new(format!(
        "{program} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}
