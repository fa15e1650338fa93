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
//! | an answer comes | as [`classify`] says |
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
mod exchange;
mod flights;
mod item;
mod origin;
mod refusal;
mod span;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::event::{Client, EventDraft, Latency, Method, Outcome, StatusCode};
use audit_core::logger::OpenCall;
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadLevel};
use audit_core::{AuditLogger, Error};

pub use builder::{ConversationBuilder, Unrecorded};
pub use exchange::Exchange;
pub use origin::Origin;

use crate::classify::{self, Reply};
use crate::draft::{self, CallFacts, INVALID_METHOD};
use crate::message::{Frame, Message, MessageId, frame_text};
use crate::scan::Found;
use crate::summary::summarize;
use flights::{Flight, Flights};
use item::{Answered, Call, Item, Items, Part};

/// How many requests that are no proper ones may wait for an answer, of one sender, when another
/// comes: of more, the first gets none any more.
const MAX_IMPROPER: usize = 64;

/// The method whose call the server ends by a notification.
const LISTEN: &str = "subscriptions/listen";

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

/// What ends a call.
struct Ending<'a> {
    outcome: Outcome,
    status: Option<u16>,
    code: Option<i64>,
    answer: Option<&'a Part<'a>>,
}

impl Ending<'_> {
    fn without_answer(outcome: Outcome) -> Self {
        Self {
            outcome,
            status: None,
            code: None,
            answer: None,
        }
    }
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

    /// The same as [`pass`](Self::pass), for a message of which only this was held.
    pub(crate) async fn pass_found(&self, sender: Side, found: &Found, origin: &Origin) -> Passage {
        let way = Way {
            sender,
            origin,
            exchange: None,
            status: None,
        };
        self.pass_items(Items::Found(found), "", way).await
    }

    /// A frame that held nothing of a message, and was too long to be held itself.
    pub(crate) async fn pass_noise(
        &self,
        sender: Side,
        beginning: &[u8],
        origin: &Origin,
    ) -> Passage {
        let way = Way {
            sender,
            origin,
            exchange: None,
            status: None,
        };
        let text = frame_text(beginning);
        let nothing = Frame::Message(Message::Invalid);
        self.pass_items(Items::Frame(&nothing), &text, way).await
    }

    async fn pass_on(&self, frame: &[u8], way: Way<'_>) -> Passage {
        let text = frame_text(frame);
        let parsed = Frame::parse(&text);
        let is_broken =
            matches!(parsed, Frame::Message(Message::Invalid)) && !crate::json::is_json(&text);
        let items = if is_broken {
            let keep = self.keep();
            Items::Broken { text: &text, keep }
        } else {
            Items::Frame(&parsed)
        };
        self.pass_items(items, &text, way).await
    }

    /// First the calls of the frame begin, all or none; then the rest of it counts.
    async fn pass_items(&self, items: Items<'_>, frame: &str, way: Way<'_>) -> Passage {
        let mut begun = Vec::new();
        let mut is_invalid = false;
        for item in items.iter() {
            let room = match item {
                Item::Call(call) => self
                    .begin(call, way)
                    .await
                    .map(|flight| begun.extend(flight)),
                Item::MisplacedCall { method, params } => {
                    self.record_invalid(&method, params.as_ref(), way).await
                }
                // However many there are, the frame is on record once.
                Item::Invalid if !std::mem::replace(&mut is_invalid, true) => {
                    self.record_frame(frame, way).await
                }
                Item::Answer(_) | Item::Cancel(_) | Item::Invalid | Item::Other => Ok(()),
            };
            if room.is_err() {
                return self.refuse(begun, items, way.sender);
            }
        }
        self.enter(begun, way.sender);
        for item in items.iter() {
            match item {
                Item::Answer(answered) => self.answered(&answered, way),
                Item::Cancel(id) => self.cancelled(way.sender, &id),
                _ => {}
            }
        }
        Passage::Forward
    }

    /// Begins the record of a call; nothing, if it goes on unrecorded.
    async fn begin(
        &self,
        call: Call<'_>,
        way: Way<'_>,
    ) -> Result<Option<(MessageId, Flight)>, Error> {
        let telling = call.params.as_ref().map_or("{}", |params| &params.telling);
        let facts = CallFacts::of_params(&call.method, telling);
        if call.method == "initialize" && facts.client.name.is_some() {
            self.lock().client = facts.client.clone();
        }
        let tool = facts.tool_name.as_ref().map(|tool| tool.as_str());
        let draft = self.draft(&call.method, call.params.as_ref(), tool, way);
        let draft = facts.amend(draft).request_id(call.id.to_request_id());
        let Some(open) = self.open(draft).await? else {
            return Ok(None);
        };
        let span = span::open(&open, (way.sender, &call.id), &call.method, &facts);
        let flight = Flight {
            call: open,
            span,
            method: call.method.as_ref().into(),
            tool: tool.map(Into::into),
            credentials: way.origin.credentials().into(),
            is_proper: call.is_proper,
            exchange: way.exchange,
            since: Duration::ZERO,
            number: 0,
        };
        Ok(Some((call.id, flight)))
    }

    /// Room for a record; nothing, if there is none and the call goes on.
    async fn open(&self, draft: EventDraft) -> Result<Option<OpenCall>, Error> {
        let counters = &self.shared.counters;
        let error = match self.shared.logger.begin(draft).await {
            Ok(call) => {
                counters.recorded.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(call));
            }
            Err(error) => error,
        };
        let (counter, is_refused) = match self.shared.options.unrecorded {
            Unrecorded::Forward => (&counters.unrecorded, false),
            Unrecorded::Refuse => (&counters.refused, true),
        };
        let n = counter.fetch_add(1, Ordering::Relaxed) + 1;
        // One line for the first, the second, the fourth: an outage fills no log.
        if n.is_power_of_two() {
            tracing::warn!(%error, n, is_refused, "a call cannot be recorded");
        }
        if is_refused { Err(error) } else { Ok(None) }
    }

    fn draft(
        &self,
        method: &str,
        params: Option<&Part<'_>>,
        tool: Option<&str>,
        way: Way<'_>,
    ) -> EventDraft {
        let draft = way.origin.begin().method(Method::lossy(method));
        let mut draft = self.shared.options.describe(draft);
        if way.sender == Side::Client {
            draft = draft::claim(draft, &self.lock().client);
        }
        match params {
            Some(params) => {
                let policy = self.shared.logger.payload_policy();
                let context = PayloadContext::request(policy);
                let limits = policy.request_limits();
                let payload =
                    self.payload(params, &limits, context, tool, way.origin.credentials());
                draft.request(payload)
            }
            None => draft,
        }
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

    /// On record at once: nobody will answer it.
    async fn record_invalid(
        &self,
        method: &str,
        params: Option<&Part<'_>>,
        way: Way<'_>,
    ) -> Result<(), Error> {
        let telling = params.map_or("{}", |params| &params.telling);
        let facts = CallFacts::of_params(method, telling);
        let tool = facts.tool_name.as_ref().map(|tool| tool.as_str());
        let draft = facts.amend(self.draft(method, params, tool, way));
        if let Some(mut call) = self.open(draft).await? {
            if let Some(status) = way.status.and_then(|status| StatusCode::new(status).ok()) {
                call.amend(|draft| draft.status_code(status));
            }
            drop(call.finish(Outcome::InvalidRequest));
        }
        Ok(())
    }

    async fn record_frame(&self, frame: &str, way: Way<'_>) -> Result<(), Error> {
        if way.sender == Side::Server {
            self.shared.counters.noise.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let part = Part::whole(frame);
        self.record_invalid(INVALID_METHOD, Some(&part), way).await
    }

    /// The frame does not go on, so none of its calls is made.
    fn refuse(&self, begun: Vec<(MessageId, Flight)>, items: Items<'_>, sender: Side) -> Passage {
        for (_, flight) in begun {
            let ending = Ending::without_answer(Outcome::InternalError);
            self.finish(sender, flight, &ending);
        }
        let mut ids = Vec::new();
        for item in items.iter() {
            if let Item::Call(call) = item {
                ids.push(call.raw_id.into_owned());
            }
        }
        let ids = ids.iter().map(String::as_str);
        Passage::Refuse(refusal::answer(ids, items.is_batch()))
    }

    /// From here on they may be answered.
    fn enter(&self, begun: Vec<(MessageId, Flight)>, sender: Side) {
        if begun.is_empty() {
            return;
        }
        let now = self.shared.options.clock.monotonic();
        let mut given_up = Vec::new();
        {
            let mut state = self.lock();
            let flights = &mut state.flights;
            if begun.iter().any(|(_, flight)| !flight.is_proper) {
                let n_too_many = flights.n_improper(sender).saturating_sub(MAX_IMPROPER - 1);
                for _ in 0..n_too_many {
                    given_up.extend(flights.take_improper(sender));
                }
            }
            for (id, mut flight) in begun {
                flight.since = now;
                flights.insert(sender, id, flight);
            }
        }
        for flight in given_up {
            let ending = Ending::without_answer(Outcome::InvalidRequest);
            self.finish(sender, flight, &ending);
        }
    }

    fn answered(&self, answered: &Answered<'_>, way: Way<'_>) {
        let asker = way.sender.other();
        let Some(id) = &answered.id else {
            return self.unreadable(answered, way);
        };
        let flight = self.lock().flights.take(asker, id, way.exchange);
        let Some(flight) = flight else { return };
        let reply = match answered.error {
            Some(code) => Reply::Error {
                code,
                status: way.status,
            },
            None => Reply::Result {
                method: &flight.method,
                result: &answered.part.telling,
            },
        };
        let ending = Ending {
            outcome: classify::outcome(&reply),
            status: way.status,
            code: answered.error.flatten(),
            answer: Some(&answered.part),
        };
        self.finish(asker, flight, &ending);
    }

    /// An error that names no request: one could not be read.
    fn unreadable(&self, answered: &Answered<'_>, way: Way<'_>) {
        let Some(code) = answered.error else { return };
        let asker = way.sender.other();
        let flights: Vec<_> = {
            let mut state = self.lock();
            match way.exchange {
                Some(exchange) => state.flights.take_all(|sender, flight| {
                    sender == asker && flight.exchange == Some(exchange)
                }),
                None => {
                    let first = state.flights.take_improper(asker);
                    first.map(|flight| (asker, flight)).into_iter().collect()
                }
            }
        };
        let outcome = match way.status {
            Some(status) if status >= 400 => classify::outcome_of_status(status),
            _ => Outcome::InvalidRequest,
        };
        for (sender, flight) in flights {
            let ending = Ending {
                outcome,
                status: way.status,
                code,
                answer: Some(&answered.part),
            };
            self.finish(sender, flight, &ending);
        }
    }

    fn cancelled(&self, sender: Side, id: &MessageId) {
        let (flight, whose, outcome) = {
            let mut state = self.lock();
            let flights = &mut state.flights;
            match flights.take(sender, id, None) {
                Some(flight) => (Some(flight), sender, Outcome::Cancelled),
                // A server ends a subscription, as it was asked to some day.
                None if flights.is_of(sender.other(), id, LISTEN) => (
                    flights.take(sender.other(), id, None),
                    sender.other(),
                    Outcome::Ok,
                ),
                None => (None, sender, Outcome::Cancelled),
            }
        };
        if let Some(flight) = flight {
            self.finish(whose, flight, &Ending::without_answer(outcome));
        }
    }

    fn finish(&self, sender: Side, flight: Flight, ending: &Ending<'_>) {
        let Flight {
            mut call,
            span,
            tool,
            credentials,
            since,
            ..
        } = flight;
        let now = self.shared.options.clock.monotonic();
        let is_of_the_upstream = sender == Side::Client && ending.answer.is_some();
        let took = is_of_the_upstream.then(|| Latency::new(now.saturating_sub(since)));
        let status = ending
            .status
            .and_then(|status| StatusCode::new(status).ok());
        let response = ending.answer.map(|part| {
            let policy = self.shared.logger.payload_policy();
            let context = PayloadContext::response(policy);
            let limits = policy.response_limits();
            self.payload(part, &limits, context, tool.as_deref(), &credentials)
        });
        call.amend(|mut draft| {
            if let Some(took) = took {
                draft = draft.upstream_latency(took);
            }
            if let Some(status) = status {
                draft = draft.status_code(status);
            }
            match response {
                Some(response) => draft.response(response),
                None => draft,
            }
        });
        span::close(&span, ending.outcome, ending.code);
        // Nobody waits for the store; that the record is kept is the logger's promise.
        drop(call.finish(ending.outcome));
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
