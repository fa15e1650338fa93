use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{EventDraft, SessionId, Upstream};
use audit_core::{AuditLogger, Clock, SystemClock};

use super::Conversation;

/// What becomes of a call for which the logger has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a call is made or it is not")]
pub enum Unrecorded {
    /// It goes on, and is counted.
    Forward,
    /// It is not made; its sender gets an error that says so.
    #[default]
    Refuse,
}

/// Builds a [`Conversation`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConversationBuilder {
    logger: AuditLogger,
    options: Options,
}

#[derive(Debug)]
pub(super) struct Options {
    pub(super) unrecorded: Unrecorded,
    pub(super) answer_deadline: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
    upstream: Option<Upstream>,
    session_id: Option<SessionId>,
}

impl Options {
    pub(super) fn describe(&self, mut draft: EventDraft) -> EventDraft {
        if let Some(upstream) = &self.upstream {
            draft = draft.upstream(upstream.clone());
        }
        if let Some(session_id) = &self.session_id {
            draft = draft.session_id(session_id.clone());
        }
        draft
    }
}

impl ConversationBuilder {
    pub(super) fn new(logger: AuditLogger) -> Self {
        Self {
            logger,
            options: Options {
                unrecorded: Unrecorded::default(),
                answer_deadline: None,
                clock: Arc::new(SystemClock::new()),
                upstream: None,
                session_id: None,
            },
        }
    }

    /// What becomes of a call that cannot be recorded. It is refused, if nothing is said.
    pub fn unrecorded(mut self, unrecorded: Unrecorded) -> Self {
        self.options.unrecorded = unrecorded;
        self
    }

    /// How long a call may stay without an answer before its record ends with `timeout`; for ever,
    /// if nothing is said. The call itself is not touched: an answer that comes later is passed on.
    /// Whoever runs the conversation calls [`Conversation::expire`] from time to time.
    pub fn answer_deadline(mut self, deadline: Duration) -> Self {
        self.options.answer_deadline = Some(deadline);
        self
    }

    /// The server, for every record.
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.options.upstream = Some(upstream);
        self
    }

    /// The session, for every record. An id that admits its bearer is a secret: give it
    /// [hashed](SessionId::hashed).
    pub fn session_id(mut self, session_id: SessionId) -> Self {
        self.options.session_id = Some(session_id);
        self
    }

    /// Where time comes from.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// Begins the conversation.
    #[must_use]
    pub fn build(self) -> Conversation {
        Conversation::new(self.logger, self.options)
    }
}
