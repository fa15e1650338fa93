//! The audit trail over HTTP: an API to ask it, a live stream, a door for gateways in other
//! languages, and a dashboard. It reads any store through [`AuditReader`](audit_core::AuditReader).
//!
//! # The pieces
//! - [`WebServer`]: what is served, put together by its builder; [`WebConfig`] says where and how,
//!   [`Hosts`] by which names.
//! - [`access`]: tokens, what each of them may do, and the file that holds their digests.
//! - [`metrics`]: the numbers of a server.
//! - [`system`]: what the system page and the health check are told by whoever runs the server.
//!
//! # What it does not do
//! It knows no store, writes no file but that of its tokens, and serves HTTP/1.1 alone.

pub mod access;
pub mod metrics;
pub mod system;

mod config;
mod server;

mod api;
mod assets;
mod dashboard;
mod guard;
mod health;
mod live;
mod login;
mod problem;
mod reads;
mod seats;
mod state;
mod throttle;

pub use config::{Exposure, WebConfig};
pub use guard::Hosts;
pub use server::{BoundServer, TlsIdentity, WebServer, WebServerBuilder};
