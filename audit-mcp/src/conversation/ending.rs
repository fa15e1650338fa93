//! What ends a call: its answer, a cancel, or nothing that could still come.

use audit_core::event::{Latency, Outcome, StatusCode};
use audit_core::payload::PayloadContext;

use super::flights::Flight;
use super::item::{Answered, Part};
use super::{Conversation, Side, Way, span};
use crate::classify::{self, Reply};
use crate::message::MessageId;

/// The method whose call the server ends by a notification.
const LISTEN: &str = "subscriptions/listen";

/// What ends a call.
pub(super) struct Ending<'a> {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) code: Option<i64>,
    pub(super) answer: Option<&'a Part<'a>>,
}

impl Ending<'_> {
    pub(super) fn without_answer(outcome: Outcome) -> Self {
        Self {
            outcome,
            status: None,
            code: None,
            answer: None,
        }
    }
}

impl Conversation {
    pub(super) fn answered(&self, answered: &Answered<'_>, way: Way<'_>) {
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

    pub(super) fn cancelled(&self, sender: Side, id: &MessageId) {
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

    pub(super) fn finish(&self, sender: Side, flight: Flight, ending: &Ending<'_>) {
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
}
