//! A frame on its way: its calls begin before it is handed on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use audit_core::Error;
use audit_core::event::{EventDraft, Method, Outcome, StatusCode};
use audit_core::logger::OpenCall;
use audit_core::payload::PayloadContext;

use super::ending::Ending;
use super::flights::Flight;
use super::item::{Call, Item, Items, Part};
use super::{Conversation, Origin, Passage, Side, Unrecorded, Way, refusal, span};
use crate::draft::{self, CallFacts, INVALID_METHOD};
use crate::message::{Frame, Message, MessageId, frame_text};
use crate::scan::Found;

/// How many requests that are no proper ones may wait for an answer, of one sender, when another
/// comes: of more, the first gets none any more.
const MAX_IMPROPER: usize = 64;

impl Conversation {
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

    pub(super) async fn pass_on(&self, frame: &[u8], way: Way<'_>) -> Passage {
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
        if is_refused {
            return Err(error);
        }
        self.shared.logger.tell_unrecorded();
        Ok(None)
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
}
