//! A small MCP gateway that audits every call: what a gateway author copies.
//!
//! A request goes through these files, in this order:
//!
//! | file | what it does | a refusal is on record as |
//! |---|---|---|
//! | `asked.rs` | reads the body, up to a bound, and what it asks for | `invalid_request` |
//! | `routes.rs` | puts the layers together; `AuditLayer` begins the record | |
//! | `authenticate.rs` | who calls, by the hash of the key | `unauthenticated` |
//! | `limit.rs` | how often this key may call | `rate_limited`; `internal_error` if the limiter is down |
//! | `gateway.rs` | whether the role may use the tool; asks the server behind | `denied`, `timeout`, `upstream_disconnected` |
//! | `refusal.rs` | says no, to the caller and to the record | |
//!
//! The record is begun before anything is decided, so that a refusal is on it too, and names the
//! tool. `AuditLayer` of `audit-tower` ends it when the last byte of the answer is sent, or when the
//! caller has left; `Audited` of `audit-mcp` says what MCP knows: arguments, result, outcome.
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_example_gateway::{demo, serve};
//! use tokio::net::TcpListener;
//!
//! # async fn run(logger: AuditLogger) -> Result<(), Box<dyn std::error::Error>> {
//! let demo = demo::prepare(b"any seed").await?;
//! let listener = TcpListener::bind("127.0.0.1:8080").await?;
//! serve(demo.config, logger, listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod asked;
mod authenticate;
mod config;
pub mod demo;
mod error;
mod gateway;
mod keys;
mod limit;
mod rate;
mod refusal;
mod roles;
mod routes;
mod upstream;

pub use config::Config;
pub use error::ConfigError;
pub use keys::{ApiKeys, hash_of, new_key};
pub use rate::{FixedWindow, LimiterDown, Quota, RateLimiter, Taken};
pub use roles::{RoleRules, Roles};
pub use routes::{MCP_PATH, serve};
pub use upstream::Upstream;
