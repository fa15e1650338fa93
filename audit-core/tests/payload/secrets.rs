//! P5: no secret of any rule in any placement leaves a piece of itself.

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy, credential_shape};
use serde_json::{Value, json};

use crate::support::{assert_absent, base64, json as text_of, keep, password, private_key, tokens};

/// Placements that need no rule but the secret's own look.
pub(crate) fn placements(secret: &str) -> Vec<(&'static str, String)> {
    let nested = json!({"q": secret}).to_string();
    let twice = json!({"inner": nested}).to_string();
    let escaped: String = secret.bytes().map(|b| format!("\\u00{b:02x}")).collect();
    let alternating: String = secret
        .bytes()
        .enumerate()
        .map(|(i, b)| {
            if i % 2 == 0 {
                format!("\\u00{b:02X}")
            } else {
                char::from(b).to_string()
            }
        })
        .collect();
    let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let mut places = vec![
        ("value", json!({"a": secret}).to_string()),
        ("root", json!(secret).to_string()),
        (
            "in a sentence",
            json!({"a": format!("I use {secret}, it works")}).to_string(),
        ),
        (
            "after a word",
            json!({"a": format!("openai_{secret}")}).to_string(),
        ),
        ("key", json!({secret: true}).to_string()),
        (
            "long key",
            json!({format!("{}{secret}", "k".repeat(40)): true}).to_string(),
        ),
        ("nested JSON", json!({"a": nested}).to_string()),
        ("nested JSON twice", json!({"a": twice}).to_string()),
        ("array", json!([[1, secret]]).to_string()),
        (
            "userinfo",
            json!({"a": format!("https://u:{secret}@host/p")}).to_string(),
        ),
        (
            "query",
            json!({"a": format!("https://host/p?x=1&q={secret}&y=2")}).to_string(),
        ),
        (
            "form",
            json!({"a": format!("x=1&q={secret}&y=2")}).to_string(),
        ),
        (
            "bearer",
            json!({"a": format!("Bearer {secret}")}).to_string(),
        ),
        ("escaped", format!("{{\"a\":\"{escaped}\"}}")),
        ("partly escaped", format!("{{\"a\":\"{alternating}\"}}")),
        (
            "escaped in nested JSON",
            json!({"a": format!("{{\"q\":\"{escaped}\"}}")}).to_string(),
        ),
        ("percent", json!({"a": percent}).to_string()),
        ("hexadecimal", json!({"a": hex}).to_string()),
        (
            "duplicate key",
            format!("{{\"a\":{0},\"a\":{0}}}", json!(secret)),
        ),
    ];
    for (shift, name) in ["", "a", "ab"]
        .into_iter()
        .zip(["base64", "base64 + 1", "base64 + 2"])
    {
        places.push((
            name,
            json!({"a": base64(format!("{shift}{secret} tail"))}).to_string(),
        ));
    }
    places
}

/// Placements that say by a name that the value is a secret.
pub(crate) fn named_placements(secret: &str) -> Vec<(&'static str, String)> {
    let object = json!({"password": secret}).to_string();
    let twice = json!({"inner": object}).to_string();
    vec![
        ("key", json!({"password": secret}).to_string()),
        ("camel key", json!({"dbPassword": secret}).to_string()),
        ("header key", json!({"X-Api-Key": secret}).to_string()),
        (
            "deep key",
            json!({"a": [{"b": {"clientSecret": secret}}]}).to_string(),
        ),
        (
            "container",
            json!({"credentials": {"any": [secret]}}).to_string(),
        ),
        (
            "name, value",
            json!({"name": "Authorization", "value": secret}).to_string(),
        ),
        (
            "value, name",
            format!("{{\"value\":{},\"name\":\"X-Api-Key\"}}", json!(secret)),
        ),
        (
            "key, val",
            json!([{"key": "api_key", "val": secret}]).to_string(),
        ),
        (
            "header, value",
            json!({"header": "Cookie", "value": {"x": secret}}).to_string(),
        ),
        (
            "raw headers",
            json!({"rawHeaders": ["Host", "x", "Authorization", secret, "Accept", "y"]})
                .to_string(),
        ),
        (
            "XML",
            json!({"a": format!("<db><password>{secret}</password></db>")}).to_string(),
        ),
        (
            "two elements",
            json!([["Authorization", secret]]).to_string(),
        ),
        (
            "flag",
            json!({"args": ["--api-key", secret, "run"]}).to_string(),
        ),
        (
            "duplicate key",
            format!("{{\"token\":{0},\"token\":{0}}}", json!(secret)),
        ),
        ("nested JSON", json!({"a": object}).to_string()),
        ("nested JSON twice", json!({"a": twice}).to_string()),
        (
            "nested pair",
            json!({"a": json!({"value": secret, "name": "Authorization"}).to_string()}).to_string(),
        ),
        (
            "broken nested JSON",
            json!({"a": format!("{{\"x\": 1, \"password\": \"{secret}\", ")}).to_string(),
        ),
        (
            "escaped JSON in text",
            json!({"a": format!("got {{\\\"password\\\": \\\"{secret}\\\"}} back")}).to_string(),
        ),
        (
            "userinfo",
            json!({"a": format!("postgres://me:{secret}@db/x")}).to_string(),
        ),
        (
            "query",
            json!({"a": format!("https://host/?access_token={secret}&y=2")}).to_string(),
        ),
        (
            "fragment",
            json!({"a": format!("https://host/#id_token={secret}")}).to_string(),
        ),
        (
            "form",
            json!({"a": format!("user=me&password={secret}&y=2")}).to_string(),
        ),
        (
            "percent form",
            json!({"a": format!("user%3Dme%26password%3D{secret}")}).to_string(),
        ),
        (
            "percent name",
            json!({"a": format!("p%61ssword={secret}&x=1")}).to_string(),
        ),
        (
            "header line",
            json!({"a": format!("Host: x\nAuthorization: Token {secret}\nAccept: */*")})
                .to_string(),
        ),
        (
            "curl",
            json!({"a": format!("curl -H 'X-Api-Key: {secret}' https://host")}).to_string(),
        ),
        (
            "YAML",
            json!({"a": format!("db:\n  password: {secret}\n  port: 1")}).to_string(),
        ),
        (
            "INI",
            json!({"a": format!("[db]\npassword = {secret}\nport = 1")}).to_string(),
        ),
        (
            "environment",
            json!({"a": format!("export DB_PASSWORD={secret}")}).to_string(),
        ),
        (
            "Python",
            json!({"a": format!("connect(password='{secret}')")}).to_string(),
        ),
        (
            "Ruby",
            json!({"a": format!("{{'password' => '{secret}'}}")}).to_string(),
        ),
        (
            "command line",
            json!({"a": format!("tool --password={secret} run")}).to_string(),
        ),
        (
            "DSN",
            json!({"a": format!("Server=db;Uid=me;Password={secret};")}).to_string(),
        ),
        ("base64", json!({"a": base64(&object)}).to_string()),
        (
            "Basic",
            json!({"a": format!("Basic {}", base64(format!("me:{secret}")))}).to_string(),
        ),
        (
            "full-width key",
            json!({"ｐａｓｓｗｏｒｄ": secret}).to_string(),
        ),
        ("accented key", json!({"contraseña": secret}).to_string()),
        (
            "escaped key",
            format!("{{\"p\\u0061ssword\":{}}}", json!(secret)),
        ),
    ]
}

#[test]
fn p5_no_token_leaves_a_piece_in_any_placement() {
    for seed in 1..4 {
        for (rule, secret) in tokens(seed) {
            for (place, input) in placements(&secret) {
                let payload = keep(&input);
                assert_absent(&secret, &payload, &format!("{rule}, {place}, {input}"));
                assert_ne!(payload.report().n_redactions(), 0, "{rule}, {place}");
            }
            assert_eq!(credential_shape(&secret), Some(rule));
        }
    }
}

#[test]
fn p5_no_named_secret_leaves_a_piece_in_any_placement() {
    for seed in 1..8 {
        let secret = password(seed);
        for (place, input) in named_placements(&secret) {
            let payload = keep(&input);
            assert_absent(&secret, &payload, &format!("{place}, {input}"));
            assert_ne!(payload.report().n_redactions(), 0, "{place}");
            let again: Value = serde_json::from_str(&input).unwrap_or_default();
            let policy = PayloadPolicy::default();
            let context = PayloadContext::request(&policy);
            assert_absent(&secret, &Payload::from_serialize(&again, &context), place);
        }
    }
}

#[test]
fn p5_every_subset_of_escapes_is_seen_through() {
    let (_, secret) = tokens(9).swap_remove(3);
    for subset in 0u32..1 << 12 {
        let spelled: String = secret
            .bytes()
            .enumerate()
            .map(|(i, b)| match subset >> (i % 12) & 1 {
                1 => format!("\\u{b:04x}"),
                _ => char::from(b).to_string(),
            })
            .collect();
        let input = format!("{{\"a\":\"see {spelled} there\"}}");
        assert_eq!(
            text_of(&keep(&input)),
            r#"{"a":"see [REDACTED:aws_key] there"}"#
        );
    }
}

#[test]
fn p5_a_private_key_is_taken_whole_and_in_parts() {
    for seed in 1..4 {
        let key = private_key(seed);
        let lines: Vec<&str> = key.lines().collect();
        let without_end = lines[..6].join("\n");
        let without_begin = lines[3..].join("\n");
        for text in [
            &key,
            &without_end,
            &without_begin,
            &key.replace('\n', "\\n"),
        ] {
            let payload = keep(json!({"a": format!("{text}")}).to_string());
            for line in &lines[1..lines.len() - 1] {
                assert_absent(line, &payload, text);
            }
        }
    }
}

#[test]
fn p5_headers_follow_the_same_rules() {
    let policy = PayloadPolicy::default();
    let secret = password(3);
    let headers = [
        ("Host", "gateway".to_owned()),
        ("Authorization", format!("Bearer {secret}")),
        ("Cookie", format!("sid={secret}; theme=dark")),
        ("X-Api-Key", secret.clone()),
        ("Mcp-Param-Password", secret.clone()),
        ("Mcp-Session-Id", secret.clone()),
        ("Accept", "*/*".to_owned()),
    ];
    let payload = Payload::from_headers(headers, &PayloadContext::request(&policy));
    assert_absent(&secret, &payload, "headers");
    assert!(
        text_of(&payload)
            .starts_with(r#"{"Host":"gateway","Authorization":"[REDACTED:authorization]""#)
    );
    assert!(text_of(&payload).ends_with(r#""Accept":"*/*"}"#));
}

#[test]
fn shapes_of_credentials_are_known() {
    let secret = password(5);
    for (text, expected) in [
        (format!("Bearer {secret}"), Some("authorization")),
        (
            format!("Basic {}", base64(format!("me:{secret}"))),
            Some("authorization"),
        ),
        (format!("amqp://me:{secret}@host"), Some("url_userinfo")),
        (private_key(1), Some("private_key")),
        ("key-7".to_owned(), None),
        ("team/analytics".to_owned(), None),
        ("basic understanding".to_owned(), None),
        ("018f4d2e-7c1b-7cc0-9d0a-1f2e3d4c5b6a".to_owned(), None),
    ] {
        assert_eq!(credential_shape(&text), expected, "{text}");
    }
}
