//! The trail over HTTP.

mod system;

use std::io::{ErrorKind, IsTerminal as _};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_web::access::{Scope, Secret, SessionFile, Token, TokenName, Tokens};
use audit_web::metrics::RenderMetrics;
use audit_web::{BoundServer, Exposure, TlsIdentity, WebConfig, WebServer, WebServerBuilder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use self::system::StoreSystem;
use super::now;
use super::token::{TokensArgs, unreadable};
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::signals::Signals;
use crate::store::{self, OpenStore, StoreAddress};

#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Where to listen; beyond this machine only with TLS or behind a proxy
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// A name by which it may be called besides its address
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The server's certificate and those that lead to an authority, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy of one's own ends TLS, alone can reach the address, and adds X-Forwarded-For
    #[arg(long, conflicts_with = "tls_cert")]
    behind_proxy: bool,
    /// How many requests a token, and an address, may send in a second
    #[arg(long, value_name = "N", default_value = "100")]
    requests_per_second: NonZeroU32,
    #[command(flatten)]
    tokens: TokensArgs,
}

/// How long the end waits for records that are on their way.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: ServeArgs) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new()?;
    let config = args.config()?;
    let file = args.tokens.file()?;
    let tokens = Tokens::of_file(file.clone());
    let has_valid = tokens.has_valid(now());
    let has_valid = has_valid.map_err(|error| unreadable(&file, &error))?;
    if !has_valid {
        let_in_who_sits_here(&tokens, &file)?;
    }
    let metrics = collect_metrics()?;
    let address = args.store.address()?;
    let store = store::open(&address).await?;
    let scheme = match args.tls_cert {
        Some(_) => "https",
        None => "http",
    };
    // One for each place to listen at: two servers may share their tokens.
    let sessions = format!("sessions-{}.json", args.listen.port());
    let sessions = SessionFile::at(file.path().with_file_name(sessions));
    let serving = Serving::start(&store, &address, Arc::new(tokens), config, |server| {
        server.metrics(metrics).session_file(sessions)
    });
    let serving = serving.await?;
    output::tell(format_args!(
        "audit: serving {address} at {scheme}://{}",
        serving.address()
    ));
    serving.until(signals.next()).await?;
    close(&store).await?;
    Ok(ExitCode::SUCCESS)
}

/// A server of a store, and the logger of what it does.
pub(crate) struct Serving {
    bound: BoundServer,
    logger: AuditLogger,
}

impl Serving {
    /// Listens.
    pub(crate) async fn start(
        store: &OpenStore,
        address: &StoreAddress,
        tokens: Arc<Tokens>,
        config: WebConfig,
        build: impl FnOnce(WebServerBuilder) -> WebServerBuilder,
    ) -> Result<Self, Failure> {
        let logger = AuditLogger::builder(Arc::clone(&store.sink))
            .writer_name("audit-serve")
            .build()
            .map_err(|error| Failure::because("reads cannot be recorded", &error))?;
        let system = StoreSystem::new(address.clone(), store, logger.clone());
        let reader = Arc::clone(&store.reader);
        let server = WebServer::builder(reader, logger.clone(), tokens, config)
            .ingest(Arc::clone(&store.sink))
            .system(Arc::new(system));
        let bound = build(server).build().bind().await.map_err(|error| {
            let failure = Failure::because("the server cannot listen", &error);
            match error.kind() {
                ErrorKind::AddrInUse => failure
                    .advice("another program has the port: --listen another one, or 0 for any"),
                _ => failure,
            }
        })?;
        Ok(Self { bound, logger })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Serves until then; ends with every record stored.
    pub(crate) async fn until(self, end: impl Future<Output = ()> + Send) -> Result<(), Failure> {
        self.bound.serve(end).await;
        let report = self.logger.shutdown(DRAIN).await;
        if report.unstored.is_empty() {
            return Ok(());
        }
        let what = format!("{} records were not stored", report.unstored.len());
        Err(Failure::new(what)
            .advice("the store did not take them in time: audit doctor looks closer")
            .exit(Exit::Incomplete))
    }
}

impl ServeArgs {
    fn config(&self) -> Result<WebConfig, Failure> {
        let exposure = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Exposure::Tls(identity(certificate, key)?),
            _ if self.behind_proxy => Exposure::BehindProxy,
            _ => Exposure::Loopback,
        };
        let config = WebConfig::at(self.listen)
            .exposure(exposure)
            .requests_per_second(self.requests_per_second);
        config.check_exposure().map_err(|error| {
            Failure::because(format!("{} is not served as it is", self.listen), &error)
                .advice(
                    "--tls-cert and --tls-key protect them; --behind-proxy says that a proxy of yours \
                     does; or listen at 127.0.0.1",
                )
                .exit(Exit::Usage)
        })?;
        Ok(self.hosts.iter().fold(config, WebConfig::host))
    }
}

fn identity(certificate: &Path, key: &Path) -> Result<TlsIdentity, Failure> {
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| Failure::because(format!("{} cannot be read", path.display()), &error))
    };
    TlsIdentity::from_pem(&read(certificate)?, &read(key)?).map_err(|error| {
        let what = format!(
            "{} and {} are no certificate with its key",
            certificate.display(),
            key.display()
        );
        Failure::because(what, &error).exit(Exit::Usage)
    })
}

/// Where there is no token yet, whoever sits at the terminal, and could ask the store itself, gets
/// one that ends with the server.
fn let_in_who_sits_here(
    tokens: &Tokens,
    file: &audit_web::access::TokenFile,
) -> Result<(), Failure> {
    if !std::io::stderr().is_terminal() {
        let what = format!("there is no valid token in {}", file.path().display());
        return Err(Failure::new(what)
            .advice("nobody could ask: audit token create NAME --scope viewer makes one")
            .exit(Exit::NotFound));
    }
    let secret = temporary_token(tokens, Scope::Admin)?;
    output::tell(format_args!(
        "audit: there is no token yet. This one is valid until the server ends:\n\n    {}\n\n\
         audit: audit token create NAME --scope viewer makes one that lasts",
        secret.reveal()
    ));
    Ok(())
}

/// A token that ends with the server.
pub(crate) fn temporary_token(tokens: &Tokens, scope: Scope) -> Result<Secret, Failure> {
    let secret = Secret::random();
    let name = format!("temporary-{}", &secret.digest().to_string()[..12]);
    let name = TokenName::new(&name)
        .map_err(|error| Failure::because("a token cannot be made", &error))?;
    let token = Token::new(name, scope.into(), secret.digest(), now());
    if tokens.add(token) {
        return Ok(secret);
    }
    Err(Failure::new("a token cannot be made: its name is taken"))
}

/// Collects the numbers of the process from now on.
fn collect_metrics() -> Result<Arc<dyn RenderMetrics>, Failure> {
    let handle = PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| Failure::because("metrics cannot be collected", &error))?;
    Ok(Arc::new(Numbers(handle)))
}

struct Numbers(PrometheusHandle);

impl RenderMetrics for Numbers {
    fn render(&self) -> String {
        // Histograms keep what was not looked at yet.
        self.0.run_upkeep();
        self.0.render()
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Numbers")
    }
}

async fn close(store: &OpenStore) -> Result<(), Failure> {
    let closed = store.sink.close().await;
    closed.map_err(|error| Failure::because("the store cannot be closed", &error))
}
