use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use url::Url;

use super::PostgresError;
use super::account::Account;
use super::cluster_builder::temporary_folder;
use super::port::free_port;
use super::supervisor::Supervisor;
use super::wait::until;

/// A PgBouncer in front of a server: connections are shared, transaction by transaction.
///
/// Debian's, 1.18, knows nothing of prepared statements, which live on whichever server connection
/// they were sent to. A client of sqlx has to run every statement in a transaction, as a query
/// that is not `persistent`: a cache of capacity 0 alone still gives statements names, and then
/// two clients have the same.
///
/// It ends when this is dropped and when this process ends, also by `kill -9`.
#[derive(Debug)]
pub struct PgBouncer {
    supervisor: Supervisor,
    port: u16,
}

impl PgBouncer {
    /// Stands in front of the server of this database, for its user and all its databases.
    ///
    /// # Errors
    /// If PgBouncer is not installed (the message says how to) or does not start.
    pub async fn start(database_url: &str) -> Result<Self, PostgresError> {
        Self::start_with(database_url, &[]).await
    }

    /// The same, with more lines for the section `[pgbouncer]` of its configuration, such as
    /// `default_pool_size = 2`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(database_url: &str, config: &[&str]) -> Result<Self, PostgresError> {
        Self::start_for(&[database_url], config).await
    }

    /// The same for several users of one server, who are those of these addresses.
    ///
    /// # Errors
    /// As [`start`](Self::start), or there is no address.
    pub async fn start_for(database_urls: &[&str], config: &[&str]) -> Result<Self, PostgresError> {
        let program = find_program()?;
        let servers = database_urls.iter().map(|url| url.parse());
        let servers: Vec<Url> = servers
            .collect::<Result<_, _>>()
            .map_err(PostgresError::because("the database's address is no URL"))?;
        let server = servers
            .first()
            .ok_or_else(|| PostgresError::new("PgBouncer wants the address of a database"))?;
        let account = Account::find()?;
        let port = free_port()?;
        let folder = temporary_folder(account)?;
        let file = folder.join("pgbouncer.ini");
        let supervisor = Supervisor::new(
            account,
            &folder,
            "TERM",
            &program,
            &[file.display().to_string()],
        )?;
        let users = folder.join("users");
        let lines: String = servers.iter().map(user_line).collect();
        write(account, &users, &lines)?;
        write(account, &file, &configuration(server, port, &users, config))?;

        let bouncer = Self { supervisor, port };
        bouncer.run().await?;
        Ok(bouncer)
    }

    /// This database, by way of PgBouncer.
    ///
    /// # Errors
    /// If the address is no URL with a host.
    pub fn url(&self, database_url: &str) -> Result<String, PostgresError> {
        let failed = "the database's address is no URL that PgBouncer can stand before";
        let mut url: Url = database_url
            .parse()
            .map_err(PostgresError::because(failed))?;
        url.set_ip_host(Ipv4Addr::LOCALHOST.into())
            .and_then(|()| url.set_port(Some(self.port)))
            .map_err(|()| PostgresError::new(failed))?;
        Ok(url.into())
    }

    /// What PgBouncer has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.supervisor.log()
    }

    async fn run(&self) -> Result<(), PostgresError> {
        let pid = self.supervisor.start().await?;
        let is_gone = || self.supervisor.pid() != Some(pid);
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        until("PgBouncer listens", || is_gone() || listens()).await?;
        if is_gone() {
            return Err(PostgresError::new(format!(
                "PgBouncer ended while it started; its log:\n{}",
                self.log()
            )));
        }
        Ok(())
    }
}

fn find_program() -> Result<PathBuf, PostgresError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // Where Debian puts it, which is not on the path of every user.
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            PostgresError::new(
                "there is no `pgbouncer` in PATH or /usr/sbin; install it (Debian: `apt-get \
                 install pgbouncer`)",
            )
        })
}

/// PgBouncer takes the password from here for both of its sides. What is in addresses of ours needs
/// no escapes.
fn user_line(server: &Url) -> String {
    let user = server.username();
    let password = server.password().unwrap_or_default();
    format!("\"{user}\" \"{password}\"\n")
}

fn configuration(server: &Url, port: u16, users: &Path, more: &[&str]) -> String {
    let host = server.host_str().unwrap_or("127.0.0.1");
    let server_port = server.port().unwrap_or(5432);
    let users = users.display();
    let more = more.join("\n");
    format!(
        "[databases]\n\
         * = host={host} port={server_port}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {users}\n\
         pool_mode = transaction\n\
         max_client_conn = 300\n\
         ignore_startup_parameters = extra_float_digits\n\
         {more}\n"
    )
}

fn write(account: Account, file: &Path, text: &str) -> Result<(), PostgresError> {
    fs::write(file, text).map_err(PostgresError::because(format!(
        "cannot write {}",
        file.display()
    )))?;
    account.own(file)
}
