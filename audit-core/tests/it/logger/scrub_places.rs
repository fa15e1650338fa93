use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, EventId, Method, Reason, RequestId, Role, RuleName, Seq, SessionId, Timestamp,
    ToolName, Upstream, WriterId,
};
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};

use super::support::{draft, moment};

const MARK: &str = "[REDACTED:caller_credential]";

/// What no pattern takes for a credential: only who presented it knows that it is one.
fn secret() -> String {
    let words: Vec<_> = (10..13).map(|number| format!("{number} steps")).collect();
    words.join(" and ")
}

fn stamped(draft: EventDraft) -> AuditEvent {
    let ts: Timestamp = moment(1_700_000_000_000_000);
    let writer = WriterId::new("w").unwrap();
    draft
        .ts(ts)
        .id(EventId::new(ts, 1))
        .stamp(writer, Seq::FIRST)
        .unwrap()
}

/// A draft for each place of an event that can hold a text, with this text at that place alone.
fn each_place(text: &str) -> Vec<(&'static str, EventDraft)> {
    let draft = || EventDraft::new(Method::tools_call());
    let client = |client: Client| draft().client(client);
    let reason = || Check::denied(Reason::new(text).unwrap());
    let rule = || Check::allowed().rule(RuleName::new(text).unwrap());
    let policy = PayloadPolicy::default();
    let payload = |context| Payload::from_text(text, &context);
    let request = payload(PayloadContext::request(&policy));
    let response = payload(PayloadContext::response(&policy));
    let decided = |decision: Decision| draft().decision(decision);
    vec![
        (
            "api_key_id",
            draft().api_key_id(ApiKeyId::new(text).unwrap()),
        ),
        ("role", draft().role(Role::new(text).unwrap())),
        ("method", EventDraft::new(Method::new(text).unwrap())),
        ("tool_name", draft().tool_name(ToolName::new(text).unwrap())),
        ("upstream", draft().upstream(Upstream::new(text).unwrap())),
        (
            "session_id",
            draft().session_id(SessionId::new(text).unwrap()),
        ),
        (
            "request_id",
            draft().request_id(RequestId::new(text).unwrap()),
        ),
        (
            "client.name",
            client(Client::new().name(ClientName::new(text).unwrap())),
        ),
        (
            "client.version",
            client(Client::new().version(ClientVersion::new(text).unwrap())),
        ),
        (
            "client.address",
            client(Client::new().address(ClientAddress::new(text).unwrap())),
        ),
        ("auth.reason", decided(Decision::new().auth(reason()))),
        ("auth.rule", decided(Decision::new().auth(rule()))),
        ("authz.reason", decided(Decision::new().authz(reason()))),
        ("authz.rule", decided(Decision::new().authz(rule()))),
        ("rate.reason", decided(Decision::new().rate(reason()))),
        ("rate.rule", decided(Decision::new().rate(rule()))),
        ("request", draft().request(request)),
        ("response", draft().response(response)),
    ]
}

#[test]
fn the_callers_credential_is_taken_out_of_each_text_alone() {
    let secret = secret();
    for (place, draft) in each_place(&format!("say {secret} now")) {
        let kept = stamped(draft.clone()).to_json();
        assert!(kept.contains(&secret), "{place} holds the text: {kept}");
        let json = stamped(draft.credential(CallerCredential::new(secret.clone()))).to_json();
        assert!(!json.contains(&secret), "{place}: {json}");
        assert!(json.contains(&format!("say {MARK} now")), "{place}: {json}");
    }
}

#[test]
fn each_of_several_credentials_is_taken_out() {
    let secrets = [secret(), secret().replace("steps", "stairs")];
    let tool = ToolName::new(secrets.join(" / ")).unwrap();
    let mut draft = EventDraft::new(Method::tools_call()).tool_name(tool);
    for secret in secrets {
        draft = draft.credential(CallerCredential::new(secret));
    }
    let event = stamped(draft);
    let tool = event.tool_name.as_ref().unwrap();
    assert_eq!(tool.as_str(), format!("{MARK} / {MARK}"));
}

#[test]
fn a_text_stays_within_its_bound_when_a_mark_is_longer_than_what_it_replaces() {
    let secret = "12345 67".to_owned();
    let longest = secret.repeat(ToolName::MAX_CHARS / secret.len());
    let draft = draft(&longest).credential(CallerCredential::new(secret));
    let event = stamped(draft);
    let tool = event.tool_name.as_ref().unwrap().as_str();
    assert_eq!(tool.chars().count(), ToolName::MAX_CHARS);
    assert!(tool.starts_with(MARK), "{tool}");
}

#[test]
fn a_token_across_the_bound_of_a_claim_is_redacted_before_the_cut() {
    let body = "0a1b2c3d4e5f".repeat(3);
    let token = format!("{}p_{body}", "gh");
    for before in 0..=ClientName::MAX_CHARS {
        let text = format!("{} {token}", "x".repeat(before));
        let name = ClientName::lossy(&text);
        assert!(!name.as_str().contains(&body[..6]), "{before}: {name}");
        assert!(name.as_str().chars().count() <= ClientName::MAX_CHARS);
    }
}

#[test]
fn a_draft_shows_no_text_before_it_is_scrubbed() {
    let secret = secret();
    for (place, draft) in each_place(&secret) {
        let shown = format!("{draft:?}");
        assert!(!shown.contains("steps"), "{place}: {shown}");
        let shown = format!(
            "{:?}",
            draft.credential(CallerCredential::new(secret.clone()))
        );
        assert!(!shown.contains("steps"), "{place}: {shown}");
    }
}
