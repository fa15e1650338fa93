//! Rules belong to the operator: keys, paths, patterns, levels, limits, fingerprints.

use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadLevel, PayloadLimits, PayloadPolicy,
};
use serde_json::json;

use crate::support::{ALPHANUMERIC, Random, json as text_of, password, policy_of, tokens};

fn kept(policy: &PayloadPolicy, input: &str) -> String {
    text_of(&Payload::from_json(input, &PayloadContext::request(policy))).to_owned()
}

#[test]
fn the_operator_redacts_and_allows_keys_and_redacting_wins() {
    let policy = PayloadPolicy::builder()
        .redact_key("tenant_ref")
        .redact_key("both")
        .allow_key("session token")
        .allow_key("both")
        .build()
        .unwrap();
    let input =
        r#"{"Tenant-Ref":7,"sessionToken":"x","both":"y","token":"z","note":"tenantRef=abc"}"#;
    assert_eq!(
        kept(&policy, input),
        r#"{"Tenant-Ref":"[REDACTED:operator_key]","sessionToken":"x","both":"[REDACTED:operator_key]","token":"[REDACTED:token]","note":"tenantRef=[REDACTED:operator_key]"}"#
    );
}

#[test]
fn paths_beat_keys_and_redacting_paths_beat_keeping_ones() {
    let policy = PayloadPolicy::builder()
        .redact_key("note")
        .allow_path("params.note")
        .allow_path("$.params.token")
        .redact_path("params.items.*.text")
        .redact_path("**.deep")
        .allow_path("a.deep")
        .build()
        .unwrap();
    let input = r#"{"params":{"note":"n","token":"t","items":[{"text":"x","n":1}]},"token":"u","a":{"deep":true}}"#;
    assert_eq!(
        kept(&policy, input),
        r#"{"params":{"note":"n","token":"t","items":[{"text":"[REDACTED:path]","n":1}]},"token":"[REDACTED:token]","a":{"deep":"[REDACTED:path]"}}"#
    );
}

#[test]
fn an_allowed_place_still_hides_what_looks_like_a_credential() {
    let policy = PayloadPolicy::builder()
        .allow_key("token")
        .allow_path("a")
        .build()
        .unwrap();
    let (_, secret) = tokens(1).swap_remove(0);
    let input = format!(r#"{{"token":"{secret}","a":"{secret}"}}"#);
    assert_eq!(
        kept(&policy, &input),
        r#"{"token":"[REDACTED:github_token]","a":"[REDACTED:github_token]"}"#
    );
}

#[test]
fn the_gateways_own_prefix_is_found_everywhere() {
    let policy = PayloadPolicy::builder()
        .pattern("gateway_key", "(bansho|demo)_sk_[0-9a-zA-Z]{16}")
        .build()
        .unwrap();
    let key = format!("bansho_sk_{}", Random::new(1).word(ALPHANUMERIC, 24));
    let input =
        json!({"a": format!("x{key}."), "b": json!({"q": key}).to_string(), key.clone(): 1})
            .to_string();
    assert!(
        !kept(&policy, &input).contains(&key[10..18]),
        "{}",
        kept(&policy, &input)
    );
    assert!(kept(&policy, &input).contains(r#""a":"x[REDACTED:gateway_key].""#));
}

#[test]
fn levels_go_by_tool_and_the_last_glob_wins() {
    let policy = PayloadPolicy::builder()
        .default_level(PayloadLevel::Metadata)
        .level("search_*", PayloadLevel::Full)
        .level("*_secret", PayloadLevel::Off)
        .build()
        .unwrap();
    let of = |tool: &str| {
        let context = PayloadContext::request(&policy).tool(tool);
        let payload = Payload::from_json("[1]", &context);
        (
            payload.json().map(str::to_owned),
            payload.report().original_bytes,
            payload.report().level,
        )
    };
    assert_eq!(
        of("search_code"),
        (Some("[1]".to_owned()), 3, PayloadLevel::Full)
    );
    assert_eq!(of("search_secret"), (None, 0, PayloadLevel::Off));
    assert_eq!(of("other"), (None, 3, PayloadLevel::Metadata));
}

#[test]
fn a_policy_that_cannot_work_is_refused_with_the_reason() {
    let builder = PayloadPolicy::builder;
    let tiny = PayloadLimits::default().with_bytes(10);
    for (refused, reason) in [
        (
            builder().pattern("any", "[a-z]{20}").build(),
            "no literal beginning",
        ),
        (
            builder().pattern("short", "ab[a-z]{9}").build(),
            "no literal beginning",
        ),
        (
            builder().pattern("half", "abcdef[0-9]+|[0-9]+").build(),
            "no literal beginning",
        ),
        (builder().pattern("open", "abc(").build(), "unclosed group"),
        (
            builder().pattern("Not A Name", "abcdef").build(),
            "the name is not",
        ),
        (builder().limits(tiny).build(), "the limit bytes"),
        (builder().redact_path("a..b").build(), "empty"),
        (builder().redact_key("-- ").build(), "no letters"),
        (
            builder().fingerprints("k1", b"short").build(),
            "fewer than 16 bytes",
        ),
        (
            builder().fingerprints("a key", &[1; 16]).build(),
            "the key id of fingerprints",
        ),
        (
            builder().fingerprints("", &[1; 16]).build(),
            "the key id of fingerprints",
        ),
        (
            builder().fingerprints("ninechars", &[1; 16]).build(),
            "the key id of fingerprints",
        ),
        (builder().redact_path("a.**").build(), "ends in `**`"),
        (builder().allow_path("**").build(), "ends in `**`"),
        (builder().allow_path("").build(), "empty"),
        (builder().allow_key("").build(), "no letters"),
        (
            builder().pattern("many", &beginnings(17)).build(),
            "at most 16 texts",
        ),
        (
            builder()
                .pattern("large", "abc(?:[a-z]{1000}){1000}")
                .build(),
            "takes more than",
        ),
        (
            builder().pattern(&"n".repeat(25), "abcdef").build(),
            "the name is not 1 to 24",
        ),
        (builder().pattern("", "abcdef").build(), "the name is not"),
    ] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// A pattern that may begin in `n` ways.
fn beginnings(n: usize) -> String {
    let ways: Vec<String> = (0..n).map(|i| format!("{i:02}_key")).collect();
    format!("({})[0-9]{{8}}", ways.join("|"))
}

#[test]
fn a_policy_at_the_edge_of_what_can_work_is_taken() {
    let policy = PayloadPolicy::builder()
        .pattern(&"n".repeat(24), &beginnings(16))
        .pattern("a", "abc")
        .fingerprints("eight_42", &[1; 16])
        .limits(PayloadLimits::MIN)
        .limits(PayloadLimits::MAX)
        .build()
        .unwrap();
    assert_eq!(policy.limits(), PayloadLimits::MAX);
    assert!(kept(&policy, "[\"15_key12345678\"]").contains("[REDACTED:nnn"));
}

#[test]
fn every_limit_has_a_least_and_a_most() {
    type Set = fn(PayloadLimits, usize) -> PayloadLimits;
    let (min, max) = (PayloadLimits::MIN, PayloadLimits::MAX);
    let limits: [(&str, Set, usize, usize); 6] = [
        ("bytes", PayloadLimits::with_bytes, min.bytes, max.bytes),
        ("depth", PayloadLimits::with_depth, min.depth, max.depth),
        ("items", PayloadLimits::with_items, min.items, max.items),
        (
            "key_chars",
            PayloadLimits::with_key_chars,
            min.key_chars,
            max.key_chars,
        ),
        (
            "string_chars",
            PayloadLimits::with_string_chars,
            min.string_chars,
            max.string_chars,
        ),
        (
            "scan_bytes",
            PayloadLimits::with_scan_bytes,
            min.scan_bytes,
            max.scan_bytes,
        ),
    ];
    for (name, set, min, max) in limits {
        let with = |n| set(PayloadLimits::default(), n);
        for n in [min, max] {
            assert_eq!(policy_of(with(n)).request_limits(), with(n));
        }
        for n in [0, min - 1, max + 1, usize::MAX] {
            for refused in [
                PayloadPolicy::builder().limits(with(n)).build(),
                PayloadPolicy::builder().request_limits(with(n)).build(),
                PayloadPolicy::builder().response_limits(with(n)).build(),
            ] {
                let error = refused.unwrap_err().to_string();
                let expected = format!("the limit {name} is not within {min} and {max}");
                assert!(error.ends_with(&expected), "{error}");
            }
        }
    }
}

#[test]
fn limits_of_requests_and_responses_are_apart() {
    let policy = PayloadPolicy::builder()
        .request_limits(PayloadLimits::default().with_bytes(1000))
        .response_limits(PayloadLimits::default().with_bytes(2000).with_items(3))
        .build()
        .unwrap();
    assert_eq!(policy.limits().bytes, 2000);
    assert_eq!(policy.limits().items, 40);
    let payload = Payload::from_json("[1,2,3,4]", &PayloadContext::response(&policy));
    assert_eq!(text_of(&payload), r#"[1,2,"[TRUNCATED:9]"]"#);
}

#[test]
fn fingerprints_answer_was_it_this_token() {
    let key = Random::new(2).word(ALPHANUMERIC, 32);
    let policy = PayloadPolicy::builder()
        .fingerprints("k1", key.as_bytes())
        .build()
        .unwrap();
    let (rule, secret) = tokens(2).swap_remove(0);
    let fingerprint = policy.fingerprint(rule, secret.as_bytes()).unwrap();
    let input = json!({"a": format!("see {secret}, there")}).to_string();
    assert_eq!(
        kept(&policy, &input),
        format!(r#"{{"a":"see [REDACTED:{rule}:{fingerprint}], there"}}"#)
    );

    let word = password(2);
    assert_eq!(policy.fingerprint("password", word.as_bytes()), None);
    assert_eq!(
        kept(&policy, &json!({"password": word}).to_string()),
        r#"{"password":"[REDACTED:password]"}"#
    );
    assert_eq!(
        PayloadPolicy::default().fingerprint(rule, secret.as_bytes()),
        None
    );

    // Whatever its spelling, a credential of the caller has one fingerprint.
    let credentials = [CallerCredential::new(secret.clone())];
    let fingerprint = policy
        .fingerprint("caller_credential", secret.as_bytes())
        .unwrap();
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(json!([hex]).to_string(), &context);
    assert_eq!(
        text_of(&payload),
        format!(r#"["[REDACTED:caller_credential:{fingerprint}]"]"#)
    );
    assert_eq!(text_of(&payload.narrow(&context)), text_of(&payload));
}

#[test]
fn short_text_is_scrubbed_without_quoting() {
    let policy = PayloadPolicy::default();
    let (_, secret) = tokens(3).swap_remove(0);
    let own = Random::new(3).word(ALPHANUMERIC, 20);
    let credentials = [CallerCredential::new(own.clone())];
    let scrubbed = policy.scrub_text("client \"one\"", &credentials);
    assert_eq!(scrubbed, "client \"one\"");
    let text = format!("client \"{secret}\" {own} [REDACTED:x]\0");
    assert_eq!(
        policy.scrub_text(&text, &credentials),
        "client \"[REDACTED:github_token]\" [REDACTED:caller_credential] [redacted:x]\u{fffd}"
    );
}

#[test]
fn a_place_is_named_for_each_redaction() {
    let policy = PayloadPolicy::default();
    let input = r#"{"a":[{"password":"x"}],"b":"see https://u:pw@h"}"#;
    let (payload, redactions) = Payload::explain_json(input, &PayloadContext::request(&policy));
    let places: Vec<(&str, &str)> = redactions.iter().map(|r| (&*r.rule, &*r.place)).collect();
    assert_eq!(
        places,
        [
            ("password", "$.a[0].password"),
            ("url_userinfo", "$.b at byte 14")
        ]
    );
    assert_eq!(payload.report().n_redactions(), 2);
}
