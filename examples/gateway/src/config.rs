use std::sync::Arc;
use std::time::Duration;

use crate::keys::ApiKeys;
use crate::rate::{FixedWindow, RateLimiter};
use crate::roles::Roles;
use crate::upstream::Upstream;

/// What a gateway is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Who may come in.
    pub keys: ApiKeys,
    /// What they may do.
    pub roles: Roles,
    /// Who counts how often.
    pub limiter: Arc<dyn RateLimiter>,
    /// The server behind the gateway.
    pub upstream: Upstream,
    /// How long a tool may take; 30 seconds, if nothing is said.
    pub tool_timeout: Duration,
    /// How long a caller may take to send a request; 10 seconds, if nothing is said.
    pub body_timeout: Duration,
    /// How long a request may be, whoever sends it; 256 KiB, if nothing is said.
    pub max_body_bytes: usize,
    /// The names under which the gateway is reached, against DNS rebinding; loopback, if nothing
    /// is said.
    pub allowed_hosts: Vec<String>,
}

impl Config {
    /// A gateway in front of this server.
    #[must_use]
    pub fn new(keys: ApiKeys, roles: Roles, upstream: Upstream) -> Self {
        Self {
            keys,
            roles,
            limiter: Arc::new(FixedWindow::default()),
            upstream,
            tool_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            max_body_bytes: 256 * 1024,
            allowed_hosts: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into(),
        }
    }
}
