use std::path::PathBuf;

use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, Timestamp};
use tokio::sync::oneshot;

use super::backlog::{Position, Size, Ticket};

/// What the writer of a spool is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Keeps a batch.
    Append(Batch, Reply<Position>),
    /// Keeps attempts, before their tools run.
    OpenIntents(Vec<AuditEvent>, Reply<()>),
    /// Forgets attempts that are recorded.
    SettleIntents(Vec<EventId>, Reply<()>),
    /// Forgets what the store has, and sets aside what it refused.
    Forwarded(Forwarded, Reply<()>),
    /// Sends a dead letter on its way again; whether there is one of this number.
    Retry(i64, Reply<bool>),
    /// Takes the rows of another file in.
    Adopt(PathBuf, Reply<Adopted>),
    /// Gives the file up.
    Close(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A batch to keep.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<AuditEvent>,
    /// The same, an event a line.
    pub(super) lines: Vec<u8>,
    pub(super) ticket: Option<Ticket>,
}

/// What was sent on.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) up_to: Position,
    pub(super) refused: Vec<Refused>,
    /// What tells of the refused ones, spooled along with them.
    pub(super) losses: Vec<AuditEvent>,
}

/// An event that the store refused for good.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// `None` where the event itself cannot be read.
    pub(super) id: Option<EventId>,
    pub(super) reason: String,
    pub(super) event: String,
    pub(super) set_aside_at: Timestamp,
}

/// What another file held.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    pub(super) size: Size,
    pub(super) last: Position,
    pub(super) oldest: Option<Timestamp>,
    pub(super) intents: Vec<AuditEvent>,
}

impl Batch {
    pub(super) fn new(events: Vec<AuditEvent>, ticket: Option<Ticket>) -> Self {
        let mut lines = Vec::with_capacity(events.len() * 1_024);
        for event in &events {
            lines.extend_from_slice(event.to_json().as_bytes());
            lines.push(b'\n');
        }
        Self {
            events,
            lines,
            ticket,
        }
    }
}

impl Command {
    /// Tells whoever asked that it was not done.
    pub(super) fn fail(self, error: Error) {
        // Nobody may be listening any more.
        match self {
            Self::Append(_, reply) => drop(reply.send(Err(error))),
            Self::OpenIntents(_, reply)
            | Self::SettleIntents(_, reply)
            | Self::Forwarded(_, reply)
            | Self::Close(reply) => {
                drop(reply.send(Err(error)));
            }
            Self::Retry(_, reply) => drop(reply.send(Err(error))),
            Self::Adopt(_, reply) => drop(reply.send(Err(error))),
        }
    }
}
