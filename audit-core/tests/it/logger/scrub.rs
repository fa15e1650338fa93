//! The caller's credential, whenever it becomes known and wherever it stands.

use audit_core::AuditLogger;
use audit_core::event::{EventDraft, Method, Outcome, ToolName};
use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadLevel, PayloadLimits, PayloadPolicy,
};
use audit_memory::MemoryStore;

use super::support::{draft, logger};

/// A credential that no pattern knows: only that it was handed over makes it one.
fn secret() -> String {
    format!(
        "{:x} {:x}",
        0x1234_5678_9abc_u64 * 7_919,
        0xfeed_u64 * 104_729
    )
}

#[tokio::test]
async fn a_credential_that_is_known_after_the_payload_is_taken_out_of_it() {
    let (store, secret) = (MemoryStore::new(), secret());
    let mut call = logger(store.clone()).begin(draft("a")).await.unwrap();
    call.request_json(format!(r#"{{"note":"{secret}","kept":1}}"#));
    call.response_text(&secret);
    call.amend(|draft| draft.credential(CallerCredential::new(secret.clone())));
    call.finish(Outcome::Ok).await.unwrap();
    let json = store.recorded()[0].to_json();
    assert!(
        !json.contains(&secret) && json.contains(r#""kept":1"#),
        "{json}"
    );
}

#[tokio::test]
async fn a_payload_that_was_made_without_the_credential_is_made_anew() {
    let (store, secret) = (MemoryStore::new(), secret());
    let policy = PayloadPolicy::default();
    let payload = Payload::from_text(&secret, &PayloadContext::request(&policy));
    let event = draft("a")
        .request(payload)
        .credential(CallerCredential::new(secret.clone()));
    logger(store.clone()).log_event(event).await.unwrap();
    let json = store.recorded()[0].to_json();
    assert!(!json.contains(&secret), "{json}");
}

#[tokio::test]
async fn a_tool_that_is_known_after_the_payload_decides_its_level() {
    let store = MemoryStore::new();
    let policy = PayloadPolicy::builder()
        .level("vault_*", PayloadLevel::Off)
        .build()
        .unwrap();
    let logger = AuditLogger::builder(store.clone())
        .payload_policy(policy)
        .build()
        .unwrap();
    let mut call = logger
        .begin(EventDraft::new(Method::tools_call()))
        .await
        .unwrap();
    call.request_json(r#"{"content":"between us"}"#);
    call.amend(|draft| draft.tool_name(ToolName::new("vault_read").unwrap()));
    call.finish(Outcome::Ok).await.unwrap();
    let json = store.recorded()[0].to_json();
    assert!(!json.contains("between us"), "{json}");
}

#[tokio::test]
async fn a_payload_that_was_made_by_larger_limits_is_cut_to_the_loggers() {
    let store = MemoryStore::new();
    let limits = PayloadLimits::default()
        .with_bytes(60_000)
        .with_string_chars(50_000);
    let roomy = PayloadPolicy::builder().limits(limits).build().unwrap();
    let payload = Payload::from_text(&"word ".repeat(9_000), &PayloadContext::request(&roomy));
    assert!(payload.json().is_some_and(|json| json.len() > 40_000));
    let logger = logger(store.clone());
    logger.log_event(draft("a").request(payload)).await.unwrap();
    let most = logger.payload_policy().limits().bytes;
    let event = &store.recorded()[0];
    assert!(event.request().unwrap().json().unwrap().len() <= most);
}
