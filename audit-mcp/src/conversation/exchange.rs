use audit_core::event::Outcome;

use super::ending::Ending;
use super::{Conversation, Origin, Passage, Side, Way};
use crate::classify;

/// One exchange of HTTP: a request with its messages, and what is answered to it, as a JSON body or
/// as events.
///
/// An exchange that is dropped without an end leaves its calls in the conversation, as
/// [`leave_open`](Self::leave_open) does.
///
/// # Examples
/// ```
/// use audit_mcp::conversation::{Conversation, Origin, Passage};
///
/// # async fn example(conversation: Conversation, body: &[u8], events: Vec<Vec<u8>>) {
/// let mut exchange = conversation.exchange(Origin::new());
/// if let Passage::Refuse(answer) = exchange.ask(body).await {
///     // Answer with this instead: 200, `application/json`.
///     return;
/// }
/// // The upstream answers.
/// exchange.status(200);
/// for event in events {
///     if let Passage::Refuse(_) = exchange.answer(&event).await {
///         // A request of the server that could not be recorded; leave it out.
///     }
/// }
/// // What was not answered by now is not answered any more.
/// exchange.finish();
/// # }
/// ```
#[derive(Debug)]
pub struct Exchange {
    conversation: Conversation,
    number: u64,
    origin: Origin,
    server: Origin,
    status: Option<u16>,
}

impl Exchange {
    pub(super) fn new(conversation: Conversation, number: u64, origin: Origin) -> Self {
        Self {
            conversation,
            number,
            origin,
            server: Origin::server(),
            status: None,
        }
    }

    /// Who the server is, for its own requests; [`Origin::server`], if nothing is said.
    #[must_use]
    pub fn server(mut self, origin: Origin) -> Self {
        self.server = origin;
        self
    }

    /// Looks at the body of the request before it is handed on.
    ///
    /// # Cancel safety
    /// As [`Conversation::pass`].
    pub async fn ask(&self, body: &[u8]) -> Passage {
        let way = self.way(Side::Client, &self.origin);
        self.conversation.pass_on(body, way).await
    }

    /// The status that the upstream answered.
    pub fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Looks at a message of the answer before it is handed on: the body, where it is JSON, or the
    /// data of one event. An answer to a call of another exchange of the conversation counts there.
    ///
    /// # Cancel safety
    /// As [`Conversation::pass`].
    pub async fn answer(&self, message: &[u8]) -> Passage {
        let way = self.way(Side::Server, &self.server);
        self.conversation.pass_on(message, way).await
    }

    /// How many of its calls wait for their answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let flights = &self.conversation.lock().flights;
        flights.count(|flight| flight.exchange == Some(self.number))
    }

    /// The answer has ended as it should. Calls that were not in it have the outcome of the status;
    /// a status of success promised an answer that did not come: `upstream_disconnected`.
    pub fn finish(self) {
        let outcome = match self.status {
            Some(status) => classify::outcome_of_status(status),
            None => Outcome::UpstreamDisconnected,
        };
        self.end(outcome);
    }

    /// The exchange has ended otherwise. Calls without an answer have this outcome: `cancelled` for
    /// a client that left, `upstream_unavailable` for a server that could not be reached,
    /// `upstream_disconnected` for one that broke off, `timeout`, what the gateway decided.
    pub fn fail(self, outcome: Outcome) {
        self.end(outcome);
    }

    /// The exchange has ended, and answers may come elsewhere: on the stream of a GET, after the
    /// client has come back. The calls stay in the conversation.
    pub fn leave_open(self) {
        drop(self);
    }

    fn way<'a>(&self, sender: Side, origin: &'a Origin) -> Way<'a> {
        Way {
            sender,
            origin,
            exchange: Some(self.number),
            status: self.status,
        }
    }

    fn end(self, outcome: Outcome) {
        let flights = {
            let mut state = self.conversation.lock();
            let number = Some(self.number);
            state
                .flights
                .take_all(|_, flight| flight.exchange == number)
        };
        for (sender, flight) in flights {
            let ending = Ending {
                status: self.status,
                ..Ending::without_answer(outcome)
            };
            self.conversation.finish(sender, flight, &ending);
        }
    }
}
