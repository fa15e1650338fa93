//! Any bytes as JSON: the payload is valid, small, without the caller's credential, and stays as
//! it is when it is bounded again; a `Value` of the same input gives the same bytes.
#![no_main]

use arbitrary::Arbitrary;
use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadLimits, PayloadPolicy,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const SECRET: &str = "zq7\"W\\x-9/Kp+2=mT";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    bytes: u16,
    depth: u8,
    items: u8,
    chars: u16,
    scan: u16,
    plant_at: u16,
    plant: bool,
    json: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let limits = PayloadLimits::default()
        .with_bytes(64 + usize::from(input.bytes))
        .with_depth(1 + usize::from(input.depth % 64))
        .with_items(2 + usize::from(input.items))
        .with_key_chars(32 + usize::from(input.chars % 512))
        .with_string_chars(32 + usize::from(input.chars / 2))
        .with_scan_bytes(64 + usize::from(input.scan));
    let policy = PayloadPolicy::builder().limits(limits).build().expect("limits in range");

    let mut json = input.json.to_vec();
    if input.plant {
        let spelled = Value::from(SECRET).to_string();
        let at = usize::from(input.plant_at) % (json.len() + 1);
        json.splice(at..at, spelled.bytes().skip(1).take(spelled.len() - 2));
    }
    let credentials = [CallerCredential::new(SECRET)];
    let context = PayloadContext::request(&policy).credentials(&credentials);

    let payload = Payload::from_json(&json, &context);
    let kept = payload.json().expect("the level keeps content");
    assert!(kept.len() <= limits.bytes, "{} > {}: {kept}", kept.len(), limits.bytes);
    let value: Value = serde_json::from_str(kept).expect("valid JSON");
    assert!(!kept.replace("\\\\", "").contains("\\u0000"));
    assert!(!holds(&value, SECRET), "{kept}");

    let again = payload.narrow(&context);
    assert_eq!(again.json(), payload.json());
    Payload::restore(Some(kept), payload.report().clone()).expect("stores give it back");

    // Compact JSON and the value that it spells are the same payload.
    if let Ok(value) = serde_json::from_slice::<Value>(&json) {
        let compact = value.to_string();
        let from_bytes = Payload::from_json(&compact, &context);
        let from_value = Payload::from_serialize(&value, &context);
        assert_eq!(from_bytes.json(), from_value.json());
    }
});

fn holds(value: &Value, secret: &str) -> bool {
    match value {
        Value::String(text) => text.contains(secret),
        Value::Array(items) => items.iter().any(|item| holds(item, secret)),
        Value::Object(members) => {
            members.iter().any(|(key, member)| key.contains(secret) || holds(member, secret))
        }
        _ => false,
    }
}
