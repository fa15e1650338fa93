use audit_core::event::{
    ApiKeyId, AuditEvent, EventId, InvalidField, Method, Role, Seq, Timestamp, ToolName, WriterId,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_core::{Error, ErrorKind};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::decision::{decision, outcome};
use super::row::{SeedRow, nearest};

/// The name under which the predecessor's rows are numbered.
const WRITER: &str = "seed";

/// Rows of the predecessor as what is written for them.
pub(super) struct Converted {
    pub(super) legacy_ids: Vec<String>,
    pub(super) ids: Vec<Uuid>,
    pub(super) seqs: Vec<Option<i64>>,
    pub(super) events: Vec<AuditEvent>,
    pub(super) impossible: Vec<Impossible>,
    last_seq: i64,
}

/// A row that can be no event.
pub(super) struct Impossible {
    pub(super) id: EventId,
    pub(super) reason: String,
    /// The row as JSON, redacted.
    pub(super) row: String,
}

impl Converted {
    /// Nothing yet; the first event gets the number behind this one.
    pub(super) const fn behind(last_seq: i64) -> Self {
        Self {
            legacy_ids: Vec::new(),
            ids: Vec::new(),
            seqs: Vec::new(),
            events: Vec::new(),
            impossible: Vec::new(),
            last_seq,
        }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, legacy_id: String, json: &str) -> Result<(), Error> {
        let row: SeedRow<'_> = serde_json::from_str(json).map_err(|_| {
            Error::new(
                ErrorKind::Internal,
                "a row of the predecessor cannot be read as JSON",
            )
        })?;
        let seq = self.last_seq + 1;
        let id = match event(&row, &legacy_id, seq) {
            Ok(event) => {
                self.last_seq = seq;
                self.seqs.push(Some(seq));
                let id = event.id;
                self.events.push(event);
                id
            }
            Err(problem) => {
                let id = EventId::new(nearest(row.moment()), random(&legacy_id));
                self.seqs.push(None);
                self.impossible.push(Impossible {
                    id,
                    reason: format!("a row of the predecessor that can be no event: {problem}"),
                    row: redacted(json),
                });
                id
            }
        };
        self.ids.push(*id.as_uuid());
        self.legacy_ids.push(legacy_id);
        Ok(())
    }
}

fn event(row: &SeedRow<'_>, legacy_id: &str, seq: i64) -> Result<AuditEvent, InvalidField> {
    let policy = PayloadPolicy::default();
    // What is no moment is refused as one that is too old.
    let moment = row.moment();
    let ts = moment.map_or_else(|| Timestamp::from_micros(-1), Timestamp::new)?;
    let status = row.status()?;
    let decision = decision(row.decision);
    let outcome = outcome(&decision, status, row.response_json);
    let tool_name = row.tool_name();
    let with_tool = |context: PayloadContext<'_>, json: &str| match &tool_name {
        Some(tool) => Payload::from_json(json, &context.tool(tool)),
        None => Payload::from_json(json, &context),
    };
    let mut draft = AuditEvent::draft(Method::lossy(row.method()))
        .id(EventId::new(ts, random(legacy_id)))
        .ts(ts)
        .decision(decision)
        .outcome(outcome);
    if let Some(key) = row.api_key_id() {
        draft = draft.api_key_id(ApiKeyId::lossy(key));
    }
    if let Some(role) = row.role() {
        draft = draft.role(Role::lossy(role));
    }
    if let Some(tool) = &tool_name {
        draft = draft.tool_name(ToolName::lossy(tool));
    }
    if let Some(status) = status {
        draft = draft.status_code(status);
    }
    if let Some(latency) = row.latency()? {
        draft = draft.latency(latency);
    }
    if let Some(json) = row.request_json {
        draft = draft.request(with_tool(PayloadContext::request(&policy), json.get()));
    }
    if let Some(json) = row.response_json {
        draft = draft.response(with_tool(PayloadContext::response(&policy), json.get()));
    }
    draft.stamp(WriterId::new(WRITER)?, Seq::new(seq.unsigned_abs())?)
}

/// The random bits of an id: always the same for the same old id.
fn random(legacy_id: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(b"audit legacy id\0");
    hash.update(legacy_id);
    hash.finalize()
        .iter()
        .take(8)
        .fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

fn redacted(json: &str) -> String {
    let policy = PayloadPolicy::default();
    let payload = Payload::from_json(json, &PayloadContext::request(&policy));
    payload.json().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(json: &str) -> Converted {
        let mut converted = Converted::behind(6);
        converted.push("old-1".into(), json).unwrap();
        converted
    }

    #[test]
    fn a_row_becomes_the_same_event_again_and_again() {
        let json = r#"{"ts":"2026-01-01T00:00:00+00:00","method":"tools/call","status_code":200}"#;
        let (first, second) = (convert(json), convert(json));
        assert_eq!(first.events, second.events);
        assert_eq!(first.seqs, [Some(7)]);
        assert_eq!(first.events[0].writer.as_str(), "seed");
    }

    #[test]
    fn a_secret_that_the_predecessor_kept_is_redacted() {
        let json = r#"{"ts":"2026-01-01T00:00:00","request_json":{"password":"hunter2"},"response_json":{"token":"hunter2"}}"#;
        let events = convert(json).events;
        assert!(!events[0].to_json().contains("hunter2"), "{:?}", events[0]);
    }

    #[test]
    fn an_impossible_row_takes_no_number_and_keeps_no_secret() {
        for (field, value) in [
            ("ts", r#""1969-12-31T23:59:59+00:00""#),
            ("ts", "null"),
            ("latency_ms", "-1"),
            ("status_code", "-1"),
        ] {
            let other = if field == "ts" {
                ""
            } else {
                r#""ts":"2026-01-01T00:00:00","#
            };
            let json =
                format!(r#"{{{other}"{field}":{value},"request_json":{{"password":"hunter2"}}}}"#);
            let converted = convert(&json);
            assert_eq!(converted.seqs, [None], "{json}");
            let impossible = &converted.impossible[0];
            assert!(impossible.reason.contains(field), "{}", impossible.reason);
            assert!(!impossible.row.contains("hunter2"), "{}", impossible.row);
        }
    }
}
