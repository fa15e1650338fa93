//! P10: a caller's marks change no report. P12: what is no secret stays visible.

use std::collections::BTreeMap;

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{json as text_of, keep, value};

proptest! {
    #![proptest_config(crate::support::cases(256))]

    #[test]
    fn p10_marks_of_a_caller_change_no_report(
        marks in prop::collection::vec(prop::sample::select(vec![
            "[REDACTED:password]", "[TRUNCATED:12]", "[TRUNCATED]", "[UNPARSEABLE:3]", "[WITHHELD]",
            "[DUPLICATE:2]", "words",
        ]), 0..3),
    ) {
        let text = marks.join(" ");
        let payload = keep(json!({"a": text, text.clone(): [text]}).to_string());
        let report = payload.report();
        prop_assert_eq!(&report.redactions, &BTreeMap::new());
        prop_assert!(!report.truncated);
        prop_assert_eq!(report.failure, None);
        prop_assert!(!text_of(&payload).contains("[REDACTED"));
        prop_assert_eq!(text_of(&payload).to_lowercase(), json!({"a": text, text.clone(): [text]}).to_string().to_lowercase());
    }
}

/// Keys that hold no secret although a word of theirs sounds like one.
const TRAPS: &[&str] = &[
    "token_count",
    "tokens",
    "max_tokens",
    "maxTokens",
    "input_tokens",
    "output_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "$ai_input_tokens",
    "num_speculative_tokens",
    "tokens_used",
    "tokenizer",
    "tokenize",
    "TOKENIZERS_PARALLELISM",
    "tokenization",
    "token_type",
    "token_id",
    "token_limit",
    "token_url",
    "token_endpoint",
    "token_file",
    "progressToken",
    "nextPageToken",
    "page_token",
    "continuation_token",
    "cancellation_token",
    "syncToken",
    "author",
    "author_email",
    "co_authors",
    "authority",
    "authored_at",
    "authenticated",
    "authentication_method",
    "auth_type",
    "auth_required",
    "oauth_provider",
    "secretary",
    "secretariat",
    "secret_name",
    "secret_id",
    "secret_arn",
    "secretRef",
    "secret_length",
    "key",
    "keys",
    "key_id",
    "kid",
    "keyboard",
    "keyword",
    "keywords",
    "public_key",
    "primary_key",
    "foreign_key",
    "partition_key",
    "sort_key",
    "cache_key",
    "api_version",
    "api_id",
    "access_count",
    "access_level",
    "accessor",
    "accessibility",
    "password_policy",
    "password_changed_at",
    "has_password",
    "reset_password_url",
    "passenger",
    "passage",
    "bypass",
    "compass",
    "passed",
    "cookie_consent",
    "cookies_enabled",
    "session_count",
    "monkey",
    "turkey",
    "donkey",
    "pinned",
    "spin",
    "signature_algorithm",
    "etag",
    "sha",
    "trace_id",
    "request_id",
    "idempotency_key",
    "tool_use_id",
    "Access-Control-Allow-Credentials",
    "api_key_id",
    "client_secret_expires_at",
];

#[test]
fn p12_keys_that_only_sound_like_secrets_stay_visible() {
    for key in TRAPS {
        for inside in [
            json!("a plain value"),
            json!(7),
            json!(["x"]),
            json!({"x": 1}),
        ] {
            let input = json!({*key: inside}).to_string();
            assert_eq!(text_of(&keep(&input)), input, "{key}");
        }
        let text = json!(format!("{key}=plain and {key}: plain\n{key} = plain\n")).to_string();
        assert_eq!(text_of(&keep(&text)), text, "{key}");
    }
}

#[test]
fn p12_values_that_are_no_secret_stay_visible() {
    for input in [
        json!({"PWD": "/home/me/project", "pass": true, "token": 12, "secret": null, "password": ""}),
        json!({"credentials": "same-origin", "has_password": true, "api_key": false}),
        json!({"env": {"OLDPWD": "/", "PATH": "/usr/bin:/bin"}}),
        json!({"name": "max_tokens", "value": 100}),
        json!({"name": "Content-Type", "value": "application/json"}),
        json!(["Accept", "*/*"]),
        json!({"type": "object", "required": ["password", "email"], "properties": {
            "password": {"type": "string", "minLength": 8},
            "token": {"$ref": "#/definitions/token"},
        }}),
    ] {
        let input = input.to_string();
        assert_eq!(text_of(&keep(&input)), input);
    }
}

#[test]
fn p12_a_schema_that_gives_a_value_hides_it() {
    let input = json!({"properties": {"password": {"type": "string", "default": "some words"}, "token": {"v": "x"}}});
    let kept = value(&keep(input.to_string()));
    assert_eq!(
        kept["properties"]["password"]["default"],
        "[REDACTED:password]"
    );
    assert_eq!(kept["properties"]["password"]["type"], "string");
    assert_eq!(kept["properties"]["token"], "[REDACTED:token]");
}

/// Transcripts, configurations and logs without a secret in them.
const CLEAN: &[&str] = &[
    "2026-11-23T10:00:00Z INFO gateway: request 018f4d2e-7c1b-7cc0-9d0a-1f2e3d4c5b6a took 12.5 ms",
    "GET /api/v1/items?page=2&sort=created&limit=50 HTTP/1.1\nHost: example.org\nAccept: */*",
    "The basic understanding of bearer authentication: a token is sent with each request.",
    "Note about the token: use it wisely. The password: choose a long one.",
    "fn token(&self) -> Token { self.tokens.next() }\nlet token = parser.next_token();\nif token == end { break; }",
    "def login(password: str, token: Optional[str] = None) -> bool:\n    return check(password=password)",
    "const apiKey = process.env.API_KEY;\nconst secret = getSecret();\n",
    "database:\n  host: db.example.org\n  port: 5432\n  password: ${DB_PASSWORD}\n  pool: 10\n",
    "[server]\nlisten = 0.0.0.0:8080\nworkers = 4\nmax_tokens = 4096\n",
    "export PATH=/usr/local/bin:$PATH\nexport API_TOKEN=$API_TOKEN\ncd \"$PWD\"",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8\nAuthor: A. Developer <dev@example.org>\nDate: Mon Nov 23",
    "/usr/lib/python3/dist-packages/setuptools/_vendor/packaging/__init__.py:12: DeprecationWarning",
    "https://example.org:8443/a/b?x=1#top and http://localhost:3000/ and git@example.org:team/repo.git",
    "ssh://git@example.org/team/repo.git",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2xpZW50\n-----END CERTIFICATE-----",
    "C:\\Users\\me\\token\\file.txt and \\\\server\\share",
    "Usage: tool [--token-file FILE] [--no-cookies] [--max-tokens N]",
    "{\"usage\": {\"prompt_tokens\": 12, \"completion_tokens\": 7}, \"model\": \"claude-sonnet-4-5-20250929\"}",
    "| key | value |\n|---|---|\n| author | someone |\n| session_count | 3 |",
    "task-manager-component-for-the-dashboard and disk-usage-monitoring-service-for-tests",
    "if (user.password !== confirm) { throw new Error('passwords differ'); }",
];

#[test]
fn p12_clean_text_is_left_alone() {
    for text in CLEAN {
        let input = json!({"text": text}).to_string();
        let payload = keep(&input);
        assert_eq!(
            value(&payload),
            serde_json::from_str::<Value>(&input).unwrap(),
            "{text}"
        );
        assert_eq!(payload.report().redactions, BTreeMap::new(), "{text}");
        let policy = PayloadPolicy::default();
        let plain = Payload::from_text(text, &PayloadContext::response(&policy));
        assert_eq!(value(&plain), Value::from(*text));
        assert_eq!(policy.scrub_text(text, &[]), *text);
    }
}
