//! The calls of one connection, seen by somebody who stands in between.
//!
//! A [`Conversation`] is shown every message before it is handed on, in both directions, and says
//! whether it may be. It keeps the calls in flight by sender and id, and ends each record with what
//! comes back: an answer, a cancel, the end of the connection. It reads, and changes nothing.
//!
//! ```
//! use audit_core::AuditLogger;
//! use audit_mcp::conversation::{Conversation, Origin, Passage, Side};
//!
//! # async fn example(logger: AuditLogger) {
//! let conversation = Conversation::builder(logger).build();
//! let origin = Origin::new();
//! let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#;
//! match conversation.pass(Side::Client, call, &origin).await {
//!     Passage::Forward => { /* hand it to the server */ }
//!     Passage::Refuse(answer) => { /* give this to the client instead */ }
//! }
//! let answer = br#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;
//! conversation.pass(Side::Server, answer, &Origin::server()).await;
//! // The record says `tool_error`.
//! # }
//! ```
//!
//! # What has a record
//! * Every request, of either side, in any order, alone or in a batch: one.
//! * A message that wants no answer although its method is that of a call (`tools/call` without an
//!   id): one, `invalid_request`.
//! * A frame of the client that holds no message at all: one, of the method
//!   [`invalid`](crate::draft::INVALID_METHOD), `invalid_request`. What a server prints where
//!   messages should be is not on record; it is [counted](ConversationCounters::noise).
//! * Notifications, answers, blank lines: none.
//!
//! # How a record ends
//! | what happens | outcome |
//! |---|---|
//! | an answer comes | as [`classify`](crate::classify) says |
//! | its sender takes it back (`notifications/cancelled`) | `cancelled`, at once; what is answered later is passed on and changes nothing |
//! | the server ends a subscription (`notifications/cancelled` for `subscriptions/listen`) | `ok` |
//! | who has to answer is gone | `upstream_disconnected` |
//! | who asked is gone | `cancelled` |
//! | no answer in time, where there is a [deadline](ConversationBuilder::answer_deadline) | `timeout` |
//! | an error without an id comes | the exchange's calls (or the first that was no proper request): `invalid_request`, unless the HTTP status knows better |
//! | a request that has not the form of one stays without an answer | `invalid_request`, when the connection ends or when there are many |
//! | the conversation is dropped | `aborted` |
//!
//! A request that has not the form of one (a batch, an id of `1.5` or `null`, another `jsonrpc`, JSON
//! that only a lenient parser takes) may be ignored by the server or executed all the same: only its
//! answer tells.
//!
//! # A store that takes no records
//! A call gets its room in the logger's queue before it is handed on. If there is none
//! ([`Overload`](audit_core::logger::Overload) says how long it is waited for), the call is refused,
//! or goes on unrecorded, as [`Unrecorded`] says.

mod builder;
mod ending;
mod exchange;
mod flights;
mod item;
mod origin;
mod passing;
mod refusal;
mod span;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{Client, Outcome};
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadLevel};

pub use builder::{ConversationBuilder, Unrecorded};
pub use exchange::Exchange;
pub use origin::Origin;

use crate::summary::summarize;
use ending::Ending;
use flights::{Flight, Flights};
use item::Part;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// The other one.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What to do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a message that is refused must not be handed on"]
#[expect(clippy::exhaustive_enums, reason = "a message goes on or it does not")]
pub enum Passage {
    /// Hand it on as it is.
    Forward,
    /// Do not hand it on. Give this back to its sender, as one frame: the JSON-RPC answer that says
    /// why.
    Refuse(String),
}

/// The calls of one connection: a handle; a clone is the same conversation.
///
/// # Contract
/// * [`pass`](Self::pass) sees each frame once, in the order in which the frames of that side go by,
///   and before it is handed on. Frames of the two sides may come at the same time.
/// * Every call that was let through is recorded, and once.
/// * No lock is held while it waits, and payloads are made outside of any.
/// * Calls in flight are bounded by the room of the logger's queue.
///
/// Ids of JSON-RPC are unique only among the requests in flight of one sender: use a conversation
/// for a process, for a session, or, where there are none, for each exchange.
#[derive(Clone)]
pub struct Conversation {
    shared: Arc<Shared>,
}

struct Shared {
    logger: AuditLogger,
    options: builder::Options,
    state: Mutex<State>,
    counters: Counters,
    next_exchange: AtomicU64,
}

#[derive(Default)]
struct State {
    flights: Flights,
    /// What `initialize` said of the client, for its later requests.
    client: Client,
}

#[derive(Default)]
struct Counters {
    recorded: AtomicU64,
    refused: AtomicU64,
    unrecorded: AtomicU64,
    noise: AtomicU64,
}

/// What a conversation did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationCounters {
    /// Records that were begun.
    pub recorded: u64,
    /// Calls that were refused because they could not be recorded.
    pub refused: u64,
    /// Calls that went on although they could not be recorded.
    pub unrecorded: u64,
    /// Frames of the server that were no messages.
    pub noise: u64,
    /// Calls in flight.
    pub in_flight: usize,
}

/// Who sends a frame, and in which exchange.
#[derive(Clone, Copy)]
struct Way<'a> {
    sender: Side,
    origin: &'a Origin,
    exchange: Option<u64>,
    status: Option<u16>,
}

impl Conversation {
    /// Begins a conversation whose calls go to this logger.
    pub fn builder(logger: AuditLogger) -> ConversationBuilder {
        ConversationBuilder::new(logger)
    }

    fn new(logger: AuditLogger, options: builder::Options) -> Self {
        Self {
            shared: Arc::new(Shared {
                logger,
                options,
                state: Mutex::default(),
                counters: Counters::default(),
                next_exchange: AtomicU64::new(0),
            }),
        }
    }

    /// Begins an exchange of HTTP: a request, and what is answered to it.
    #[must_use]
    pub fn exchange(&self, origin: Origin) -> Exchange {
        let number = self.shared.next_exchange.fetch_add(1, Ordering::Relaxed);
        Exchange::new(self.clone(), number, origin)
    }

    /// Looks at a frame before it is handed on: a line of stdio without its end, a body, the data
    /// of an event. Waits for room in the logger's queue, if the frame has calls in it, and for
    /// nothing else.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the frame has not passed: what had begun of it is `aborted`.
    pub async fn pass(&self, sender: Side, frame: &[u8], origin: &Origin) -> Passage {
        let way = Way {
            sender,
            origin,
            exchange: None,
            status: None,
        };
        self.pass_on(frame, way).await
    }

    /// One end is gone: the calls in flight are over. What it had asked is `cancelled`, what it had
    /// to answer `upstream_disconnected`.
    pub fn gone(&self, side: Side) {
        let flights = self.lock().flights.take_all(|_, _| true);
        for (sender, flight) in flights {
            let outcome = match flight.is_proper {
                false => Outcome::InvalidRequest,
                true if sender == side => Outcome::Cancelled,
                true => Outcome::UpstreamDisconnected,
            };
            self.finish(sender, flight, &Ending::without_answer(outcome));
        }
    }

    /// Ends the calls that have waited longer than the [deadline](ConversationBuilder::answer_deadline),
    /// with `timeout`. How long until it is worth asking again; `None` without a deadline.
    #[must_use = "it says when the next call is due"]
    pub fn expire(&self) -> Option<Duration> {
        let deadline = self.shared.options.answer_deadline?;
        let now = self.shared.options.clock.monotonic();
        let is_due = |flight: &Flight| now.saturating_sub(flight.since) >= deadline;
        let (due, oldest) = {
            let mut state = self.lock();
            let due = state.flights.take_all(|_, flight| is_due(flight));
            (due, state.flights.oldest())
        };
        for (sender, flight) in due {
            self.finish(sender, flight, &Ending::without_answer(Outcome::Timeout));
        }
        let since = oldest.unwrap_or(now);
        Some(since.saturating_add(deadline).saturating_sub(now))
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> ConversationCounters {
        let Counters {
            recorded,
            refused,
            unrecorded,
            noise,
        } = &self.shared.counters;
        ConversationCounters {
            recorded: recorded.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            unrecorded: unrecorded.load(Ordering::Relaxed),
            noise: noise.load(Ordering::Relaxed),
            in_flight: self.lock().flights.count(|_| true),
        }
    }

    /// How much of a payload is looked at.
    pub(crate) fn keep(&self) -> usize {
        let policy = self.shared.logger.payload_policy();
        let (request, response) = (policy.request_limits(), policy.response_limits());
        std::cmp::max(request.scan_bytes, response.scan_bytes)
    }

    fn payload(
        &self,
        part: &Part<'_>,
        limits: &audit_core::payload::PayloadLimits,
        context: PayloadContext<'_>,
        tool: Option<&str>,
        credentials: &[CallerCredential],
    ) -> Payload {
        let context = context.credentials(credentials).original_bytes(part.bytes);
        let level = self.shared.logger.payload_policy().level(tool);
        let json = match level {
            PayloadLevel::Full => summarize(&part.json, limits),
            _ => (&*part.json).into(),
        };
        match tool {
            Some(tool) => Payload::from_json(json.as_bytes(), &context.tool(tool)),
            None => Payload::from_json(json.as_bytes(), &context),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic of another left behind is still a table of calls.
        let state = &self.shared.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
