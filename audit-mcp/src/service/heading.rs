use std::any::Any;

use audit_core::event::{
    Client, ClientName, ClientVersion, EventDraft, Method, RequestId, SessionId, ToolName,
    TraceContext,
};
use rmcp::model::{Implementation, InitializeRequestParams, ServerPeerInfo};
use rmcp::service::{RequestContext, ServiceRole};

use super::caller::Caller;
use crate::draft::CallFacts;

/// What is known of a request before its handler runs, whoever begins its record.
pub(super) struct Heading<'a> {
    pub(super) method: &'a str,
    pub(super) tool: Option<ToolName>,
    pub(super) request_id: RequestId,
    pub(super) session: Option<SessionId>,
    /// The revision of the protocol that the request says, or the handshake agreed on.
    pub(super) version: Option<Box<str>>,
    client: Client,
    trace: Option<TraceContext>,
}

impl<'a> Heading<'a> {
    pub(super) fn new<R: ServiceRole>(
        method: &'a str,
        params: Option<&str>,
        context: &RequestContext<R>,
    ) -> Self {
        let facts = CallFacts::of_params(method, params.unwrap_or("{}"));
        let (met, agreed) = handshake(context);
        let meta = &context.meta;
        let said = meta.client_info().map(|said| claims(&said));
        let mut known = [Some(facts.client), said, met].into_iter().flatten();
        let version = meta.protocol_version().map(|it| it.as_str().into());
        let trace = meta.get_traceparent().and_then(|it| it.parse().ok());
        Self {
            method,
            tool: facts.tool_name,
            request_id: RequestId::lossy(context.id.to_string()),
            session: Caller::of(context).session(),
            version: facts.protocol_version.or(version).or(agreed),
            client: known.find(|client| !client.is_empty()).unwrap_or_default(),
            trace: facts.trace_context.or(trace),
        }
    }

    pub(super) fn method(&self) -> Method {
        Method::lossy(self.method)
    }

    /// Adds all this to what others know.
    pub(super) fn describe(&self, draft: EventDraft) -> EventDraft {
        let mut draft = draft
            .method(self.method())
            .request_id(self.request_id.clone());
        if let Some(tool) = &self.tool {
            draft = draft.tool_name(tool.clone());
        }
        if let Some(trace) = self.trace {
            draft = draft.trace_context(trace);
        }
        if let Some(session) = &self.session {
            draft = draft.session_id(session.clone());
        }
        if let Some(name) = &self.client.name {
            // A version belongs to its name; the address is not for the client to claim.
            draft = draft.amend_client(|mut client| {
                client.name = Some(name.clone());
                client.version.clone_from(&self.client.version);
                client
            });
        }
        draft
    }
}

/// What was said when the connection began: which program, and which revision was agreed on. The
/// peer of a server is a client, and the other way round.
fn handshake<R: ServiceRole>(context: &RequestContext<R>) -> (Option<Client>, Option<Box<str>>) {
    let Some(info) = context.peer.peer_info() else {
        return (None, None);
    };
    let info: &dyn Any = &*info;
    if let Some(info) = info.downcast_ref::<InitializeRequestParams>() {
        let program = Some(&info.client_info).filter(|program| !is_made_up(program, context));
        let version = info.protocol_version.as_str().into();
        return (program.map(claims), Some(version));
    }
    match info.downcast_ref::<ServerPeerInfo>() {
        Some(info) => {
            let version = info.protocol_version.as_str().into();
            (info.server_info.as_ref().map(claims), Some(version))
        }
        None => (None, None),
    }
}

/// Where HTTP has no session there was no handshake, and rmcp puts its own name in the client's
/// place.
fn is_made_up<R: ServiceRole>(program: &Implementation, context: &RequestContext<R>) -> bool {
    let caller = Caller::of(context);
    caller.http().is_some() && caller.session().is_none() && *program == Implementation::default()
}

fn claims(program: &Implementation) -> Client {
    Client::new()
        .name(ClientName::lossy(&program.name))
        .version(ClientVersion::lossy(&program.version))
}
