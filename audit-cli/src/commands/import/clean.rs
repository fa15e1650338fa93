use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, InvalidField, Method, Reason, RequestId, Role, RuleName, SessionId, ToolName,
    Upstream, WriterId,
};
use audit_core::payload::{PayloadContext, PayloadPolicy};

/// The event as it would have been made under this policy: a file can be written by anybody, so its
/// texts and payloads go past the rules once more. What keeps them stays as it is, so that importing
/// it again changes nothing.
pub(super) fn cleaned(
    event: &AuditEvent,
    policy: &PayloadPolicy,
) -> Result<AuditEvent, InvalidField> {
    let scrub = |text: &str| policy.scrub_text(text, &[]).into_owned();
    let mut draft = EventDraft::new(Method::lossy(scrub(event.method.as_str())))
        .id(event.id)
        .ts(event.ts)
        .role(Role::lossy(scrub(event.role.as_str())))
        .status_code(event.status_code)
        .latency(event.latency_ms)
        .outcome(event.outcome)
        .decision(decision(&event.decision, &scrub))
        .client(client(&event.client, &scrub));
    if let Some(key) = &event.api_key_id {
        draft = draft.api_key_id(ApiKeyId::lossy(scrub(key.as_str())));
    }
    if let Some(tool) = &event.tool_name {
        draft = draft.tool_name(ToolName::lossy(scrub(tool.as_str())));
    }
    if let Some(upstream) = &event.upstream {
        draft = draft.upstream(Upstream::lossy(scrub(upstream.as_str())));
    }
    if let Some(latency) = event.upstream_latency_ms {
        draft = draft.upstream_latency(latency);
    }
    if let Some(session) = &event.session_id {
        draft = draft.session_id(SessionId::lossy(scrub(session.as_str())));
    }
    if let Some(request) = &event.request_id {
        draft = draft.request_id(RequestId::lossy(scrub(request.as_str())));
    }
    if let Some(trace) = event.trace_id {
        draft = draft.trace_id(trace);
    }
    if let Some(span) = event.span_id {
        draft = draft.span_id(span);
    }
    let tool = event.tool_name.as_ref().map(ToolName::as_str);
    if let Some(request) = event.request() {
        draft = draft.request(request.narrow(&of_tool(PayloadContext::request(policy), tool)));
    }
    if let Some(response) = event.response() {
        draft = draft.response(response.narrow(&of_tool(PayloadContext::response(policy), tool)));
    }
    let writer = WriterId::lossy(scrub(event.writer.as_str()));
    draft.stamp(writer, event.seq)
}

fn of_tool<'a>(context: PayloadContext<'a>, tool: Option<&'a str>) -> PayloadContext<'a> {
    match tool {
        Some(tool) => context.tool(tool),
        None => context,
    }
}

fn decision(decision: &Decision, scrub: &impl Fn(&str) -> String) -> Decision {
    let check = |check: &Check| {
        let mut check = check.clone();
        check.reason = check.reason.map(|it| Reason::lossy(scrub(it.as_str())));
        check.rule = check.rule.map(|it| RuleName::lossy(scrub(it.as_str())));
        check
    };
    Decision::new()
        .auth(check(&decision.auth))
        .authz(check(&decision.authz))
        .rate(check(&decision.rate))
}

fn client(client: &Client, scrub: &impl Fn(&str) -> String) -> Client {
    let mut clean = Client::new();
    if let Some(name) = &client.name {
        clean = clean.name(ClientName::lossy(scrub(name.as_str())));
    }
    if let Some(version) = &client.version {
        clean = clean.version(ClientVersion::lossy(scrub(version.as_str())));
    }
    if let Some(address) = &client.address {
        clean = clean.address(ClientAddress::lossy(scrub(address.as_str())));
    }
    clean
}

#[cfg(test)]
mod tests {
    use audit_core::payload::PayloadLimits;
    use audit_testkit::strategy;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_keeps_the_rules_stays_as_it_is(event in strategy::events()) {
            let policy = PayloadPolicy::builder().limits(PayloadLimits::MAX).build().unwrap();
            prop_assert_eq!(cleaned(&event, &policy).unwrap(), event);
        }
    }
}
