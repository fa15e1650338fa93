//! Payload safety against what it replaces: parse the whole, sanitize, cut, serialize.
//!
//! ```text
//! cargo bench -p audit-tests --bench payload [-- --json]
//! ```
//! All cases run in turn in each round, so that a busy moment of the machine meets all of them;
//! what is shown are medians of the rounds.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::expect_used, reason = "the inputs are made here")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 9;
const TIME_PER_ROUND: Duration = Duration::from_millis(25);

fn main() {
    let inputs = Inputs::new();
    let cases = cases(&inputs);
    let rows = measure(&cases);
    if std::env::args().any(|arg| arg == "--json") {
        for row in &rows {
            println!("{}", row.json());
        }
    } else {
        print_table(&rows);
    }
}

/// One thing to measure.
struct Case<'i> {
    name: &'static str,
    bytes_in: usize,
    run: Box<dyn Fn() -> usize + 'i>,
}

impl<'i> Case<'i> {
    fn new(name: &'static str, bytes_in: usize, run: impl Fn() -> usize + 'i) -> Self {
        Self {
            name,
            bytes_in,
            run: Box::new(run),
        }
    }
}

fn cases(inputs: &Inputs) -> Vec<Case<'_>> {
    let policy = &inputs.policy;
    let mut cases = Vec::new();
    for (safe, baseline, input) in [
        ("safe_1k", "baseline_1k", &inputs.small),
        ("safe_64k", "baseline_64k", &inputs.medium),
        ("safe_10m", "baseline_10m", &inputs.large),
        ("safe_10m_base64", "baseline_10m_base64", &inputs.blob),
    ] {
        cases.push(Case::new(safe, input.len(), move || {
            len(&Payload::from_json(input, &PayloadContext::request(policy)))
        }));
        cases.push(Case::new(baseline, input.len(), move || {
            baseline_of(input).len()
        }));
    }
    for (name, value, bytes) in [
        ("serialize_1k", &inputs.small_value, inputs.small.len()),
        ("serialize_64k", &inputs.medium_value, inputs.medium.len()),
    ] {
        cases.push(Case::new(name, bytes, move || {
            len(&Payload::from_serialize(
                value,
                &PayloadContext::request(policy),
            ))
        }));
    }
    for (name, text) in [
        ("text_1k", &inputs.small_text),
        ("text_64k", &inputs.medium_text),
    ] {
        cases.push(Case::new(name, text.len(), move || {
            len(&Payload::from_text(text, &PayloadContext::request(policy)))
        }));
    }
    for (name, n) in [
        ("credentials_0_64k", 0),
        ("credentials_1_64k", 1),
        ("credentials_50_64k", 50),
    ] {
        let credentials = &inputs.credentials[..n];
        cases.push(Case::new(name, inputs.medium.len(), move || {
            let context = PayloadContext::request(policy).credentials(credentials);
            len(&Payload::from_json(&inputs.medium, &context))
        }));
    }
    cases
}

fn len(payload: &Payload) -> usize {
    payload.json().map_or(0, str::len)
}

/// What was measured of a case.
struct Row {
    name: &'static str,
    ns_per_event: f64,
    bytes_in: usize,
    bytes_out: usize,
    allocations: u64,
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "case": self.name,
            "ns_per_event": self.ns_per_event.round(),
            "events_per_s": (1e9 / self.ns_per_event).round(),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "allocations": self.allocations,
        })
    }
}

fn measure(cases: &[Case<'_>]) -> Vec<Row> {
    let repeats: Vec<u32> = cases.iter().map(repeats).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for ((case, &n), times) in cases.iter().zip(&repeats).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..n {
                black_box((case.run)());
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(n));
        }
    }
    let row = |(case, mut times): (&Case<'_>, Vec<f64>)| {
        times.sort_by(f64::total_cmp);
        let counted = allocation_counter::measure(|| {
            black_box((case.run)());
        });
        Row {
            name: case.name,
            ns_per_event: times[times.len() / 2],
            bytes_in: case.bytes_in,
            bytes_out: (case.run)(),
            allocations: counted.count_total,
        }
    };
    cases.iter().zip(times).map(row).collect()
}

/// How often a case fits into its share of a round.
fn repeats(case: &Case<'_>) -> u32 {
    let start = Instant::now();
    let mut n = 0;
    while n == 0 || start.elapsed() < TIME_PER_ROUND {
        black_box((case.run)());
        n += 1;
    }
    n
}

fn print_table(rows: &[Row]) {
    println!(
        "{:<22} {:>12} {:>14} {:>10} {:>8} {:>7} {:>9}",
        "case", "µs/event", "events/s", "in", "out", "allocs", "baseline"
    );
    for row in rows {
        let rival = row
            .name
            .strip_prefix("safe_")
            .map(|size| format!("baseline_{size}"));
        let rival = rows
            .iter()
            .find(|other| Some(other.name) == rival.as_deref());
        let times = rival.map_or(String::new(), |rival| {
            format!("{:.1}x", rival.ns_per_event / row.ns_per_event)
        });
        println!(
            "{:<22} {:>12.2} {:>14.0} {:>10} {:>8} {:>7} {:>9}",
            row.name,
            row.ns_per_event / 1e3,
            1e9 / row.ns_per_event,
            row.bytes_in,
            row.bytes_out,
            row.allocations,
            times
        );
    }
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
