//! The example that an operator tries his policy with.

#[path = "../../examples/redact.rs"]
mod redact;

use std::path::Path;

use serde_json::json;

use crate::support::{password, tokens};

#[test]
fn the_example_shows_what_is_stored_and_why() {
    let word = password(61);
    let (rule, token) = tokens(61).swap_remove(0);
    let input = json!({"db": {"password": word}, "note": format!("see {token}."), "n": 1});
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redact-example.json");
    std::fs::write(&file, input.to_string()).unwrap();

    let mut out = Vec::new();
    redact::show(file.to_str(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();

    let mut lines = out.lines();
    let stored = format!(
        r#"{{"db":{{"password":"[REDACTED:password]"}},"n":1,"note":"see [REDACTED:{rule}]."}}"#
    );
    assert_eq!(lines.next(), Some(&*stored));
    let reasons: Vec<Vec<&str>> = lines
        .skip(1)
        .take(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(reasons[0], ["password", "$.db.password"]);
    assert_eq!(reasons[1], [rule, "$.note", "at", "byte", "4"]);
    assert!(out.contains("\"original_bytes\""), "{out}");
    for secret in [&word, &token] {
        for start in 0..secret.len() - 7 {
            assert!(!out.contains(&secret[start..start + 8]), "{out}");
        }
    }

    assert!(redact::show(None, &mut Vec::new()).is_err());
    assert!(redact::show(Some("no such file"), &mut Vec::new()).is_err());
}
