use std::net::IpAddr;
use std::sync::Arc;

use audit_core::{AuditLogger, AuditReader, Clock};

use crate::access::{SessionFile, Sessions, TokenName, Tokens};
use crate::api::Door;
use crate::config::WebConfig;
use crate::live::Hubs;
use crate::metrics::RenderMetrics;
use crate::seats::Seats;
use crate::server::Ending;
use crate::system::SystemStatus;
use crate::throttle::Throttle;

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Web {
    /// The store that is asked.
    pub(crate) reader: Arc<dyn AuditReader>,
    /// Where the server's own events go: who read what.
    pub(crate) logger: AuditLogger,
    /// Where events go that gateways hand in, if they may.
    pub(crate) ingest: Option<Door>,
    /// What the system page is told.
    pub(crate) system: Option<Arc<dyn SystemStatus>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) sessions: Sessions,
    /// Where they lie between two servers.
    pub(crate) session_file: Option<SessionFile>,
    /// The numbers of the process, where they are collected.
    pub(crate) metrics: Option<Arc<dyn RenderMetrics>>,
    /// How often an address, and a token, may ask.
    pub(crate) by_address: Throttle<IpAddr>,
    pub(crate) by_token: Throttle<TokenName>,
    /// How often an address may present what is no token.
    pub(crate) logins: Throttle<IpAddr>,
    /// What streams of events share.
    pub(crate) hubs: Hubs,
    /// A seat for each stream that may be open.
    pub(crate) stream_seats: Arc<Seats<TokenName>>,
    pub(crate) ending: Ending,
    pub(crate) config: WebConfig,
}
