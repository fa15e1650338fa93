//! Payload safety against what it replaces: `cargo xtask bench payload [--json]`.
//!
//! The rival parses the whole input, sanitizes a copy by a list of keys, and serializes it before
//! anything is cut.
#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

use std::hint::black_box;
use std::time::Duration;

use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use audit_tests::bench::{Bench, Options, Sample};
use serde_json::{Map, Value, json};

fn main() -> Result<(), String> {
    let options = Options::from_args()?;
    let inputs = Inputs::new();
    let request = || PayloadContext::request(&inputs.policy);
    let time = options.time_per_round();

    let mut bench = Bench::new();
    for (safe, baseline, input) in [
        ("safe_1k", "baseline_1k", &inputs.small),
        ("safe_64k", "baseline_64k", &inputs.medium),
        ("safe_10m", "baseline_10m", &inputs.large),
        ("safe_10m_base64", "baseline_10m_base64", &inputs.blob),
    ] {
        bench = bench
            .case_vs(safe, baseline, move || {
                sample(time, || Payload::from_json(input, &request()))
            })
            .case(baseline, move || sample(time, || baseline_of(input)));
    }
    for (name, value) in [
        ("serialize_1k", &inputs.small_value),
        ("serialize_64k", &inputs.medium_value),
    ] {
        bench = bench.case(name, move || {
            sample(time, || Payload::from_serialize(value, &request()))
        });
    }
    for (name, text) in [
        ("text_1k", &inputs.small_text),
        ("text_64k", &inputs.medium_text),
    ] {
        bench = bench.case(name, move || {
            sample(time, || Payload::from_text(text, &request()))
        });
    }
    for n_credentials in [0, 1, 50] {
        let (input, credentials) = (&inputs.medium, &inputs.credentials[..n_credentials]);
        bench = bench.case(format!("credentials_{n_credentials}_64k"), move || {
            sample(time, || {
                Payload::from_json(input, &request().credentials(credentials))
            })
        });
    }
    bench.run(options);
    Ok(())
}

/// Times the work, and counts the allocations of one call.
fn sample<T>(time: Duration, mut work: impl FnMut() -> T) -> Sample {
    let allocated = allocation_counter::measure(|| {
        black_box(work());
    });
    let n_allocations = u32::try_from(allocated.count_total).expect("a payload allocates little");
    Sample::time_for(time, work).with("allocations", n_allocations.into())
}

struct Inputs {
    policy: PayloadPolicy,
    credentials: Vec<CallerCredential>,
    small: String,
    medium: String,
    large: String,
    blob: String,
    small_value: Value,
    medium_value: Value,
    small_text: String,
    medium_text: String,
}

impl Inputs {
    fn new() -> Self {
        let small_value = call(&records(2));
        let medium_value = call(&records(150));
        let large = call(&records(24_000)).to_string();
        let blob = call(&json!({"mimeType": "image/png", "data": base64(10 << 20)})).to_string();
        let mut random = Random(7);
        let credentials = (0..50)
            .map(|i| CallerCredential::new(format!("gateway_{i}_{}", random.word(32))))
            .collect();
        let text = |n: usize| {
            "2026-11-23T10:00:00Z INFO worker 7 finished job in 12 ms, 3 left.\n".repeat(n)
        };
        Self {
            policy: PayloadPolicy::default(),
            credentials,
            small: small_value.to_string(),
            medium: medium_value.to_string(),
            large,
            blob,
            small_value,
            medium_value,
            small_text: text(16),
            medium_text: text(1000),
        }
    }
}

fn call(arguments: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "search_issues", "_meta": {"progressToken": 7}, "arguments": arguments},
    })
}

/// Issues as a tracker gives them back: escapes, some CJK, numbers, links.
fn records(n: usize) -> Value {
    let record = |i: usize| {
        json!({
            "id": 4_200_000 + i,
            "title": format!("Crash in \"parser\" when input #{i} has a\ttab"),
            "body": "Steps:\n1. open the file\n2. 壊れた入力を読む\n3. see \\path\\to\\dump, then nothing happens for a while",
            "author": {"login": format!("user{i}"), "site_admin": false},
            "labels": ["bug", "parser", "優先度:高"],
            "url": format!("https://tracker.example/api/issues/{i}?page=2&sort=created"),
            "comments": i % 17,
            "score": 0.5,
            "closed_at": null,
        })
    };
    Value::from((0..n).map(record).collect::<Vec<_>>())
}

fn base64(n: usize) -> String {
    let mut random = Random(11);
    random.word(n)
}

/// A small generator, so that inputs are the same in each run.
struct Random(u64);

impl Random {
    fn word(&mut self, n: usize) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..n)
            .map(|_| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                char::from(DIGITS[usize::from(self.0.to_le_bytes()[3] & 63)])
            })
            .collect()
    }
}

/// The predecessor's way: the whole input is parsed, copied and serialized before anything is
/// bounded.
fn baseline_of(input: &str) -> String {
    let value: Value = serde_json::from_str(input).expect("the inputs are JSON");
    let sanitized = sanitize(&value, 0);
    let json = serde_json::to_string(&sanitized).expect("a value serializes");
    if json.len() <= 4096 {
        return json;
    }
    let preview: String = json.chars().take(512).collect();
    json!({"truncated": true, "preview": preview}).to_string()
}

fn sanitize(value: &Value, depth: usize) -> Value {
    const SECRETS: &[&str] = &["api_key", "authorization", "password", "secret", "token"];
    if depth >= 6 {
        return Value::from("[TRUNCATED]");
    }
    match value {
        Value::String(text) if text.chars().count() > 512 => {
            Value::from(text.chars().take(512).collect::<String>())
        }
        Value::Array(items) => items
            .iter()
            .take(40)
            .map(|item| sanitize(item, depth + 1))
            .collect(),
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, value) in members.iter().take(40) {
                let key: String = key.chars().take(64).collect();
                let is_secret = SECRETS.contains(&key.to_lowercase().as_str());
                let value = if is_secret {
                    "[REDACTED]".into()
                } else {
                    sanitize(value, depth + 1)
                };
                kept.insert(key, value);
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}
