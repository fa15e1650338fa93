//! Decisions and outcomes in words.

use audit_core::event::{Check, CheckName, Decision, Outcome, Verdict};
use audit_core::visible;
use maud::{Markup, html};

use super::text::number;

/// The decision, check by check, in the order in which a gateway makes them.
pub(super) fn decision(decision: &Decision) -> Markup {
    html! {
        ol.checks {
            @for (name, check) in decision.checks() {
                li class=(class(check.verdict)) {
                    b { (title(name)) } ": " (sentence(name, check))
                    (details(check))
                }
            }
        }
    }
}

const fn title(name: CheckName) -> &'static str {
    match name {
        CheckName::Auth => "Authentication",
        CheckName::Authz => "Authorization",
        CheckName::Rate => "Rate limit",
        _ => "Another check",
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "ok",
        Verdict::Denied => "refused",
        Verdict::Error => "failed",
        _ => "skipped",
    }
}

const fn sentence(name: CheckName, check: &Check) -> &'static str {
    match (name, check.verdict) {
        (CheckName::Auth, Verdict::Allowed) => "allowed; the caller was recognized.",
        (CheckName::Auth, Verdict::Denied) => "denied; the caller was not recognized.",
        (CheckName::Authz, Verdict::Allowed) => "allowed; the caller may do this.",
        (CheckName::Authz, Verdict::Denied) => "denied; the caller may not do this.",
        (CheckName::Rate, Verdict::Allowed) => "allowed; the call was within the limit.",
        (CheckName::Rate, Verdict::Denied) => "denied; the caller had used up the limit.",
        (_, Verdict::Allowed) => "allowed.",
        (_, Verdict::Denied) => "denied.",
        (_, Verdict::Error) => "error; the check itself failed, so nobody decided.",
        (_, _) => "skipped; the check was not made.",
    }
}

fn details(check: &Check) -> Markup {
    html! {
        @if let Some(reason) = &check.reason { " Reason: " q { (visible(reason.as_str())) } "." }
        @if let Some(rule) = &check.rule { " Rule: " code { (visible(rule.as_str())) } "." }
        @if let Some(limit) = check.limit {
            " Limit: " (number(limit.into())) " calls"
            @if let Some(remaining) = check.remaining {
                ", " (number(remaining.into())) " left after this one"
            }
            "."
        }
    }
}

/// What an outcome means.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Aborted => "the owner of the record vanished before the call had ended",
        Outcome::Cancelled => "the caller took the call back, or left before the answer",
        Outcome::Denied => "authorization said no",
        Outcome::InternalError => "the gateway, or something it depends on to decide, failed",
        Outcome::Interrupted => "a crash came before the call had ended; found afterwards",
        Outcome::InvalidRequest => "the request could not be understood",
        Outcome::Ok => "the tool did what it was asked for",
        Outcome::RateLimited => "the rate limit said no",
        Outcome::RpcError => "the server answered with a protocol error",
        Outcome::Timeout => "no answer within the time allowed",
        Outcome::ToolError => "the tool ran and reported a failure of its own",
        Outcome::Unauthenticated => "nobody was recognized as the caller",
        Outcome::UpstreamDisconnected => "the server broke off in the middle of its answer",
        Outcome::UpstreamUnavailable => "the server could not be reached",
        _ => "an outcome of a later version",
    }
}
