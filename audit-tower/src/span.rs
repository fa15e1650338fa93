use audit_core::event::{EventId, Outcome};
use http::{Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

/// The names of a span: of few values each, and nothing that a client chose.
pub(crate) struct Names {
    method: Method,
    route: Option<Box<str>>,
}

impl Names {
    pub(crate) fn new(method: &Method, route: Option<&str>) -> Self {
        let is_wanted = tracing::enabled!(target: "audit_tower", tracing::Level::INFO);
        Self {
            method: method.clone(),
            // Nobody looks at it: spare the copy.
            route: route.filter(|_| is_wanted).map(Into::into),
        }
    }

    pub(crate) fn span(&self, id: EventId) -> Span {
        let method = known(&self.method);
        let span = tracing::info_span!(
            target: "audit_tower",
            "audited request",
            otel.name = Empty,
            otel.kind = "server",
            http.request.method = method,
            http.route = self.route.as_deref(),
            http.response.status_code = Empty,
            "error.type" = Empty,
            audit.event.id = %id,
            audit.outcome = Empty,
        );
        if !span.is_disabled() {
            // A method that no standard names is called HTTP.
            let method = if method == OTHER { "HTTP" } else { method };
            match &self.route {
                Some(route) => span.record("otel.name", format!("{method} {route}").as_str()),
                None => span.record("otel.name", method),
            };
        }
        span
    }
}

pub(crate) fn ended(span: &Span, status: Option<StatusCode>, outcome: Outcome) {
    if span.is_disabled() {
        return;
    }
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if !outcome.is_ok() {
        span.record("error.type", outcome.as_str());
    }
    span.record("audit.outcome", outcome.as_str());
}

const OTHER: &str = "_OTHER";

fn known(method: &Method) -> &'static str {
    match *method {
        Method::CONNECT => "CONNECT",
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}
