//! What is kept of arguments and answers: content that is too big is known by its size and digest.

use std::borrow::Cow;

use audit_core::AuditLogger;
use audit_core::event::EventDraft;
use audit_core::logger::OpenCall;
use audit_core::payload::{Payload, PayloadContext, PayloadLevel, PayloadLimits};

use crate::summary::summarize;

/// The arguments of a call that is about to begin: an attempt that is on record before its tool runs
/// says with what. Credentials are taken out when the draft becomes an event.
pub(super) fn in_draft(
    draft: EventDraft,
    json: &str,
    logger: &AuditLogger,
    tool: Option<&str>,
) -> EventDraft {
    let policy = logger.payload_policy();
    let kept = summary(json, &policy.request_limits(), logger, tool);
    let context = PayloadContext::request(policy);
    let context = tool.map_or(context, |tool| context.tool(tool));
    draft.request(payload(&kept, json, context))
}

pub(super) fn request(call: &mut OpenCall, json: &str, logger: &AuditLogger, tool: Option<&str>) {
    let limits = logger.payload_policy().request_limits();
    let kept = summary(json, &limits, logger, tool);
    call.request_with(|context| payload(&kept, json, context));
}

pub(super) fn response(call: &mut OpenCall, json: &str, logger: &AuditLogger, tool: Option<&str>) {
    let limits = logger.payload_policy().response_limits();
    let kept = summary(json, &limits, logger, tool);
    call.response_with(|context| payload(&kept, json, context));
}

/// Digests cost time: not for a payload that is not kept.
fn summary<'a>(
    json: &'a str,
    limits: &PayloadLimits,
    logger: &AuditLogger,
    tool: Option<&str>,
) -> Cow<'a, str> {
    match logger.payload_policy().level(tool) {
        PayloadLevel::Full => summarize(json, limits),
        _ => Cow::Borrowed(json),
    }
}

fn payload(kept: &str, whole: &str, context: PayloadContext<'_>) -> Payload {
    let n_bytes = u64::try_from(whole.len()).unwrap_or(u64::MAX);
    Payload::from_json(kept, &context.original_bytes(n_bytes))
}
