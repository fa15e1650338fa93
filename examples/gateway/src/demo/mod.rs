//! A gateway to try: keys that are made when it starts, roles from `roles.toml`, and a server of a
//! few tools in the same process.

mod tools;

use std::time::Duration;

use audit_core::event::Upstream as UpstreamName;
use sha2::{Digest, Sha256};

pub use tools::DemoServer;

use crate::config::Config;
use crate::error::ConfigError;
use crate::keys::{ApiKeys, hash_of};
use crate::roles::Roles;
use crate::upstream::Upstream;

/// The roles of the demo: the file that a gateway author begins with.
pub const ROLES: &str = include_str!("../../roles.toml");

/// How long a tool of the demo may take: long enough for every tool that ends, short enough to
/// wait for.
pub const TOOL_TIMEOUT: Duration = Duration::from_secs(1);

/// A gateway to try, and the keys to try it with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Demo {
    /// What to [serve](crate::serve).
    pub config: Config,
    /// The keys; the gateway itself has their hashes.
    pub keys: DemoKeys,
    /// The server behind it.
    pub server: DemoServer,
}

/// The keys of the demo. They are shown by nobody: take them to call with.
#[derive(Clone)]
#[non_exhaustive]
pub struct DemoKeys {
    /// Of the role `operator`: all tools.
    pub operator: String,
    /// Of the role `reader`: what only reads.
    pub reader: String,
    /// Of the role `trial`: `search`, twice a minute.
    pub trial: String,
    /// No key of the gateway, and looks like one.
    pub unknown: String,
}

impl DemoKeys {
    /// Each with its name on record; the unknown one has none.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("k_operator", self.operator.as_str()),
            ("k_reader", self.reader.as_str()),
            ("k_trial", self.trial.as_str()),
        ]
        .into_iter()
    }

    /// All of them: what must be nowhere in a store.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let known = self.named().map(|(_, key)| key);
        known.chain([self.unknown.as_str()])
    }

    fn from_seed(seed: &[u8]) -> Self {
        let key = |name: &str| {
            let bits = Sha256::new()
                .chain_update(seed)
                .chain_update(name)
                .finalize();
            format!("gw_{}", hash_of(&format!("{bits:?}")))
        };
        Self {
            operator: key("operator"),
            reader: key("reader"),
            trial: key("trial"),
            unknown: key("unknown"),
        }
    }

    fn to_toml(&self) -> String {
        let entry = |(id, key): (&str, &str)| {
            let role = id.trim_start_matches("k_");
            let hash = hash_of(key);
            format!("[[key]]\nid = \"{id}\"\nrole = \"{role}\"\nsha256 = \"{hash}\"\n")
        };
        self.named().map(entry).collect()
    }
}

impl std::fmt::Debug for DemoKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoKeys").finish_non_exhaustive()
    }
}

/// Makes a demo: the same keys for the same seed, so take a random one.
///
/// # Errors
/// The roles cannot be read, or the server in the process does not answer.
pub async fn prepare(seed: &[u8]) -> Result<Demo, ConfigError> {
    let keys = DemoKeys::from_seed(seed);
    let server = DemoServer::new();
    let name = UpstreamName::lossy("demo-tools");
    let upstream = Upstream::in_process(name, server.clone()).await;
    let mut config = Config::new(
        ApiKeys::from_toml(&keys.to_toml())?,
        Roles::from_toml(ROLES)?,
        upstream.map_err(ConfigError::new)?,
    );
    config.tool_timeout = TOOL_TIMEOUT;
    Ok(Demo {
        config,
        keys,
        server,
    })
}
