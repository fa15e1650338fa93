//! `audit proxy`: between an MCP client and its server.

mod child;
mod closing;
mod end_of_input;
mod http;
mod recorder;
mod stdio;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use audit_core::event::{ApiKeyId, Role, Upstream};
use audit_mcp::conversation::Unrecorded;
use clap::ValueEnum;

use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};

pub(crate) use child::{TIED, TiedArgs, become_server};

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProxyArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Serve HTTP at this address, in front of --upstream
    #[arg(long, value_name = "ADDRESS:PORT", requires = "upstream")]
    listen: Option<SocketAddr>,
    /// The streamable-HTTP server behind
    #[arg(
        long,
        value_name = "URL",
        requires = "listen",
        conflicts_with = "command"
    )]
    upstream: Option<url::Url>,
    /// How safely calls are kept, and what of their payloads, as TOML: durability, rules by tool,
    /// method and outcome, and a table of payload rules
    #[arg(
        long,
        value_name = "FILE",
        env = "AUDIT_POLICY",
        hide_env_values = true
    )]
    policy: Option<PathBuf>,
    /// What happens to calls while the store takes no records and the queue is full
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value_t,
        env = "AUDIT_ON_STORE_FAILURE",
        hide_env_values = true
    )]
    on_store_failure: OnStoreFailure,
    /// The folder of the spool, where records wait for a store that is away [default: in the user's
    /// data folder; a SQLite store has one only where the policy writes ahead]
    #[arg(
        long,
        value_name = "FOLDER",
        env = "AUDIT_SPOOL",
        hide_env_values = true
    )]
    spool: Option<PathBuf>,
    /// The header that carries the caller's key: recorded as the key's id is a digest of it, and
    /// what it holds appears nowhere
    #[arg(
        long,
        value_name = "NAME",
        default_value = "authorization",
        requires = "listen"
    )]
    api_key_header: String,
    /// Whom every call is recorded of, instead
    #[arg(long, value_name = "ID")]
    api_key_id: Option<String>,
    /// The role under which every call is recorded
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The name of the server in records [default: its command or its address]
    #[arg(long, value_name = "NAME")]
    upstream_name: Option<String>,
    /// Hosts by which clients may call this proxy, beside those of --listen
    #[arg(long, value_name = "HOST", requires = "listen")]
    allow_host: Vec<String>,
    /// The server to start, with its arguments
    #[arg(
        last = true,
        value_name = "COMMAND",
        required_unless_present = "listen"
    )]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  audit proxy -- uvx mcp-server-time
  audit proxy --store postgres://audit@db.internal/audit -- npx @modelcontextprotocol/server-everything
  audit proxy --listen 127.0.0.1:8080 --upstream http://127.0.0.1:3001/mcp";

/// What happens to calls that cannot be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnStoreFailure {
    /// They go on; how many did is recorded as soon as that is possible
    Pass,
    /// They are refused before the tool runs
    #[default]
    Refuse,
}

impl OnStoreFailure {
    fn unrecorded(self) -> Unrecorded {
        match self {
            Self::Pass => Unrecorded::Forward,
            Self::Refuse => Unrecorded::Refuse,
        }
    }
}

/// Of whom calls are recorded, as the command line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) api_key_id: Option<ApiKeyId>,
    pub(crate) role: Option<Role>,
}

pub(crate) async fn run(args: ProxyArgs) -> Result<ExitCode, Failure> {
    let usage = |what: &str, error: audit_core::event::InvalidField| {
        Failure::because(format!("{what} cannot be used"), &error).exit(Exit::Usage)
    };
    let identity = Identity {
        api_key_id: args
            .api_key_id
            .map(ApiKeyId::new)
            .transpose()
            .map_err(|error| usage("--api-key-id", error))?,
        role: args
            .role
            .map(Role::new)
            .transpose()
            .map_err(|error| usage("--role", error))?,
    };
    let upstream_name = args
        .upstream_name
        .map(Upstream::new)
        .transpose()
        .map_err(|error| usage("--upstream-name", error))?;
    let options = recorder::Options {
        address: args.store.address()?,
        policy: args.policy,
        on_store_failure: args.on_store_failure,
        spool: args.spool,
    };
    match (args.listen, args.upstream) {
        (Some(listen), Some(upstream)) => {
            let server = http::Server {
                listen,
                upstream,
                upstream_name,
                identity,
                api_key_header: args.api_key_header,
                allowed_hosts: args.allow_host,
                on_store_failure: options.on_store_failure,
            };
            http::run(server, options).await
        }
        _ => stdio::run(args.command, upstream_name, identity, options).await,
    }
}
