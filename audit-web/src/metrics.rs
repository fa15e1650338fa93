//! The numbers of a server, for whoever installed a recorder of the `metrics` facade.
//!
//! | name | kind, unit | labels | what |
//! |---|---|---|---|
//! | `audit_web_requests_total` | counter | `method`, `route`, `status` | requests that were answered |
//! | `audit_web_request_seconds` | histogram, seconds | `method`, `route` | until the head of the answer |
//! | `audit_web_streams` | gauge | | live streams that are open |
//! | `audit_web_ingested_events_total` | counter | `result` | events that gateways handed in |
//!
//! A route is the pattern of a path, never the path. The numbers of the server's own logger are those
//! of [`audit_core::logger::metrics`].

use std::fmt::Debug;

/// Writes the numbers of the process in Prometheus' text format, for `/metrics`.
pub trait RenderMetrics: Debug + Send + Sync + 'static {
    /// All numbers, now.
    fn render(&self) -> String;
}
