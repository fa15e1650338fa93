//! Stores that give back another event than came.

use audit_core::event::{AuditEvent, Client, EventDraft, Seq, Timestamp, ToolName};

use super::catching::catches;
use super::quirk::Quirk;

catches! {
    a_store_that_cuts_text: CutsText =>
        texts_at_their_limits_come_back_equal,
        also [
            the_largest_event_comes_back_equal,
            any_event_comes_back_equal,
            a_summary_is_its_event_without_payloads,
        ],
        says "a text at its limits comes back as it came";
    a_store_that_counts_in_doubles: CountsInDoubles =>
        numbers_at_their_limits_come_back_equal,
        also [
            any_event_comes_back_equal,
            a_summary_is_its_event_without_payloads,
        ],
        says "a number at its limits comes back exact";
    a_store_that_rounds_time_to_milliseconds: RoundsToMilliseconds =>
        every_microsecond_comes_back_equal,
        also [
            any_event_comes_back_equal,
            a_page_holds_what_its_filter_matches,
            a_summary_is_its_event_without_payloads,
            pages_turn_forward_and_back,
            following_goes_on_where_it_ended,
        ],
        says "every microsecond comes back";
    a_store_that_loses_a_lone_response: LosesALoneResponse =>
        payloads_come_back_equal,
        also [
            any_event_comes_back_equal,
            a_summary_is_its_event_without_payloads,
        ],
        says "a payload comes back equal as JSON";
    a_store_that_has_no_room_for_the_largest: HasNoRoomForTheLargest =>
        the_largest_event_comes_back_equal,
        also [
            texts_at_their_limits_come_back_equal,
        ],
        says "the largest event comes back whole";
    a_store_that_strips_byte_order_marks: StripsByteOrderMarks =>
        any_event_comes_back_equal,
        also [
            a_summary_is_its_event_without_payloads,
        ],
        says "any event comes back as it came";
}

/// `VARCHAR(255)` for a text of 256.
#[derive(Default)]
struct CutsText;

impl Quirk for CutsText {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        with_tool(event, |tool| tool.chars().take(255).collect())
    }
}

/// Keeps whole numbers as JavaScript does.
#[derive(Default)]
struct CountsInDoubles;

impl Quirk for CountsInDoubles {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        let exact = event.seq.get();
        let n_lost = (u64::BITS - exact.leading_zeros()).saturating_sub(53);
        let seq = Seq::new(exact >> n_lost << n_lost).unwrap();
        draft_of(event).stamp(event.writer.clone(), seq).unwrap()
    }
}

/// `TIMESTAMP(3)`.
#[derive(Default)]
struct RoundsToMilliseconds;

impl Quirk for RoundsToMilliseconds {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        let micros = event.ts.as_micros();
        let ts = Timestamp::from_micros(micros - micros % 1_000).unwrap();
        let draft = draft_of(event).ts(ts);
        draft.stamp(event.writer.clone(), event.seq).unwrap()
    }
}

/// Takes an event without a request for one without payloads.
#[derive(Default)]
struct LosesALoneResponse;

impl Quirk for LosesALoneResponse {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        if event.request().is_some() || event.response().is_none() {
            return event.clone();
        }
        let draft = without_response(event);
        draft.stamp(event.writer.clone(), event.seq).unwrap()
    }
}

/// Has pages of a fixed size, and keeps the client at the end of them.
#[derive(Default)]
struct HasNoRoomForTheLargest;

impl Quirk for HasNoRoomForTheLargest {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        if event.size_in_memory() < 8 * 1_024 {
            return event.clone();
        }
        let draft = draft_of(event).client(Client::new());
        draft.stamp(event.writer.clone(), event.seq).unwrap()
    }
}

/// Reads its rows through a decoder that takes U+FEFF for a mark.
#[derive(Default)]
struct StripsByteOrderMarks;

impl Quirk for StripsByteOrderMarks {
    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        with_tool(event, |tool| tool.replace('\u{feff}', ""))
    }
}

fn with_tool(event: &AuditEvent, change: impl Fn(&str) -> String) -> AuditEvent {
    let Some(tool) = &event.tool_name else {
        return event.clone();
    };
    let Ok(tool) = ToolName::new(change(tool.as_str())) else {
        return event.clone();
    };
    let draft = draft_of(event).tool_name(tool);
    draft.stamp(event.writer.clone(), event.seq).unwrap()
}

/// A draft of the same event.
fn draft_of(event: &AuditEvent) -> EventDraft {
    let draft = without_response(event);
    match event.response() {
        Some(response) => draft.response(response.clone()),
        None => draft,
    }
}

fn without_response(event: &AuditEvent) -> EventDraft {
    let mut draft = AuditEvent::draft(event.method.clone())
        .id(event.id)
        .ts(event.ts)
        .role(event.role.clone())
        .status_code(event.status_code)
        .latency(event.latency_ms)
        .decision(event.decision.clone())
        .outcome(event.outcome)
        .client(event.client.clone());
    macro_rules! set {
        ($($setter:ident = $value:expr;)+) => {
            $(if let Some(value) = $value { draft = draft.$setter(value); })+
        };
    }
    set! {
        api_key_id = event.api_key_id.clone();
        tool_name = event.tool_name.clone();
        upstream = event.upstream.clone();
        upstream_latency = event.upstream_latency_ms;
        session_id = event.session_id.clone();
        request_id = event.request_id.clone();
        trace_id = event.trace_id;
        span_id = event.span_id;
        request = event.request().cloned();
    }
    draft
}
