//! Rules for payloads as TOML.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::{PayloadLevel, PayloadLimits, PayloadPolicyBuilder};
use crate::error::{Error, ErrorKind};

/// A file of policy; what is not about payloads is for `AuditPolicy::from_toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(rename = "durability")]
    _durability: Option<IgnoredAny>,
    #[serde(rename = "rule")]
    _rule: Option<IgnoredAny>,
    #[serde(default)]
    payload: PayloadForm,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PayloadForm {
    level: Option<Spanned<String>>,
    redact_keys: Vec<Spanned<String>>,
    allow_keys: Vec<Spanned<String>>,
    redact_paths: Vec<Spanned<String>>,
    allow_paths: Vec<Spanned<String>>,
    patterns: BTreeMap<String, Spanned<String>>,
    levels: Vec<LevelForm>,
    limits: Option<Spanned<LimitsForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelForm {
    tools: Vec<String>,
    level: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsForm {
    bytes: Option<usize>,
    depth: Option<usize>,
    items: Option<usize>,
    key_chars: Option<usize>,
    string_chars: Option<usize>,
    scan_bytes: Option<usize>,
}

/// A rule, and where it stands.
type Add = fn(PayloadPolicyBuilder, &str) -> PayloadPolicyBuilder;

pub(super) fn add(
    text: &str,
    mut builder: PayloadPolicyBuilder,
) -> Result<PayloadPolicyBuilder, Error> {
    let form: FileForm = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        // The error's own text quotes the line; where it is and what is wrong is enough.
        invalid(text, place, error.message())
    })?;
    let form = form.payload;
    let lists: [(&[Spanned<String>], Add); 4] = [
        (&form.redact_keys, |builder, key| builder.redact_key(key)),
        (&form.allow_keys, |builder, key| builder.allow_key(key)),
        (&form.redact_paths, |builder, path| {
            builder.redact_path(path)
        }),
        (&form.allow_paths, |builder, path| builder.allow_path(path)),
    ];
    for (rules, add) in lists {
        for rule in rules {
            builder = checked(text, rule.span().start, add(builder, rule.get_ref()))?;
        }
    }
    for (name, regex) in &form.patterns {
        let place = regex.span().start;
        builder = checked(text, place, builder.pattern(name, regex.get_ref()))?;
    }
    if let Some(word) = &form.level {
        builder = builder.default_level(level(text, word)?);
    }
    for form in &form.levels {
        let level = level(text, &form.level)?;
        for tool in &form.tools {
            builder = builder.level(tool, level);
        }
    }
    if let Some(form) = form.limits {
        let place = form.span().start;
        let form = form.into_inner();
        let request = form.over(builder.rules.request);
        let response = form.over(builder.rules.response);
        builder = builder.request_limits(request).response_limits(response);
        builder = checked(text, place, builder)?;
    }
    Ok(builder)
}

impl LimitsForm {
    /// What is not said stays.
    fn over(&self, limits: PayloadLimits) -> PayloadLimits {
        PayloadLimits {
            bytes: self.bytes.unwrap_or(limits.bytes),
            depth: self.depth.unwrap_or(limits.depth),
            items: self.items.unwrap_or(limits.items),
            key_chars: self.key_chars.unwrap_or(limits.key_chars),
            string_chars: self.string_chars.unwrap_or(limits.string_chars),
            scan_bytes: self.scan_bytes.unwrap_or(limits.scan_bytes),
        }
    }
}

/// The problem of a rule, where it stands.
fn checked(
    text: &str,
    place: usize,
    builder: PayloadPolicyBuilder,
) -> Result<PayloadPolicyBuilder, Error> {
    match &builder.problem {
        Some(problem) => Err(invalid(text, place, &problem.to_string())),
        None => Ok(builder),
    }
}

fn level(text: &str, word: &Spanned<String>) -> Result<PayloadLevel, Error> {
    match word.get_ref().as_str() {
        "full" => Ok(PayloadLevel::Full),
        "metadata" => Ok(PayloadLevel::Metadata),
        "off" => Ok(PayloadLevel::Off),
        _ => Err(invalid(
            text,
            word.span().start,
            "no such level; there are: full, metadata, off",
        )),
    }
}

/// An error at a byte of the text, by its line.
fn invalid(text: &str, place: usize, problem: &str) -> Error {
    let before = text.as_bytes().iter().take(place);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    let message = format!("line {line} of the payload rules: {problem}");
    Error::new(ErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::super::{Payload, PayloadContext, PayloadPolicy};
    use super::*;

    fn read(text: &str) -> Result<PayloadPolicy, Error> {
        let builder = PayloadPolicy::builder().toml(text)?;
        Ok(builder.build().unwrap())
    }

    #[test]
    fn the_rules_of_a_file_hold() {
        let policy = read(
            r#"
durability = "queued"

[payload]
level = "metadata"
redact_keys = ["tenant ref"]
allow_keys = ["session token"]
redact_paths = ["a.*.note"]
allow_paths = ["b.password"]

[payload.patterns]
gateway_key = "bansho_sk_[0-9a-z]{8,}"

[[payload.levels]]
tools = ["search", "s_*"]
level = "full"

[payload.limits]
bytes = 2000

[[rule]]
"#,
        )
        .unwrap();
        assert_eq!(policy.limits().bytes, 2_000);
        assert_eq!(policy.limits().depth, PayloadLimits::default().depth);
        assert_eq!(policy.level(None), PayloadLevel::Metadata);
        assert_eq!(policy.level(Some("s_1")), PayloadLevel::Full);
        let json = br#"{"tenantRef":1,"sessionToken":"t","a":{"x":{"note":"n"}},"b":{"password":"p"},"c":"bansho_sk_0123456789"}"#;
        let payload = Payload::from_json(json, &PayloadContext::request(&policy).tool("search"));
        let kept: serde_json::Value = serde_json::from_str(payload.json().unwrap()).unwrap();
        assert_eq!(
            kept,
            serde_json::json!({
                "tenantRef": "[REDACTED:operator_key]",
                "sessionToken": "t",
                "a": {"x": {"note": "[REDACTED:path]"}},
                "b": {"password": "p"},
                "c": "[REDACTED:gateway_key]",
            })
        );
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        for (line, says, text) in [
            (2, "no such level", "[payload]\nlevel = \"most\"\n"),
            (2, "redact_key", "[payload]\nredact_key = [\"a\"]\n"),
            (3, "no letters", "[payload]\n\nallow_keys = [\"!\"]\n"),
            (
                2,
                "no literal beginning",
                "[payload.patterns]\nany = \".*\"\n",
            ),
            (1, "limit bytes", "[payload.limits]\nbytes = 1\n"),
            (
                2,
                "no such level",
                "[[payload.levels]]\nlevel = \"x\"\ntools = []\n",
            ),
            (1, "payloads", "payloads = 1\n"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let error = error.to_string();
            let place = format!("line {line} of the payload rules: ");
            assert!(error.starts_with(&place), "{text:?}: {error}");
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
