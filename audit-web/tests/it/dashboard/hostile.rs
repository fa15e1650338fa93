use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientName, Decision, EventDraft, EventId, Method,
    Outcome, Reason, Role, RuleName, SessionId, ToolName, Upstream,
};
use audit_testkit::{fixture, strategy};
use audit_web::access::Scope;

use super::{page, query};
use crate::support::Stand;

/// Texts that have become markup, script or layout elsewhere.
const NAUGHTY: &[&str] = &[
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</table></main></body></html>",
    "<!-- ",
    "]]>",
    "<svg/onload=alert(1)>",
    "&lt;b&gt;&amp;&#x3c;",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "\u{202e}gnp.exe",
    "a\u{200b}b\u{feff}c\u{2028}d",
    "\u{1b}[31mred\u{7}\r\n",
    "..",
    "../../login",
    "?q=x#y&z=1",
    "//evil.example",
    "a & b",
    "a\" outcome:ok \"b",
    "\\\\\"",
    "*",
    "none",
    "é\u{301}\u{300}\u{316}\u{327}",
    "%2e%2e%2f%00",
    " ",
];

/// An event in which a text stands wherever a caller can put one.
fn event(number: u64, text: &str) -> AuditEvent {
    let reason = || Check::denied(Reason::lossy(text)).rule(RuleName::lossy(text));
    let json = serde_json::json!({ text: [text, { text: text }] }).to_string();
    let draft = EventDraft::new(Method::lossy(text))
        .ts(fixture::moment(number))
        .id(EventId::new(fixture::moment(number), number))
        .api_key_id(ApiKeyId::lossy(text))
        .role(Role::lossy(text))
        .tool_name(ToolName::lossy(text))
        .session_id(SessionId::lossy(text))
        .upstream(Upstream::lossy(text))
        .client(Client::new().name(ClientName::lossy(text)))
        .decision(
            Decision::new()
                .auth(reason())
                .authz(reason())
                .rate(reason()),
        )
        .outcome(Outcome::Denied)
        .request(fixture::payload(&json))
        .response(fixture::payload(&json));
    fixture::stamp(draft, number)
}

#[tokio::test]
async fn stored_text_is_text_on_every_page() {
    let events: Vec<_> = (1..).zip(NAUGHTY).map(|(n, text)| event(n, text)).collect();
    let stand = Stand::with(&events).await;
    stand.clock.set(fixture::moment(10_000));
    for path in ["/", "/explore?q=", "/explore/counts", "/live"] {
        let page = page(&stand, Scope::Auditor, path).await;
        assert_eq!(page.all("script").count(), 1, "{path}");
    }
    for event in &events {
        let mut paths = vec![
            format!("/event/{}", event.id),
            format!("/explore?q=&event={}", event.id),
        ];
        for (kind, name) in [
            ("key", event.api_key_id.as_ref().map(ApiKeyId::as_str)),
            ("session", event.session_id.as_ref().map(SessionId::as_str)),
            ("tool", event.tool_name.as_ref().map(ToolName::as_str)),
        ] {
            let name = name.unwrap();
            paths.push(format!("/{kind}?{}", query("name", name)));
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            paths.push(format!("/explore?{}", query("q", &format!("\"{quoted}\""))));
        }
        for path in paths {
            // So many pages in no time would be refused.
            stand.clock.advance(Duration::from_secs(1));
            let page = page(&stand, Scope::Auditor, &path).await;
            assert_eq!(page.all("script").count(), 1, "{path}");
            let id = event.id.to_string();
            let leads_there = |it: &super::html::Element| it.attribute("href").contains(&id);
            assert!(page.all("a").any(leads_there), "{path}");
        }
    }
    stand.end().await;
}

#[tokio::test]
async fn any_event_has_a_page() {
    let events = strategy::sample(&strategy::batches(40), 3).concat();
    let stand = Stand::with(&events).await;
    for event in &events {
        stand.clock.advance(Duration::from_secs(1));
        let path = format!("/event/{}", event.id);
        let page = page(&stand, Scope::Auditor, &path).await;
        assert!(page.text().contains(event.outcome.as_str()));
    }
    stand.end().await;
}
