//! Any text, and any headers: as `from_json` says, and scrubbing leaves nothing behind.
#![no_main]

use arbitrary::Arbitrary;
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "zq7W-x9Kp2mTzq7W-x9Kp2mT";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    before: &'a str,
    after: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
}

fuzz_target!(|input: Input<'_>| {
    let policy = PayloadPolicy::default();
    let credentials = [CallerCredential::new(SECRET)];
    let context = PayloadContext::response(&policy).credentials(&credentials);
    let text = format!("{}{SECRET}{}", input.before, input.after);

    let kept = Payload::from_text(&text, &context);
    let json = kept.json().expect("the level keeps content");
    assert!(json.len() <= policy.limits().bytes);
    assert!(!json.contains(SECRET), "{json}");
    serde_json::from_str::<String>(json).expect("a JSON string");
    assert_eq!(kept.narrow(&context).json(), kept.json());

    assert!(!policy.scrub_text(&text, &credentials).contains(SECRET));
    assert!(!credentials[0].scrub(&text).contains(SECRET));

    let kept = Payload::from_headers(input.headers, &context);
    let json = kept.json().expect("the level keeps content");
    assert!(json.len() <= policy.limits().bytes);
    serde_json::from_str::<serde_json::Value>(json).expect("valid JSON");
});
