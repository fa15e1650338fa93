//! Inputs made from a seed, and what tests ask of a payload.

use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use proptest::prelude::*;
use serde_json::Value;

/// A small generator: the same seed gives the same secrets.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::from(u16::from_le_bytes([
            self.0.to_le_bytes()[2],
            self.0.to_le_bytes()[3],
        ])) % n
    }

    pub(crate) fn word(&mut self, alphabet: &[u8], n: usize) -> String {
        (0..n)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

pub(crate) const ALPHANUMERIC: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(crate) const HEX: &[u8] = b"0123456789abcdef";

/// A secret of each built-in kind, by its rule.
pub(crate) fn tokens(seed: u64) -> Vec<(&'static str, String)> {
    let mut random = Random::new(seed);
    let mut token =
        |rule, prefix: &str, alphabet, n| (rule, format!("{prefix}{}", random.word(alphabet, n)));
    let mut tokens = vec![
        token("github_token", "ghp_", ALPHANUMERIC, 36),
        token("github_token", "github_pat_", ALPHANUMERIC, 82),
        token("gitlab_token", "glpat-", ALPHANUMERIC, 20),
        token("aws_key", "AKIA", BASE32, 16),
        token("google_key", "AIza", ALPHANUMERIC, 35),
        token("google_key", "ya29.", ALPHANUMERIC, 60),
        token("google_key", "GOCSPX-", ALPHANUMERIC, 28),
        token("anthropic_key", "sk-ant-", ALPHANUMERIC, 90),
        token("openai_key", "sk-proj-", ALPHANUMERIC, 60),
        token("openai_key", "sk-", ALPHANUMERIC, 48),
        token("slack_token", "xoxb-", ALPHANUMERIC, 50),
        token(
            "slack_webhook",
            "hooks.slack.com/services/",
            ALPHANUMERIC,
            44,
        ),
        token("stripe_key", "sk_live_", ALPHANUMERIC, 24),
        token("npm_token", "npm_", ALPHANUMERIC, 36),
        token("pypi_token", "pypi-AgEI", ALPHANUMERIC, 100),
        token("huggingface_token", "hf_", ALPHANUMERIC, 34),
        token("digitalocean_token", "dop_v1_", HEX, 64),
        token("grafana_token", "glsa_", ALPHANUMERIC, 40),
        token("vault_token", "hvs.", ALPHANUMERIC, 24),
        token("databricks_token", "dapi", HEX, 32),
        token("shopify_token", "shpat_", HEX, 32),
        token("sendgrid_key", "SG.", ALPHANUMERIC, 66),
        token("square_token", "sq0atp-", ALPHANUMERIC, 22),
        token("linear_key", "lin_api_", ALPHANUMERIC, 40),
        token("notion_token", "ntn_", ALPHANUMERIC, 46),
        token("postman_key", "PMAK-", HEX, 59),
        token("pulumi_token", "pul-", HEX, 40),
        token("perplexity_key", "pplx-", ALPHANUMERIC, 48),
        token("readme_key", "rdme_", ALPHANUMERIC, 70),
        token("sentry_token", "sntryu_", HEX, 64),
        token("age_key", "AGE-SECRET-KEY-1", BASE32, 58),
        token("alibaba_key", "LTAI", ALPHANUMERIC, 20),
        token("tailscale_key", "tskey-", ALPHANUMERIC, 30),
        token("vercel_token", "vercel_", ALPHANUMERIC, 24),
        token("posthog_key", "phx_", ALPHANUMERIC, 43),
    ];
    let parts = [20, 60, 43].map(|n| random.word(ALPHANUMERIC, n));
    tokens.push((
        "jwt",
        format!("eyJ{}.eyJ{}.{}", parts[0], parts[1], parts[2]),
    ));
    tokens
}

/// A password that looks like nothing in particular.
pub(crate) fn password(seed: u64) -> String {
    format!("q{}7", Random::new(seed).word(ALPHANUMERIC, 22))
}

/// A private key block of random lines.
pub(crate) fn private_key(seed: u64) -> String {
    let mut random = Random::new(seed);
    let lines: Vec<String> = (0..8).map(|_| random.word(ALPHANUMERIC, 64)).collect();
    let label = "PRIVATE KEY";
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----",
        lines.join("\n")
    )
}

pub(crate) fn keep(json: impl AsRef<[u8]>) -> Payload {
    let policy = PayloadPolicy::default();
    Payload::from_json(json, &PayloadContext::request(&policy))
}

pub(crate) fn keep_within(json: impl AsRef<[u8]>, limits: PayloadLimits) -> Payload {
    let policy = policy_of(limits);
    Payload::from_json(json, &PayloadContext::request(&policy))
}

pub(crate) fn policy_of(limits: PayloadLimits) -> PayloadPolicy {
    PayloadPolicy::builder()
        .limits(limits)
        .build()
        .expect("limits in range")
}

pub(crate) fn json(payload: &Payload) -> &str {
    payload.json().expect("the level keeps content")
}

pub(crate) fn value(payload: &Payload) -> Value {
    serde_json::from_str(json(payload)).expect("a payload is JSON")
}

/// Fails if eight characters in a row of `secret` stand in the payload or in its report.
#[track_caller]
pub(crate) fn assert_absent(secret: &str, payload: &Payload, about: &str) {
    assert_no_piece(secret, 8, payload, about);
}

/// Fails if `n` characters in a row of `spelled` stand in the payload, as it is written or as it is
/// read, or in its report.
#[track_caller]
pub(crate) fn assert_no_piece(spelled: &str, n: usize, payload: &Payload, about: &str) {
    let report = serde_json::to_string(payload.report()).expect("a report serializes");
    let mut texts = vec![json(payload).to_owned(), report];
    if texts[0].contains('\\') {
        texts_of(&value(payload), &mut texts);
    }
    let n = std::cmp::min(n, spelled.len());
    for text in texts {
        for start in 0..=spelled.len() - n {
            let Some(piece) = spelled.get(start..start + n) else {
                continue;
            };
            assert!(
                !text.contains(piece),
                "{about}: {piece:?} of {spelled:?} is in {text}"
            );
        }
    }
}

/// All keys and strings of a value.
fn texts_of(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        Value::Object(members) => {
            for (key, member) in members {
                texts.push(key.clone());
                texts_of(member, texts);
            }
        }
        _ => {}
    }
}

/// Base64 with its padding.
pub(crate) fn base64(text: impl AsRef<[u8]>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in text.as_ref().chunks(3) {
        let at = |i: usize| group.get(i).copied().map_or(0, u32::from);
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * i) & 63).unwrap();
            out.push(if i > group.len() {
                '='
            } else {
                char::from(DIGITS[digit])
            });
        }
    }
    out
}

/// The other alphabet of base64.
pub(crate) fn url_safe(base64: &str) -> String {
    base64.replace('+', "-").replace('/', "_")
}

/// Each byte as two hexadecimal digits behind `before`.
pub(crate) fn hex(text: &str, before: &str) -> String {
    text.bytes().map(|b| format!("{before}{b:02x}")).collect()
}

/// Text of short words, `n` bytes long, so that a cut has somewhere to go.
pub(crate) fn filler(n: usize) -> String {
    let text = "lorem ipsum dolor sit amet ".repeat(n / 27 + 1);
    text[..n].to_owned()
}

/// So many cases, and no files with those that failed: a failure becomes a test of its own.
pub(crate) fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(
            std::env::var("PROPTEST_CASES")
                .ok()
                .and_then(|n| n.parse().ok())
                .unwrap_or(n),
        )
    }
}

/// Any JSON, with the strings that make trouble.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => "[a-z_]{0,12}",
        2 => any::<String>(),
        1 => "[A-Za-z0-9+/]{24,700}",
        1 => "([a-z]{1,9} ){0,90}",
        1 => prop::sample::select(vec![
            "password", "name", "value", "[REDACTED:password]", "[TRUNCATED:7]", "Bearer",
            "https://user:word@host/?token=abc&x=1", "a=b&secret=c", "{\"token\":\"x1\"}",
            "\\u0070assword=1", "%70assword=x", "-----BEGIN PRIVATE KEY-----\nAAAA",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 96, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Any limits, small ones more often.
pub(crate) fn any_limits() -> impl Strategy<Value = PayloadLimits> {
    let small = |range: std::ops::Range<usize>| prop_oneof![Just(range.start), range];
    (
        small(64..6000),
        small(1..10),
        small(2..60),
        small(32..120),
        small(32..900),
        small(64..9000),
    )
        .prop_map(|(bytes, depth, items, keys, strings, scan)| {
            PayloadLimits::default()
                .with_bytes(bytes)
                .with_depth(depth)
                .with_items(items)
                .with_key_chars(keys)
                .with_string_chars(strings)
                .with_scan_bytes(scan)
        })
}
