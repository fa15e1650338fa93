//! A policy as TOML.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::{AuditPolicy, PolicyRule};
use crate::Glob;
use crate::error::{Error, ErrorKind};
use crate::event::Outcome;
use crate::sink::Durability;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyForm {
    durability: Option<Spanned<String>>,
    #[serde(default)]
    rule: Vec<Spanned<RuleForm>>,
    /// For `PayloadPolicyBuilder::toml`.
    #[serde(rename = "payload")]
    _payload: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    #[serde(default)]
    tools: Vec<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    outcomes: Vec<Spanned<String>>,
    durability: Option<Spanned<String>>,
    #[serde(default)]
    write_ahead: bool,
}

pub(super) fn read(text: &str) -> Result<AuditPolicy, Error> {
    let form: PolicyForm = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        // The error's own text quotes the line; where it is and what is wrong is enough.
        invalid(text, place, error.message())
    })?;
    let mut policy = AuditPolicy::new();
    if let Some(durability) = form.durability {
        policy = policy.durability(self::durability(text, &durability)?);
    }
    for rule in form.rule {
        policy = policy.rule(read_rule(text, rule)?);
    }
    Ok(policy)
}

fn read_rule(text: &str, form: Spanned<RuleForm>) -> Result<PolicyRule, Error> {
    let place = form.span().start;
    let form = form.into_inner();
    let mut rule = PolicyRule::new().write_ahead(form.write_ahead);
    for tool in &form.tools {
        rule = rule.tool(Glob::new(tool));
    }
    for method in &form.methods {
        rule = rule.method(Glob::new(method));
    }
    for outcome in &form.outcomes {
        let known = outcome.get_ref().parse::<Outcome>();
        let words = Outcome::ALL.iter().map(|outcome| outcome.as_str());
        let words = words.collect::<Vec<_>>().join(", ");
        let known = known.map_err(|_| {
            invalid(
                text,
                outcome.span().start,
                &format!("no such outcome; there are: {words}"),
            )
        })?;
        rule = rule.outcome(known);
    }
    if let Some(durability) = &form.durability {
        rule = rule.durability(self::durability(text, durability)?);
    }
    match rule.problem() {
        Some(problem) => Err(invalid(text, place, &format!("the rule {problem}"))),
        None => Ok(rule),
    }
}

fn durability(text: &str, word: &Spanned<String>) -> Result<Durability, Error> {
    word.get_ref()
        .parse()
        .map_err(|error: Error| invalid(text, word.span().start, &error.to_string()))
}

/// An error at a byte of the text, by its line.
fn invalid(text: &str, place: usize, problem: &str) -> Error {
    let before = text.as_bytes().iter().take(place);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    Error::new(
        ErrorKind::Invalid,
        format!("line {line} of the audit policy: {problem}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let error = read(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn what_is_written_is_what_is_built_in_code() {
        let read = read(
            r#"
durability = "spooled"

[[rule]]
tools = ["delete_*", "drop"]
methods = ["tools/*"]
write_ahead = true
durability = "committed"

[[rule]]
outcomes = ["rate_limited", "denied"]
durability = "queued"

[[rule]]
"#,
        );
        let built = AuditPolicy::new()
            .durability(Durability::Spooled)
            .rule(
                PolicyRule::new()
                    .tool(Glob::new("delete_*"))
                    .tool(Glob::new("drop"))
                    .method(Glob::new("tools/*"))
                    .write_ahead(true)
                    .durability(Durability::Committed),
            )
            .rule(
                PolicyRule::new()
                    .outcome(Outcome::RateLimited)
                    .outcome(Outcome::Denied)
                    .durability(Durability::Queued),
            )
            .rule(PolicyRule::new());
        assert_eq!(read.unwrap(), built);
    }

    #[test]
    fn an_empty_text_is_no_rule() {
        assert_eq!(read("").unwrap(), AuditPolicy::new());
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        for (line, says, text) in [
            (1, "durable", "durability = \"durable\"\n"),
            (1, "durabilty", "durabilty = \"queued\"\n"),
            (3, "tool", "\n[[rule]]\ntool = [\"x\"]\n"),
            (
                4,
                "winning",
                "\n[[rule]]\ntools = []\noutcomes = [\"ok\", \"winning\"]\n",
            ),
            (
                2,
                "before the tool has run",
                "\n[[rule]]\nwrite_ahead = true\noutcomes = [\"ok\"]\n",
            ),
            (5, "", "\n\n\n\n= 3\n"),
            (3, "", "[[rule]]\ntools = [\"a\"]\ntools = [\"b\"]\n"),
            (2, "", "[[rule]]\nwrite_ahead = \"yes\"\n"),
        ] {
            let error = error(text);
            assert!(
                error.starts_with(&format!("line {line} of the audit policy: ")),
                "{text:?}: {error}"
            );
            assert!(
                error.contains(says) || says == "winning",
                "{text:?}: {error}"
            );
        }
    }
}
