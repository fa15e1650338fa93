use std::sync::Arc;

use audit_core::{AuditLogger, AuditReader, AuditSink, Clock, SystemClock};

use super::{Ending, WebServer};
use crate::access::{SessionFile, Sessions, Tokens};
use crate::api::Door;
use crate::config::WebConfig;
use crate::live::Hubs;
use crate::metrics::RenderMetrics;
use crate::seats::Seats;
use crate::state::Web;
use crate::system::SystemStatus;
use crate::throttle::{Rate, Throttle};

/// The most streams at once, and those of one token.
const MOST_STREAMS: usize = 512;
const MOST_OF_TOKEN: usize = 256;

/// A person who mistypes a token has a few tries at once, then one in ten seconds.
const LOGINS: Rate = Rate {
    burst: 5.0,
    per_second: 0.1,
};

/// Puts a [`WebServer`] together.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct WebServerBuilder {
    web: Web,
}

impl WebServerBuilder {
    pub(super) fn new(
        reader: Arc<dyn AuditReader>,
        logger: AuditLogger,
        tokens: Arc<Tokens>,
        config: WebConfig,
    ) -> Self {
        Self {
            web: Web {
                reader,
                logger,
                ingest: None,
                system: None,
                metrics: None,
                clock: Arc::new(SystemClock::new()),
                tokens,
                sessions: Sessions::default(),
                session_file: None,
                by_address: Throttle::new(config.rate()),
                by_token: Throttle::new(config.rate()),
                logins: Throttle::new(LOGINS),
                hubs: Hubs::default(),
                stream_seats: Arc::new(Seats::new(MOST_STREAMS, MOST_OF_TOKEN)),
                ending: Ending::default(),
                config,
            },
        }
    }

    /// Takes events from gateways, and stores them here; without it none are taken.
    ///
    /// What a gateway does not number itself is numbered under the name of its token. A token of the
    /// name under which the server's own logger writes hands nothing in.
    pub fn ingest(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.web.ingest = Some(Door::new(sink));
        self
    }

    /// Shows how the system is.
    pub fn system(mut self, system: Arc<dyn SystemStatus>) -> Self {
        self.web.system = Some(system);
        self
    }

    /// Answers at `/metrics` with these numbers.
    pub fn metrics(mut self, render: Arc<dyn RenderMetrics>) -> Self {
        self.web.metrics = Some(render);
        self
    }

    /// Goes on with the sessions of browsers that the server before left here, and leaves its own;
    /// without it, people log in again behind a restart.
    pub fn session_file(mut self, file: SessionFile) -> Self {
        self.web.session_file = Some(file);
        self
    }

    /// Where time comes from; the operating system's clocks, if nothing is said.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.web.clock = clock;
        self
    }

    /// The server, which does not listen yet.
    #[must_use]
    pub fn build(self) -> WebServer {
        WebServer {
            web: Arc::new(self.web),
        }
    }
}
