use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::acknowledgement::{Acknowledgement, Acknowledgements, Asked, Recorded};
use super::audit_logger::Shared;
use super::room::{self, Reservation};
use crate::error::Error;
use crate::event::{EventDraft, EventId, Latency, Outcome, Timestamp};
use crate::payload::{Payload, PayloadContext};
use crate::sink::Durability;

/// A call that has begun: the guard that makes sure it is recorded.
///
/// Room for its record is reserved, so that [`finish`](Self::finish) can neither wait nor fail for
/// want of room. Dropped without an outcome (an early return, a panic, a cancelled task), it
/// records [`Outcome::Aborted`].
///
/// # Examples
/// ```
/// # use audit_core::{AuditLogger, Error, event::{EventDraft, Method, Outcome, Decision}};
/// # async fn example(logger: AuditLogger) -> Result<(), Error> {
/// let mut call = logger.begin(EventDraft::new(Method::tools_call())).await?;
/// call.amend(|draft| draft.decision(Decision::allowed()));
/// call.request_json(br#"{"city":"Bern"}"#);
/// // … the tool runs …
/// call.response_json(br#"{"temperature":21}"#);
/// call.finish(Outcome::Ok).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropped without an outcome, a call is recorded as aborted"]
pub struct OpenCall {
    open: Option<Open>,
}

struct Open {
    shared: Arc<Shared>,
    draft: EventDraft,
    id: EventId,
    ts: Timestamp,
    /// `None`: the queue was full and the logger sheds.
    room: Option<Reservation>,
    began: Duration,
    /// What its caller asked for; the policy's word, if it is `None`.
    durability: Option<Durability>,
    /// Whether an intent stands for it.
    is_announced: bool,
    /// Whether the payloads were made before all was known that decides what is kept of them.
    is_stale: bool,
}

/// Defines how payloads are kept: by the logger's policy for the tool, without the credentials.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) = $side:ident, $constructor:ident;)+) => {
        $(
            $(#[$doc])*
            pub fn $name(&mut self, $argument: $type) {
                let Some(open) = &mut self.open else { return };
                let context = open.context(PayloadContext::$side(&open.shared.payload_policy));
                let payload = Payload::$constructor($argument, &context);
                open.amend(|draft| draft.$side(payload));
            }
        )+
    };
}

impl OpenCall {
    pub(super) fn new(
        shared: Arc<Shared>,
        draft: EventDraft,
        (ts, id): (Timestamp, EventId),
        began: Duration,
        room: Option<Reservation>,
        durability: Option<Durability>,
    ) -> Self {
        Self {
            open: Some(Open {
                shared,
                draft,
                id,
                ts,
                room,
                began,
                durability,
                is_announced: false,
                is_stale: false,
            }),
        }
    }

    payloads! {
        /// Keeps what the caller sent: JSON as bytes.
        request_json(bytes: impl AsRef<[u8]>) = request, from_json;
        /// Keeps what the caller sent: anything that serializes.
        request_value(value: &impl serde::Serialize) = request, from_serialize;
        /// Keeps what the caller sent: plain text.
        request_text(text: &str) = request, from_text;
        /// Keeps what the tool answered: JSON as bytes.
        response_json(bytes: impl AsRef<[u8]>) = response, from_json;
        /// Keeps what the tool answered: anything that serializes.
        response_value(value: &impl serde::Serialize) = response, from_serialize;
        /// Keeps what the tool answered: plain text.
        response_text(text: &str) = response, from_text;
    }

    /// Keeps what the caller sent, as `make` makes it of the context that this call gives: the
    /// logger's policy, the tool, the credentials. For what is at hand only in part
    /// ([`PayloadContext::original_bytes`]), and for headers.
    pub fn request_with(&mut self, make: impl FnOnce(PayloadContext<'_>) -> Payload) {
        let Some(open) = &mut self.open else { return };
        let payload = make(open.context(PayloadContext::request(&open.shared.payload_policy)));
        open.amend(|draft| draft.request(payload));
    }

    /// The same for what the tool answered.
    pub fn response_with(&mut self, make: impl FnOnce(PayloadContext<'_>) -> Payload) {
        let Some(open) = &mut self.open else { return };
        let payload = make(open.context(PayloadContext::response(&open.shared.payload_policy)));
        open.amend(|draft| draft.response(payload));
    }

    /// Whether what the caller sent was kept.
    #[must_use]
    pub fn has_request(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.draft.has_request())
    }

    /// Whether what the tool answered was kept.
    #[must_use]
    pub fn has_response(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.draft.has_response())
    }

    /// Adds what has become known: a decision, the upstream, the session.
    ///
    /// The id and the moment of the call stay as they are.
    pub fn amend(&mut self, change: impl FnOnce(EventDraft) -> EventDraft) {
        if let Some(open) = &mut self.open {
            open.amend(change);
        }
    }

    /// `text` without the credentials that the caller presented: for the span or the log line that
    /// goes beside the record.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let credentials = self.open.iter().flat_map(|open| open.draft.credentials());
        credentials.fold(text.to_owned(), |text, credential| {
            credential.scrub(&text).into_owned()
        })
    }

    /// The id that the record will have.
    #[must_use]
    pub fn id(&self) -> EventId {
        // The call is open until `finish` takes it.
        self.open.as_ref().map_or(EventId::MIN, |open| open.id)
    }

    /// Records the outcome. The latency is the time since the call began, unless the draft has
    /// one.
    ///
    /// Does not wait: redaction is done, the record is put into the room that was reserved. Await
    /// the answer for the durability that was asked for.
    pub fn finish(mut self, outcome: Outcome) -> Acknowledgement {
        match self.open.take() {
            Some(open) => {
                let asked = open.asked(outcome);
                open.record(outcome, asked).only(asked)
            }
            // Only `finish` and `drop` take it, and both consume the call.
            None => Acknowledgement::answered(Err(room::closed())),
        }
    }

    /// The same, for a caller who wants to know both: when the sink keeps the record, which a
    /// spool does on the local disk, and when the last store has it.
    pub fn finish_in_two_steps(mut self, outcome: Outcome) -> Acknowledgements {
        match self.open.take() {
            Some(open) => open.record(outcome, Asked::Both),
            None => Acknowledgements::answered(&Err(room::closed())),
        }
    }

    /// Makes the attempt durable before its tool runs. Dropped while it waits, the call is
    /// recorded as aborted; that the intent could not be kept is nothing to record.
    pub(super) async fn announce(mut self) -> Result<Self, Error> {
        let Some(open) = &mut self.open else {
            return Ok(self);
        };
        // From here on an intent may stand for it.
        open.is_announced = true;
        match open.shared.announce(&open.draft).await {
            Ok(()) => Ok(self),
            Err(error) => {
                self.open = None;
                Err(error)
            }
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            // Nobody can wait for the answer.
            drop(open.record(Outcome::Aborted, Asked::Nothing));
        }
    }
}

impl fmt::Debug for OpenCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenCall")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

impl Open {
    fn amend(&mut self, change: impl FnOnce(EventDraft) -> EventDraft) {
        // A clone goes in: should the change panic, the record keeps what was known before.
        let changed = change(self.draft.clone());
        // Payloads that were made for another tool or without a credential are made anew.
        self.is_stale |= changed.tool() != self.draft.tool()
            || changed.credentials().len() != self.draft.credentials().len();
        self.draft = changed.ts(self.ts).id(self.id);
    }

    fn context<'a>(&'a self, context: PayloadContext<'a>) -> PayloadContext<'a> {
        let context = context.credentials(self.draft.credentials());
        match self.draft.tool() {
            Some(tool) => context.tool(tool.as_str()),
            None => context,
        }
    }

    fn asked(&self, outcome: Outcome) -> Asked {
        let draft = &self.draft;
        let durability = self.durability;
        self.shared
            .asked(durability, draft.of_method(), draft.tool(), outcome)
    }

    fn record(self, outcome: Outcome, asked: Asked) -> Acknowledgements {
        let Self {
            shared,
            draft,
            is_stale,
            room,
            began,
            is_announced,
            ..
        } = self;
        // What is shed was counted when the call began.
        let Some(room) = room else {
            return Acknowledgements::answered(&Ok(Recorded::Shed));
        };
        let draft = draft.narrow_payloads(&shared.payload_policy, |_| is_stale);
        let took = shared.stamper.monotonic().saturating_sub(began);
        let draft = draft.outcome(outcome).or_latency(Latency::new(took));
        shared.record(draft, room, asked, is_announced)
    }
}
