//! The calls in flight of one connection.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use audit_core::logger::OpenCall;
use audit_core::payload::CallerCredential;
use tracing::Span;

use super::Side;
use crate::message::MessageId;

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) call: OpenCall,
    pub(super) span: Span,
    pub(super) method: Box<str>,
    pub(super) tool: Option<Box<str>>,
    pub(super) credentials: Box<[CallerCredential]>,
    /// Whether it has the form of a request. A server may ignore it, if not.
    pub(super) is_proper: bool,
    /// The exchange of HTTP that carried it.
    pub(super) exchange: Option<u64>,
    /// When it was handed on.
    pub(super) since: Duration,
    /// In which order they began.
    pub(super) number: u64,
}

/// By sender and id. Of a sender that uses an id twice at once, the first is answered first.
#[derive(Debug, Default)]
pub(super) struct Flights {
    waiting: HashMap<(Side, MessageId), VecDeque<Flight>>,
    next: u64,
}

impl Flights {
    pub(super) fn insert(&mut self, sender: Side, id: MessageId, mut flight: Flight) {
        flight.number = self.next;
        self.next += 1;
        self.waiting
            .entry((sender, id))
            .or_default()
            .push_back(flight);
    }

    /// The call of this sender and id; if there are several, that of this exchange.
    pub(super) fn take(
        &mut self,
        sender: Side,
        id: &MessageId,
        exchange: Option<u64>,
    ) -> Option<Flight> {
        let key = (sender, id.clone());
        let waiting = self.waiting.get_mut(&key)?;
        let own = waiting
            .iter()
            .position(|flight| exchange.is_some() && flight.exchange == exchange);
        let flight = waiting.remove(own.unwrap_or(0));
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        flight
    }

    /// Whether this call is in flight and has this method.
    pub(super) fn is_of(&self, sender: Side, id: &MessageId, method: &str) -> bool {
        let waiting = self.waiting.get(&(sender, id.clone()));
        waiting
            .and_then(VecDeque::front)
            .is_some_and(|flight| &*flight.method == method)
    }

    /// All of which this is true, in the order in which they began.
    pub(super) fn take_all(&mut self, is: impl Fn(Side, &Flight) -> bool) -> Vec<(Side, Flight)> {
        let mut taken = Vec::new();
        self.waiting.retain(|(sender, _), waiting| {
            for flight in std::mem::take(waiting) {
                if is(*sender, &flight) {
                    taken.push((*sender, flight));
                } else {
                    waiting.push_back(flight);
                }
            }
            !waiting.is_empty()
        });
        taken.sort_by_key(|(_, flight)| flight.number);
        taken
    }

    /// The first of this sender that is no proper request.
    pub(super) fn take_improper(&mut self, sender: Side) -> Option<Flight> {
        let flights = self.waiting.iter().filter(|((of, _), _)| *of == sender);
        let (key, number) = flights
            .flat_map(|(key, waiting)| waiting.iter().map(move |flight| (key, flight)))
            .filter(|(_, flight)| !flight.is_proper)
            .map(|(key, flight)| (key, flight.number))
            .min_by_key(|(_, number)| *number)?;
        let key = key.clone();
        let waiting = self.waiting.get_mut(&key)?;
        let place = waiting.iter().position(|flight| flight.number == number)?;
        let flight = waiting.remove(place);
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        flight
    }

    pub(super) fn n_improper(&self, sender: Side) -> usize {
        let flights = self.waiting.iter().filter(|((of, _), _)| *of == sender);
        flights
            .flat_map(|(_, waiting)| waiting)
            .filter(|flight| !flight.is_proper)
            .count()
    }

    /// When the first of them was handed on.
    pub(super) fn oldest(&self) -> Option<Duration> {
        let flights = self.waiting.values().flatten();
        flights.map(|flight| flight.since).min()
    }

    pub(super) fn count(&self, is: impl Fn(&Flight) -> bool) -> usize {
        let flights = self.waiting.values().flatten();
        flights.filter(|flight| is(flight)).count()
    }
}
