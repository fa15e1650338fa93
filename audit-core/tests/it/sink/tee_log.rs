//! A line for each event, and nothing of its payloads.

use std::collections::BTreeSet;

use audit_core::event::{Client, ClientName, Outcome, RequestId, ToolName};
use audit_core::sink::{AuditSink, Receipt, TeeLog};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, fixture};
use tracing::Level;

use super::support::{Line, Log};

const TARGET: &str = "audit::tee";

async fn lines_of(plan: FaultPlan, events: &[audit_core::AuditEvent]) -> Vec<Line> {
    let log = Log::default();
    let guard = log.listen();
    let tee = TeeLog::new(FaultySink::new(MemoryStore::new(), plan));
    drop(tee.append(events).await);
    drop(guard);
    log.lines(TARGET)
}

#[tokio::test]
async fn each_event_has_one_line_with_its_metadata_and_no_payload() {
    // Neither a credential nor a key that rules would take out: it would be in the payload.
    let secret: String = (0..20)
        .map(|_| char::from(b'a' + rand::random::<u8>() % 26))
        .collect();
    let payload = || fixture::payload(&format!(r#"{{"note":"{secret}"}}"#));
    let draft = fixture::full_draft(2)
        .request(payload())
        .response(payload());
    let events = [fixture::event(1), fixture::stamp(draft, 2)];
    assert!(
        events[1]
            .request()
            .unwrap()
            .json()
            .unwrap()
            .contains(&secret)
    );
    let lines = lines_of(FaultPlan::new(), &events).await;
    assert_eq!(lines.len(), 2);
    for (line, event) in lines.iter().zip(&events) {
        assert!(!format!("{line:?}").contains(&secret), "{line:?}");
        assert_eq!(line.field("id"), event.id.to_string());
        assert_eq!(line.field("outcome"), event.outcome.as_str());
        assert_eq!(line.field("seq"), event.seq.get().to_string());
        assert_eq!(line.field("receipt"), "stored");
    }
    assert_eq!(lines[0].field("tool_name"), r#""search""#);
    assert_eq!(lines[1].field("client_address"), r#""192.0.2.7""#);
    assert_eq!(lines[1].field("rate"), "denied");
    assert_eq!(
        lines[0].field("client_name"),
        "",
        "what is not there is not shown"
    );
}

#[tokio::test]
async fn what_a_client_says_makes_no_line_and_no_field_of_its_own() {
    let text = "x\" outcome=ok\n2026 ERROR forged\r\u{1b}[31m\u{202e}\u{85}\u{2028}";
    let draft = fixture::full_draft(1)
        .tool_name(ToolName::lossy(text))
        .request_id(RequestId::lossy(text))
        .client(Client::new().name(ClientName::lossy(text)));
    let lines = lines_of(FaultPlan::new(), &[fixture::stamp(draft, 1)]).await;
    for name in ["tool_name", "request_id", "client_name"] {
        let shown = lines[0].field(name);
        assert!(shown.starts_with(r#""x\" outcome=ok\n2026"#), "{shown}");
        let is_plain = shown.chars().all(|char| (' '..='~').contains(&char));
        assert!(is_plain, "{shown}");
    }
}

#[tokio::test]
async fn levels_go_by_the_outcome_and_by_the_receipt() {
    let event = |number, outcome| fixture::stamp(fixture::draft(number).outcome(outcome), number);
    let numbers = 1..;
    let events: Vec<_> = numbers
        .zip(Outcome::ALL)
        .map(|(number, outcome)| event(number, *outcome))
        .collect();
    let lines = lines_of(FaultPlan::new(), &events).await;
    let of = |level: Level| -> BTreeSet<&str> {
        let lines = lines.iter().filter(|line| line.level == level);
        lines.map(|line| line.field("outcome")).collect()
    };
    assert_eq!(of(Level::INFO), ["ok"].into());
    let by_the_caller = [
        "cancelled",
        "denied",
        "invalid_request",
        "rate_limited",
        "rpc_error",
        "tool_error",
        "unauthenticated",
    ];
    assert_eq!(of(Level::WARN), by_the_caller.into());
    assert_eq!(of(Level::ERROR).len(), Outcome::ALL.len() - 8);

    let events = fixture::events(1..=3);
    let lines = lines_of(FaultPlan::new().refuse(1), &events).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.level, line.field("receipt"), line.field("reason")))
        .collect();
    let refused = (
        Level::ERROR,
        "refused",
        r#""refused by the plan of faults""#,
    );
    let stored = (Level::INFO, "stored", "");
    assert_eq!(told, [stored, refused, stored]);
}

#[tokio::test]
async fn an_append_that_fails_has_no_lines_and_its_retry_has_them() {
    let log = Log::default();
    let _guard = log.listen();
    let plan = FaultPlan::new().fail(1).store_then_fail(1);
    let tee = TeeLog::new(FaultySink::new(MemoryStore::new(), plan));
    let events = fixture::events(1..=2);
    tee.append(&events).await.unwrap_err();
    tee.append(&events).await.unwrap_err();
    assert_eq!(log.lines(TARGET).len(), 0);
    let appended = tee.append(&events).await.unwrap();
    assert_eq!(appended.receipts(), vec![Receipt::AlreadyStored; 2]);
    let receipts: Vec<_> = log
        .lines(TARGET)
        .iter()
        .map(|it| it.field("receipt").to_owned())
        .collect();
    assert_eq!(receipts, ["already_stored", "already_stored"]);
}

#[tokio::test]
async fn a_log_that_panics_fails_no_append() {
    let _guard = Log::that_panics().listen();
    let store = MemoryStore::new();
    let tee = TeeLog::new(store.clone());
    let appended = tee.append(&fixture::events(1..=3)).await.unwrap();
    assert_eq!(appended.receipts(), vec![Receipt::Stored; 3]);
    assert_eq!(store.n_events(), 3);
}
