use std::time::Duration;

use sqlx::postgres::PgConnection;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::PostgresError;
use super::connect::connect;
use super::word::random_word;

const PORT: u16 = 5432;
const LOOPBACK: &str = "127.0.0.1";
/// A first run may have to pull the image.
const START: Duration = Duration::from_secs(180);
const LEASE: Duration = Duration::from_secs(30);
/// The lease, and the mark that it was taken, which `docker_lease.sh` looks for.
const LEASE_STATEMENTS: [&str; 2] = [
    "SELECT pg_advisory_lock(5219)",
    "COMMENT ON DATABASE postgres IS 'leased'",
];

/// A Postgres in a container, which goes when this process goes.
///
/// testcontainers removes a container when its handle is dropped. Statics are not dropped, and a
/// process that is killed drops nothing; so the container itself waits for the end of a lease, an
/// advisory lock held over a connection of this process, and then ends and is removed by Docker.
pub(super) struct DockerServer {
    pub(super) url: String,
    container: ContainerAsync<GenericImage>,
    /// Held and never used.
    _lease: PgConnection,
}

impl DockerServer {
    pub(super) async fn start(tag: &str) -> Result<Self, PostgresError> {
        let password = random_word(24);
        let request = GenericImage::new("postgres", tag)
            .with_entrypoint("bash")
            .with_exposed_port(PORT.tcp())
            .with_wait_for(WaitFor::message_on_stderr(
                "database system is ready to accept connections",
            ))
            .with_env_var("POSTGRES_PASSWORD", &password)
            .with_startup_timeout(START)
            .with_host_config_modifier(|host| host.auto_remove = Some(true))
            .with_cmd([
                "-c",
                include_str!("docker_lease.sh"),
                "docker_lease",
                // Nothing here has to survive a power cut, and nextest brings many connections.
                "-cfsync=off",
                "-cfull_page_writes=off",
                "-cmax_connections=300",
            ]);
        // Where there is no way to a registry, a pull hangs rather than fails.
        let container = timeout(START, request.start())
            .await
            .map_err(PostgresError::because(format!(
                "no container of the image postgres:{tag} within {START:?}"
            )))?
            .map_err(PostgresError::because(format!(
                "no container of the image postgres:{tag}; is the Docker daemon running \
                 (`docker info`), and can the image be pulled (`docker pull postgres:{tag}`)?"
            )))?;
        let url = address(&container, &password).await?;
        let lease = take_lease(&url).await?;
        Ok(Self {
            url,
            container,
            _lease: lease,
        })
    }

    /// Removes the container.
    pub(super) async fn stop(self) -> Result<(), PostgresError> {
        self.container
            .rm()
            .await
            .map_err(PostgresError::because("cannot remove the container"))
    }
}

async fn address(
    container: &ContainerAsync<GenericImage>,
    password: &str,
) -> Result<String, PostgresError> {
    let unreachable = "cannot find out where the container listens";
    let host = container
        .get_host()
        .await
        .map_err(PostgresError::because(unreachable))?
        .to_string();
    let port = container
        .get_host_port_ipv4(PORT)
        .await
        .map_err(PostgresError::because(unreachable))?;
    // Whoever stands in a container himself is told the bridge, although the daemon may well be on
    // this side of it. The port is that of IPv4, and `localhost` may be IPv6 first.
    if host == "localhost" || TcpStream::connect((LOOPBACK, port)).await.is_ok() {
        return Ok(format!(
            "postgres://postgres:{password}@{LOOPBACK}:{port}/postgres"
        ));
    }
    // The server of a test speaks no TLS, which another machine would have to.
    Ok(format!(
        "postgres://postgres:{password}@{host}:{port}/postgres?sslmode=prefer"
    ))
}

/// The ready line stands in the log a moment before the port answers through Docker's proxy.
async fn take_lease(url: &str) -> Result<PgConnection, PostgresError> {
    let deadline = Instant::now() + LEASE;
    let mut connection = loop {
        match connect(url).await {
            Ok(connection) => break connection,
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    };
    for statement in LEASE_STATEMENTS {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .map_err(PostgresError::because("cannot lease the container"))?;
    }
    Ok(connection)
}
