use std::collections::HashMap;

use audit_core::event::{Check, Decision, Outcome, Reason, RuleName, StatusCode, Verdict};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::row::text;

/// An object of which any field may be missing or of another type.
type Fields<'a> = HashMap<String, &'a RawValue>;

/// The decision in the predecessor's words, or in ours. What is neither was not checked.
pub(super) fn decision(json: Option<&RawValue>) -> Decision {
    let checks = fields(json);
    let check = |name| check(checks.get(name).copied());
    Decision::new()
        .auth(check("auth"))
        .authz(check("authz"))
        .rate(check("rate"))
}

/// What came of the call, by what was decided and by what was answered.
pub(super) fn outcome(
    decision: &Decision,
    status: Option<StatusCode>,
    response: Option<&RawValue>,
) -> Outcome {
    let is_denied = |check: &Check| check.verdict == Verdict::Denied;
    if is_denied(&decision.auth) {
        return Outcome::Unauthenticated;
    }
    if is_denied(&decision.authz) {
        return Outcome::Denied;
    }
    if is_denied(&decision.rate) {
        return Outcome::RateLimited;
    }
    match status.map_or(0, StatusCode::as_u16) {
        // Nobody answered, or nobody wrote it down.
        0 => Outcome::Aborted,
        200..=299 if is_tool_error(response) => Outcome::ToolError,
        1..=399 => Outcome::Ok,
        401 => Outcome::Unauthenticated,
        403 => Outcome::Denied,
        408 | 504 => Outcome::Timeout,
        429 => Outcome::RateLimited,
        499 => Outcome::Cancelled,
        400..=499 => Outcome::InvalidRequest,
        502 | 503 => Outcome::UpstreamUnavailable,
        _ => Outcome::InternalError,
    }
}

/// Whether the tool reported a failure of its own, in its result or in the JSON-RPC answer around
/// it.
fn is_tool_error(response: Option<&RawValue>) -> bool {
    let says_so = |fields: &Fields<'_>| {
        let flag = fields.get("isError").or_else(|| fields.get("is_error"));
        flag.is_some_and(|flag| flag.get() == "true")
    };
    let response = fields(response);
    says_so(&response) || says_so(&fields(response.get("result").copied()))
}

fn check(json: Option<&RawValue>) -> Check {
    const NOT_MADE: &str = "not_evaluated";
    let fields = fields(json);
    let word = |name| text(fields.get(name).copied()).filter(|text| !text.is_empty());
    let reason = word("reason");
    let ours = word("verdict").and_then(|word| word.parse::<Verdict>().ok());
    let theirs = || match word("allowed").as_deref() {
        Some("true") => Verdict::Allowed,
        Some("false") if reason.as_deref() != Some(NOT_MADE) => Verdict::Denied,
        _ => Verdict::Skipped,
    };
    let number = |name| word(name).and_then(|text| text.parse::<u32>().ok());
    let mut check = Check::skipped();
    check.verdict = ours.unwrap_or_else(theirs);
    check.reason = reason.as_deref().map(Reason::lossy);
    check.rule = word("rule").as_deref().map(RuleName::lossy);
    check.limit = number("limit");
    check.remaining = number("remaining");
    check
}

fn fields<'a>(json: Option<&'a RawValue>) -> Fields<'a> {
    let object = json.map(Fields::<'a>::deserialize);
    object.and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Decision {
        let json: Box<RawValue> = serde_json::from_str(json).unwrap();
        decision(Some(&json))
    }

    fn of(json: &str, status: u16, response: &str) -> Outcome {
        let response: Box<RawValue> = serde_json::from_str(response).unwrap();
        let status = StatusCode::new(status).unwrap();
        outcome(&parse(json), Some(status), Some(&response))
    }

    #[test]
    fn the_predecessors_words_become_verdicts() {
        let decision = parse(
            r#"{"auth":{"allowed":true,"role":"admin"},
                "authz":{"allowed":false,"reason":"tool_not_allowed","rule":"r1"},
                "rate":{"allowed":false,"reason":"not_evaluated","limit":30,"remaining":-1}}"#,
        );
        let verdicts = decision.checks().map(|(_, check)| check.verdict);
        assert!(verdicts.eq([Verdict::Allowed, Verdict::Denied, Verdict::Skipped]));
        assert_eq!(decision.authz.reason.unwrap().as_str(), "tool_not_allowed");
        assert_eq!(decision.authz.rule.unwrap().as_str(), "r1");
        assert_eq!(
            (decision.rate.limit, decision.rate.remaining),
            (Some(30), None)
        );
    }

    #[test]
    fn our_own_words_stay() {
        let ours = Decision::allowed().rate(Check::error(Reason::new("redis is down").unwrap()));
        assert_eq!(parse(&ours.to_json()), ours);
    }

    #[test]
    fn what_is_no_decision_was_not_checked() {
        for json in [
            "7",
            "[]",
            "\"x\"",
            "{}",
            r#"{"auth":true,"authz":{"allowed":"maybe"}}"#,
        ] {
            assert_eq!(parse(json), Decision::new(), "{json}");
        }
    }

    #[test]
    fn a_secret_in_a_reason_is_redacted() {
        let secret = format!("Bearer {}", "0123456789abcdef".repeat(3));
        let json = format!(r#"{{"auth":{{"verdict":"denied","reason":"bad {secret}"}}}}"#);
        assert!(!parse(&json).to_json().contains("0123456789abcdef"));
    }

    #[test]
    fn the_outcome_follows_decision_then_status_then_answer() {
        let allowed = r#"{"auth":{"allowed":true}}"#;
        let cases = [
            (
                r#"{"auth":{"allowed":false}}"#,
                200,
                "{}",
                Outcome::Unauthenticated,
            ),
            (r#"{"authz":{"allowed":false}}"#, 500, "{}", Outcome::Denied),
            (
                r#"{"rate":{"allowed":false}}"#,
                429,
                "{}",
                Outcome::RateLimited,
            ),
            (allowed, 200, r#"{"isError":true}"#, Outcome::ToolError),
            (
                allowed,
                200,
                r#"{"result":{"isError":true}}"#,
                Outcome::ToolError,
            ),
            (allowed, 200, r#"{"isError":false}"#, Outcome::Ok),
            (allowed, 200, r#"["isError"]"#, Outcome::Ok),
            (allowed, 302, "null", Outcome::Ok),
            (allowed, 400, "null", Outcome::InvalidRequest),
            (allowed, 401, "null", Outcome::Unauthenticated),
            (allowed, 403, "null", Outcome::Denied),
            (allowed, 404, "null", Outcome::InvalidRequest),
            (allowed, 408, "null", Outcome::Timeout),
            (allowed, 429, "null", Outcome::RateLimited),
            (allowed, 499, "null", Outcome::Cancelled),
            (allowed, 500, "null", Outcome::InternalError),
            (allowed, 502, "null", Outcome::UpstreamUnavailable),
            (allowed, 503, "null", Outcome::UpstreamUnavailable),
            (allowed, 504, "null", Outcome::Timeout),
            (allowed, 999, "null", Outcome::InternalError),
            (allowed, 0, "null", Outcome::Aborted),
        ];
        for (decision, status, response, expected) in cases {
            assert_eq!(
                of(decision, status, response),
                expected,
                "{decision} {status} {response}"
            );
        }
    }
}
