use crate::event::{CheckName, EventMetadata};

/// The texts of an event that a filter can ask for, by the words of the filter grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TextField {
    /// `address`: the address of the client.
    ClientAddress,
    /// `client`: the name that the client claims.
    ClientName,
    /// `client_version`: the version that the client claims.
    ClientVersion,
    /// `key`: which API key called.
    Key,
    /// `method`: what was called.
    Method,
    /// `request`: the JSON-RPC id.
    RequestId,
    /// `role`: under which role.
    Role,
    /// `session`: the session of the call.
    Session,
    /// `tool`: which tool.
    Tool,
    /// `upstream`: which server answered.
    Upstream,
    /// `writer`: the logger that numbered the event.
    Writer,
}

/// What a condition is about. Terms about the same field are alternatives, terms about different
/// fields are all needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// Free text.
    Contains,
    /// The id.
    Id,
    /// The latency.
    Latency,
    /// The outcome.
    Outcome,
    /// Whether something was redacted.
    Redacted,
    /// The number.
    Seq,
    /// The span.
    SpanId,
    /// The status.
    Status,
    /// A text.
    Text(TextField),
    /// The time.
    Time,
    /// The trace.
    TraceId,
    /// The time that the upstream took.
    UpstreamLatency,
    /// The answer of a check.
    Verdict(CheckName),
}

impl TextField {
    /// Every text field.
    pub const ALL: &[Self] = &[
        Self::ClientAddress,
        Self::ClientName,
        Self::ClientVersion,
        Self::Key,
        Self::Method,
        Self::RequestId,
        Self::Role,
        Self::Session,
        Self::Tool,
        Self::Upstream,
        Self::Writer,
    ];

    /// The word of the filter grammar.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientAddress => "address",
            Self::ClientName => "client",
            Self::ClientVersion => "client_version",
            Self::Key => "key",
            Self::Method => "method",
            Self::RequestId => "request",
            Self::Role => "role",
            Self::Session => "session",
            Self::Tool => "tool",
            Self::Upstream => "upstream",
            Self::Writer => "writer",
        }
    }

    /// The text of an event, where it has one.
    #[must_use]
    pub fn of(self, event: &EventMetadata) -> Option<&str> {
        match self {
            Self::ClientAddress => event.client.address.as_ref().map(AsRef::as_ref),
            Self::ClientName => event.client.name.as_ref().map(AsRef::as_ref),
            Self::ClientVersion => event.client.version.as_ref().map(AsRef::as_ref),
            Self::Key => event.api_key_id.as_ref().map(AsRef::as_ref),
            Self::Method => Some(event.method.as_str()),
            Self::RequestId => event.request_id.as_ref().map(AsRef::as_ref),
            Self::Role => Some(event.role.as_str()),
            Self::Session => event.session_id.as_ref().map(AsRef::as_ref),
            Self::Tool => event.tool_name.as_ref().map(AsRef::as_ref),
            Self::Upstream => event.upstream.as_ref().map(AsRef::as_ref),
            Self::Writer => Some(event.writer.as_str()),
        }
    }
}
