use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::AuditLogger;
use audit_core::event::{EventDraft, Outcome};
use http::HeaderName;
use http::request::Parts;

type Hook<F> = Option<Arc<F>>;
type Route = dyn for<'a> Fn(&'a Parts) -> Option<&'a str> + Send + Sync;
type Address = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;
type Draft = dyn Fn(&Parts, EventDraft) -> EventDraft + Send + Sync;

/// What the layer was told; all services of a layer share it.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) logger: AuditLogger,
    pub(crate) is_fail_open: bool,
    pub(crate) captures_responses: bool,
    pub(crate) request_headers: Vec<HeaderName>,
    pub(crate) response_headers: Vec<HeaderName>,
    pub(crate) credential_headers: Vec<HeaderName>,
    pub(crate) session_header: Option<HeaderName>,
    pub(crate) request_id_header: Option<HeaderName>,
    pub(crate) route: Hook<Route>,
    pub(crate) address: Hook<Address>,
    pub(crate) draft: Hook<Draft>,
    pub(crate) broken_body: Outcome,
    pub(crate) unrecorded: Arc<Counter>,
    pub(crate) refused: Arc<Counter>,
}

impl Options {
    pub(crate) fn new(logger: AuditLogger) -> Self {
        Self {
            logger,
            is_fail_open: false,
            captures_responses: false,
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            credential_headers: Vec::new(),
            session_header: None,
            request_id_header: None,
            route: None,
            address: None,
            draft: None,
            broken_body: Outcome::InternalError,
            unrecorded: Arc::default(),
            refused: Arc::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("logger", &self.logger)
            .field("is_fail_open", &self.is_fail_open)
            .field("captures_responses", &self.captures_responses)
            .field("request_headers", &self.request_headers)
            .field("response_headers", &self.response_headers)
            .field("credential_headers", &self.credential_headers)
            .field("session_header", &self.session_header)
            .field("request_id_header", &self.request_id_header)
            .field("broken_body", &self.broken_body)
            .field("unrecorded", &self.unrecorded)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Counts one, and says how many there are where a line in the log is due: at powers of two,
    /// so that an outage does not flood it.
    pub(crate) fn add_one(&self) -> Option<u64> {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        n.is_power_of_two().then_some(n)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_at_powers_of_two() {
        let counter = Counter::default();
        let due: Vec<_> = (0..20).filter_map(|_| counter.add_one()).collect();
        assert_eq!(due, [1, 2, 4, 8, 16]);
        assert_eq!(counter.get(), 20);
    }
}
