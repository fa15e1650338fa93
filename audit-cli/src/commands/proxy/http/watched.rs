//! An answer on its way to the client: each chunk goes on as it came, and what it says is read before.

use std::io;

use audit_core::event::Outcome;
use audit_mcp::conversation::{Exchange, Passage};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};

use super::sse::SseReader;

/// What is held of a body of JSON at the most. Of a larger one the beginning is read.
const MAX_JSON_BYTES: usize = 8 << 20;

/// Ends an exchange, however early it is dropped: its client has left then.
#[derive(Debug)]
pub(super) struct Guard(Option<Exchange>);

impl Guard {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self(Some(exchange))
    }

    pub(super) fn status(&mut self, status: u16) {
        if let Some(exchange) = &mut self.0 {
            exchange.status(status);
        }
    }

    pub(super) fn fail(mut self, outcome: Outcome) {
        self.end(|exchange| exchange.fail(outcome));
    }

    fn end(&mut self, end: impl FnOnce(Exchange)) {
        self.0.take().map(end);
    }

    /// Looks at a message; `false` if it must not be passed on.
    async fn answer(&self, message: &[u8]) -> bool {
        match &self.0 {
            Some(exchange) => matches!(exchange.answer(message).await, Passage::Forward),
            None => true,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end(|exchange| exchange.fail(Outcome::Cancelled));
    }
}

/// A body under way.
struct Watched {
    body: Incoming,
    guard: Guard,
    reader: Reader,
    may_go_on_elsewhere: bool,
    is_over: bool,
}

/// How messages stand in a body.
enum Reader {
    Events(SseReader),
    Json(Vec<u8>),
    /// No messages.
    Other,
}

/// Passes a body on, and reads it on the way.
pub(super) fn body(
    body: Incoming,
    headers: &HeaderMap,
    guard: Guard,
    may_go_on_elsewhere: bool,
) -> Body {
    let mut watched = Watched {
        reader: Reader::of(headers),
        body,
        guard,
        may_go_on_elsewhere,
        is_over: false,
    };
    // An answer without a body has ended.
    if watched.body.is_end_stream() {
        watched.complete();
        return Body::empty();
    }
    let frames = stream::unfold(watched, |mut watched| async {
        let frame = watched.next().await?;
        Some((frame, watched))
    });
    Body::new(StreamBody::new(Box::pin(frames)))
}

impl Watched {
    async fn next(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        if self.is_over {
            return None;
        }
        let frame = match self.body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                // The client has to see that it is not whole: the connection breaks off here, too.
                self.is_over = true;
                self.guard
                    .end(|exchange| exchange.fail(Outcome::UpstreamDisconnected));
                return Some(Err(io::Error::other(error)));
            }
            None => {
                self.finish_json().await;
                self.complete();
                return None;
            }
        };
        if let Some(data) = frame.data_ref()
            && !self.read(data).await
        {
            self.is_over = true;
            tracing::error!("a request of the server cannot be recorded, and its stream is cut");
            return Some(Err(io::Error::other("the audit store takes no records")));
        }
        // Behind what was announced nobody asks for more.
        if self.body.is_end_stream() {
            self.finish_json().await;
            self.complete();
        }
        Some(Ok(frame))
    }

    /// Reads what has come; `false` if it must not be passed on.
    async fn read(&mut self, data: &[u8]) -> bool {
        match &mut self.reader {
            Reader::Events(reader) => {
                let mut events = Vec::new();
                reader.push(data, |event| events.push(event));
                for event in events {
                    if !self.guard.answer(&event).await {
                        return false;
                    }
                }
            }
            Reader::Json(held) => {
                let room = MAX_JSON_BYTES - held.len();
                held.extend_from_slice(&data[..std::cmp::min(room, data.len())]);
            }
            Reader::Other => {}
        }
        true
    }

    async fn finish_json(&mut self) {
        if let Reader::Json(held) = &mut self.reader {
            let held = std::mem::take(held);
            if !held.is_empty() {
                // Answers are never refused, and a body of JSON holds nothing else.
                self.guard.answer(&held).await;
            }
        }
    }

    /// The body has come to its end. A stream whose events have ids may be taken up again, so what
    /// is open in a session stays open.
    fn complete(&mut self) {
        self.is_over = true;
        let goes_on = match &self.reader {
            Reader::Events(reader) => reader.has_ids() && self.may_go_on_elsewhere,
            _ => false,
        };
        self.guard.end(|exchange| match goes_on {
            true => exchange.leave_open(),
            false => exchange.finish(),
        });
    }
}

impl Reader {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim());
        match kind {
            Some(kind) if kind.eq_ignore_ascii_case("text/event-stream") => {
                Self::Events(SseReader::default())
            }
            Some(kind) if kind.eq_ignore_ascii_case("application/json") => Self::Json(Vec::new()),
            _ => Self::Other,
        }
    }
}
