//! `redact`: what would be kept, and why.

use std::fs;

use serde_json::{Value, json};

use crate::secret;
use crate::store::{Store, audit, ran};

#[test]
fn a_payload_is_shown_as_it_would_be_kept() {
    let store = Store::none();
    let (token, password) = (secret::token(21), secret::password(22));
    let payload =
        json!({"db": {"password": password}, "note": format!("see {token}."), "tenant_ref": "t-1"});
    let (file, policy) = (store.beside("p.json"), store.beside("policy.toml"));
    fs::write(&file, payload.to_string()).unwrap();
    fs::write(
        &policy,
        "durability = \"queued\"\n[payload]\nredact_keys = [\"tenant ref\"]\n\
         [[payload.levels]]\ntools = [\"env\"]\nlevel = \"metadata\"\n",
    )
    .unwrap();
    let (file, policy) = (file.to_str().unwrap(), policy.to_str().unwrap());

    let shown = ran(audit(&["redact", file, "--policy", policy, "-o", "json"]));
    assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{shown:?}");
    let shown_json: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(
        shown_json["kept"],
        json!({
            "db": {"password": "[REDACTED:password]"},
            "note": "see [REDACTED:github_token].",
            "tenant_ref": "[REDACTED:operator_key]",
        })
    );
    assert_eq!(shown_json["redactions"][0]["place"], "$.db.password");
    assert_eq!(
        shown_json["report"]["original_bytes"],
        payload.to_string().len()
    );

    let words = ran(audit(&["redact", file, "-o", "table"]));
    assert!(words.out.contains("github_token"), "{words:?}");
    assert!(words.out.contains("$.db.password"), "{words:?}");
    for out in [&shown.out, &words.out] {
        for secret in [&token, &password] {
            assert!(!out.contains(secret.as_str()), "{out}");
        }
    }

    let levelled = ran(audit(&[
        "redact", file, "--policy", policy, "--tool", "env", "-o", "json",
    ]));
    let levelled: Value = serde_json::from_str(&levelled.out).unwrap();
    assert_eq!(levelled["kept"], Value::Null);
    assert_eq!(levelled["report"]["level"], "metadata");
}

#[test]
fn mistakes_end_with_their_codes() {
    let store = Store::none();
    let policy = store.beside("policy.toml");
    fs::write(&policy, "[payload]\nredact_key = [\"a\"]\n").unwrap();
    let policy = policy.to_str().unwrap();
    let shown = ran(audit(&["redact", policy, "--policy", policy]));
    assert_eq!(shown.code, 2, "{shown:?}");
    assert!(
        shown.err.contains("line 2 of the payload rules"),
        "{shown:?}"
    );
    assert_eq!(ran(audit(&["redact", "nowhere.json"])).code, 3);
    assert_eq!(ran(audit(&["redact", policy, "-o", "csv"])).code, 2);
}
