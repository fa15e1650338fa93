use std::fmt;

use tokio::sync::OnceCell;

use super::cluster::LocalCluster;
use super::connect::{connect, without_password};
use super::docker::DockerServer;
use super::settings::Settings;
use super::{PostgresError, Via};

/// A Postgres server that tests share, each with a database of its own
/// ([`TestDatabase`](super::TestDatabase)).
pub struct TestPostgres {
    url: String,
    version: String,
    via: Via,
    server: Server,
}

/// What has to be held for the server to live.
enum Server {
    Docker(Box<DockerServer>),
    Local(LocalCluster),
    Others,
}

impl TestPostgres {
    /// The server of this process, found by the first call. It ends with the process, however
    /// that ends.
    ///
    /// # Errors
    /// As [`start`](Self::start). The ways are tried once: later calls answer the same.
    pub async fn shared() -> Result<&'static Self, PostgresError> {
        static SHARED: OnceCell<Result<TestPostgres, String>> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let server = Self::start().await;
                if let Ok(server) = &server {
                    eprintln!("audit-testkit: {server}");
                }
                server.map_err(|error| error.whole_text())
            })
            .await
            .as_ref()
            .map_err(|text| PostgresError::new(text.clone()))
    }

    /// Takes the first way to a server that works, or the one that `AUDIT_TEST_POSTGRES` names.
    ///
    /// # Errors
    /// If no way works; the message says which were tried, why each failed, and what to install.
    pub async fn start() -> Result<Self, PostgresError> {
        let settings = Settings::from_environment()?;
        let mut failures = Vec::new();
        for via in Via::ALL.into_iter().filter(|via| settings.allows(*via)) {
            match Self::start_via(via, &settings).await {
                Ok(server) => return Ok(server),
                Err(error) => failures.push(format!("- {via}: {}", error.whole_text())),
            }
        }
        let rule = match settings.forced {
            Some(via) => format!(" (AUDIT_TEST_POSTGRES={via} allows no other way)"),
            None => String::new(),
        };
        Err(PostgresError::new(format!(
            "no Postgres for the tests{rule}:\n{}\nany one of these will do: a server's address in \
             AUDIT_TEST_DATABASE_URL (its user must be allowed to create databases), a running \
             Docker, or the programs of a Postgres server (Debian: `apt-get install \
             postgresql-15`)",
            failures.join("\n")
        )))
    }

    async fn start_via(via: Via, settings: &Settings) -> Result<Self, PostgresError> {
        // A server that was handed to this process counts as what it is, not as what it was
        // handed over by.
        if let Some((url, given)) = &settings.given
            && (via == Via::Url && settings.forced.is_none() || via == *given)
        {
            return Self::new(url.clone(), *given, Server::Others).await;
        }
        match via {
            Via::Url => Err(PostgresError::new("AUDIT_TEST_DATABASE_URL is not set")),
            Via::Docker => {
                let server = DockerServer::start(&settings.tag).await?;
                Self::new(server.url.clone(), via, Server::Docker(Box::new(server))).await
            }
            Via::Local => {
                let cluster = LocalCluster::builder()
                    // Nothing here has to survive a power cut, and nextest brings many connections.
                    .config("fsync = off")
                    .config("full_page_writes = off")
                    .config("max_connections = 300")
                    .start()
                    .await?;
                Self::new(cluster.url(), via, Server::Local(cluster)).await
            }
        }
    }

    async fn new(url: String, via: Via, server: Server) -> Result<Self, PostgresError> {
        let mut connection = connect(&url).await?;
        let version = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await
            .map_err(PostgresError::because(
                "the server does not say its version",
            ))?;
        Ok(Self {
            url,
            version,
            via,
            server,
        })
    }

    /// The address of a database to create others from, as a user who may.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How the server was come by.
    #[must_use]
    pub fn via(&self) -> Via {
        self.via
    }

    /// The server's own word for its version, such as `15.18 (Debian 15.18-0+deb12u1)`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Ends a server that was started by [`start`](Self::start), and waits for its end.
    ///
    /// # Errors
    /// If a container cannot be removed.
    pub async fn stop(self) -> Result<(), PostgresError> {
        match self.server {
            Server::Docker(server) => server.stop().await,
            Server::Local(cluster) => {
                drop(cluster);
                Ok(())
            }
            Server::Others => Ok(()),
        }
    }
}

impl fmt::Display for TestPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = without_password(&self.url);
        write!(f, "Postgres {} at {url}, via {}", self.version, self.via)
    }
}

impl fmt::Debug for TestPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestPostgres({self})")
    }
}
