//! How much memory an event takes, and the most it can take: what byte budgets count.

use super::audit_event::Record;
use super::metadata::EventMetadata;
use super::text::{
    ApiKeyId, ClientAddress, ClientName, ClientVersion, Method, Reason, RequestId, Role, RuleName,
    SessionId, ToolName, Upstream,
};
use crate::payload::{Payload, PayloadLimits};

/// The two counters in front of whatever is shared.
const COUNTERS: usize = 2 * size_of::<usize>();
/// A node of a report's map, rounded up: eleven names and counts, and what ties nodes together.
const NODE: usize = 384;
/// The fewest rules that a node holds, when the map has more than one.
const RULES_PER_NODE: usize = 5;
/// The most that a report is reckoned with: 64 rules with names of 32 bytes.
const MOST_OF_REPORT: usize = of_rules(64, 64 * 32);

/// The bytes of a record and of all that it owns; the writer's name is shared by all events of a
/// writer.
pub(super) fn of_record(record: &Record) -> usize {
    let payloads = [&record.request, &record.response].into_iter().flatten();
    size_of::<Record>()
        + COUNTERS
        + of_texts(&record.metadata)
        + payloads.map(of_payload).sum::<usize>()
}

/// The most bytes that an event can take under these limits.
pub(crate) const fn most_in_memory(limits: &PayloadLimits) -> usize {
    // A character takes at most four bytes in UTF-8.
    const TEXTS: usize = 12;
    let chars = ApiKeyId::MAX_CHARS
        + Role::MAX_CHARS
        + Method::MAX_CHARS
        + ToolName::MAX_CHARS
        + Upstream::MAX_CHARS
        + SessionId::MAX_CHARS
        + RequestId::MAX_CHARS
        + ClientName::MAX_CHARS
        + ClientVersion::MAX_CHARS
        + ClientAddress::MAX_CHARS
        + 3 * (Reason::MAX_CHARS + RuleName::MAX_CHARS);
    size_of::<Record>()
        + COUNTERS
        + 4 * chars
        + (TEXTS + 4) * COUNTERS
        + 2 * (limits.bytes + COUNTERS + MOST_OF_REPORT)
}

fn of_payload(payload: &Payload) -> usize {
    let redactions = &payload.report().redactions;
    let names = redactions.keys().map(|rule| rule.len()).sum();
    payload.json().map_or(0, |json| json.len() + COUNTERS) + of_rules(redactions.len(), names)
}

const fn of_rules(n_rules: usize, n_bytes_of_names: usize) -> usize {
    n_bytes_of_names + n_rules.div_ceil(RULES_PER_NODE) * NODE
}

fn of_texts(event: &EventMetadata) -> usize {
    let mut bytes = text(&event.role) + text(&event.method);
    bytes += event.api_key_id.as_ref().map_or(0, text);
    bytes += event.tool_name.as_ref().map_or(0, text);
    bytes += event.upstream.as_ref().map_or(0, text);
    bytes += event.session_id.as_ref().map_or(0, text);
    bytes += event.request_id.as_ref().map_or(0, text);
    bytes += event.client.name.as_ref().map_or(0, text);
    bytes += event.client.version.as_ref().map_or(0, text);
    bytes += event.client.address.as_ref().map_or(0, text);
    for (_, check) in event.decision.checks() {
        bytes += check.reason.as_ref().map_or(0, text);
        bytes += check.rule.as_ref().map_or(0, text);
    }
    bytes
}

fn text(text: &impl AsRef<str>) -> usize {
    text.as_ref().len() + COUNTERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        AuditEvent, Check, Client, Decision, EventDraft, EventId, Seq, Timestamp, WriterId,
    };

    /// An event of which every text has its bound of characters of four bytes.
    fn longest() -> AuditEvent {
        fn text<T: for<'a> TryFrom<&'a str>>(max_chars: usize) -> T {
            let text = "\u{10ffff}".repeat(max_chars);
            T::try_from(&text).ok().unwrap()
        }
        let check = || {
            let reason: Reason = text(Reason::MAX_CHARS);
            Check::denied(reason).rule(text(RuleName::MAX_CHARS))
        };
        let client = Client::new()
            .name(text(ClientName::MAX_CHARS))
            .version(text(ClientVersion::MAX_CHARS))
            .address(text(ClientAddress::MAX_CHARS));
        EventDraft::new(text(Method::MAX_CHARS))
            .ts(Timestamp::MIN)
            .id(EventId::MIN)
            .api_key_id(text(ApiKeyId::MAX_CHARS))
            .role(text(Role::MAX_CHARS))
            .tool_name(text(ToolName::MAX_CHARS))
            .upstream(text(Upstream::MAX_CHARS))
            .session_id(text(SessionId::MAX_CHARS))
            .request_id(text(RequestId::MAX_CHARS))
            .client(client)
            .decision(Decision::new().auth(check()).authz(check()).rate(check()))
            .stamp(WriterId::new("w").unwrap(), Seq::FIRST)
            .unwrap()
    }

    #[test]
    fn the_most_is_what_the_longest_event_takes() {
        let limits = PayloadLimits::default();
        let of_payloads = 2 * (limits.bytes + COUNTERS + MOST_OF_REPORT);
        assert_eq!(
            longest().size_in_memory() + of_payloads,
            most_in_memory(&limits)
        );
    }

    #[test]
    fn the_most_grows_with_the_limit_of_both_payloads() {
        let of = |bytes| most_in_memory(&PayloadLimits::default().with_bytes(bytes));
        assert_eq!(of(5_000) - of(1_000), 2 * 4_000);
    }
}
