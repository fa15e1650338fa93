//! The smallest gateway that leaves a record: four calls, each with its true outcome.
//!
//! Run it with `cargo run --release --example first_calls`.

use std::error::Error;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Decision, EventDraft, Method, Outcome, Reason, ToolName,
};
use audit_core::payload::CallerCredential;
use audit_memory::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone()).build()?;

    // What the caller presented. The record names the key by its id; the key itself is scrubbed
    // from whatever the call carries, here from the arguments of the tool.
    let presented_key = format!("key-{:032x}", 0x5eed_u128 << 90);
    let credential = CallerCredential::new(presented_key.clone());

    let mut call = logger
        .begin(draft("get_weather")?.credential(credential))
        .await?;
    call.amend(|draft| draft.decision(Decision::allowed()));
    call.request_json(format!(
        r#"{{"city":"Bern","password":"hunter2","note":"my key is {presented_key}"}}"#
    ));
    call.response_json(r#"{"temperature":21}"#);
    call.finish(Outcome::Ok).await?;

    let mut call = logger.begin(draft("delete_customer")?).await?;
    let refusal = Check::denied(Reason::new("the role may not delete")?);
    call.amend(|draft| draft.decision(Decision::new().auth(Check::allowed()).authz(refusal)));
    call.finish(Outcome::Denied).await?;

    // The tool's own failure arrives inside a response that HTTP calls a success.
    let mut call = logger.begin(draft("search")?).await?;
    call.response_json(r#"{"isError":true,"content":[{"type":"text","text":"index offline"}]}"#);
    call.finish(Outcome::ToolError).await?;

    // The task of this call ends early; its guard records that nobody said what came of it.
    drop(logger.begin(draft("slow_report")?).await?);

    let report = logger.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_complete(), "{report:?}");
    let records = store.recorded();
    for event in &records {
        print(event);
    }
    let json: String = records.iter().map(AuditEvent::to_json).collect();
    assert!(!json.contains(&presented_key) && !json.contains("hunter2"));
    eprintln!(
        "4 calls, {} records; neither the key nor the password is in them",
        records.len()
    );
    Ok(())
}

fn draft(tool: &str) -> Result<EventDraft, Box<dyn Error>> {
    Ok(EventDraft::new(Method::tools_call())
        .api_key_id(ApiKeyId::new("k_7f3")?)
        .tool_name(ToolName::new(tool)?))
}

#[expect(
    clippy::print_stdout,
    reason = "the records are what the example shows"
)]
fn print(event: &AuditEvent) {
    println!("{}", event.to_json());
}
