use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use audit_core::event;
use audit_core::logger::{OpenCall, SharedCall};
use bytes::Buf;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use tracing::Span;

use crate::capture::{Capture, Captured, SharedCapture};
use crate::content::Content;
use crate::draft::session;
use crate::judge::{Answer, End, is_grpc, judge, of_grpc};
use crate::kept;
use crate::options::Options;
use crate::span;

/// What is remembered of a request.
pub(crate) struct Asked {
    pub(crate) body: Option<Arc<SharedCapture>>,
    headers: Option<String>,
    method: Method,
    has_session: bool,
}

impl Asked {
    pub(crate) fn of<B>(request: &Request<B>, options: &Options) -> Self {
        let headers = request.headers();
        Self {
            body: None,
            headers: kept::headers(headers, &options.request_headers),
            method: request.method().clone(),
            has_session: (options.session_header.as_ref())
                .is_some_and(|name| headers.contains_key(name)),
        }
    }
}

/// The guard of a call: whoever drops it, however early, the call is recorded.
pub(crate) struct Recording {
    call: SharedCall,
    span: Span,
    options: Arc<Options>,
    asked: Asked,
    answer: Answer,
    response_headers: Option<String>,
    body: Option<Capture>,
    /// Bytes of the body that went by.
    size: u64,
    /// Bytes that the response announced.
    declared: Option<u64>,
    is_grpc: bool,
    /// Set while code runs that is not ours: if it still is when the guard is dropped, that code
    /// panicked.
    is_inside: bool,
    has_ended: bool,
    /// Whether the reader was told that nothing more comes: he need not ask again.
    is_seen_ended: AtomicBool,
}

impl Recording {
    pub(crate) fn new(call: SharedCall, span: Span, asked: Asked, options: &Arc<Options>) -> Self {
        Self {
            call,
            span,
            options: Arc::clone(options),
            asked,
            answer: Answer::default(),
            response_headers: None,
            body: None,
            size: 0,
            declared: None,
            is_grpc: false,
            is_inside: false,
            has_ended: false,
            is_seen_ended: AtomicBool::new(false),
        }
    }

    /// Runs code of the inner service, within the span.
    pub(crate) fn watch<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.is_inside = true;
        let done = self.span.in_scope(work);
        self.is_inside = false;
        done
    }

    /// The head of the response is about to be handed over. Says whether a body follows.
    pub(crate) fn answered<B: Body>(&mut self, response: &Response<B>) -> bool {
        let (status, headers) = (response.status(), response.headers());
        let options = &self.options;
        self.answer.status = Some(status);
        self.declared =
            kept::declared_length(headers).or_else(|| response.body().size_hint().exact());
        self.response_headers = kept::headers(headers, &options.response_headers);
        if is_grpc(headers) {
            self.is_grpc = true;
            self.answer.grpc = of_grpc(headers);
        }
        self.began_session(headers);
        if response.body().is_end_stream() || is_bodiless(&self.asked.method, status) {
            return false;
        }
        if self.options.captures_responses {
            let limits = self.options.logger.payload_policy().response_limits();
            self.body = Some(Capture::new(Content::of(headers), limits.scan_bytes));
        }
        true
    }

    /// A part of the body is about to be handed over.
    pub(crate) fn saw<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref() {
            let n_bytes = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            self.size = self.size.saturating_add(n_bytes);
            if let Some(body) = &mut self.body {
                body.push(data);
            }
        } else if let (true, Some(trailers)) = (self.is_grpc, frame.trailers_ref()) {
            self.answer.grpc = of_grpc(trailers).or(self.answer.grpc);
        }
    }

    /// The body told its reader that it ended.
    pub(crate) fn was_seen_ended(&self) {
        self.is_seen_ended.store(true, Ordering::Relaxed);
    }

    pub(crate) fn broken(&self) -> End {
        End::Broken(self.options.broken_body)
    }

    /// Records the call. Only the first end counts.
    pub(crate) fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        self.keep(end);
        let answer = self.answer;
        let mut outcome = None;
        let recorded = self
            .call
            .finish_as(|said| *outcome.insert(judge(end, answer, said)));
        // The response is out or about to be: nobody waits for the store.
        drop(recorded);
        if let Some(outcome) = outcome {
            span::ended(&self.span, self.answer.status, outcome);
        }
    }

    /// Puts what is known of request and response into the call.
    fn keep(&mut self, end: End) {
        let is_claimed = self.call.is_claimed();
        let request = self.asked.body.take().map(|body| body.end());
        let response = self.body.take().map(|body| {
            // Of a body that broke off, what was announced is the whole.
            let announced = match end {
                End::Complete => None,
                _ => self.declared,
            };
            body.end(std::cmp::max(self.size, announced.unwrap_or(0)))
        });
        let status = self.answer.status;
        self.call.update(|call| {
            if !is_claimed {
                let (asked, answered) = (
                    self.asked.headers.as_deref(),
                    self.response_headers.as_deref(),
                );
                keep_request(call, asked, request.as_ref());
                keep_response(call, answered, response.as_ref());
            }
            let status = status.map(|status| event::StatusCode::new(status.as_u16()));
            if let Some(Ok(status)) = status {
                call.amend(|draft| draft.status_code(status));
            }
        });
    }

    fn began_session(&self, headers: &HeaderMap) {
        if self.asked.has_session {
            return;
        }
        if let Some(id) = session(&self.options, headers) {
            self.call
                .update(|call| call.amend(|draft| draft.session_id(id)));
        }
    }

    /// Whether its reader had no reason to ask for more: he was told of the end, or all that was
    /// announced went by, where a server stops reading.
    fn is_all_out(&self) -> bool {
        self.is_seen_ended.load(Ordering::Relaxed)
            || self.answer.status.is_some()
                && self.declared.is_some_and(|declared| self.size >= declared)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let end = if self.is_inside {
            End::Panicked
        } else if self.is_all_out() {
            End::Complete
        } else {
            End::Left
        };
        self.end(end);
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("id", &self.call.id())
            .field("answer", &self.answer)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

fn keep_request(call: &mut OpenCall, headers: Option<&str>, body: Option<&Captured>) {
    if kept::is_worth_it(headers, body) && !call.has_request() {
        call.request_with(|context| kept::payload(context, headers, body));
    }
}

fn keep_response(call: &mut OpenCall, headers: Option<&str>, body: Option<&Captured>) {
    if kept::is_worth_it(headers, body) && !call.has_response() {
        call.response_with(|context| kept::payload(context, headers, body));
    }
}

/// Whether a response has no body, whatever its headers say; and what follows a switch of
/// protocols is no body either.
fn is_bodiless(method: &Method, status: StatusCode) -> bool {
    let is_tunnel = method == Method::CONNECT && status.is_success();
    let without = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
    method == Method::HEAD || is_tunnel || status.is_informational() || without.contains(&status)
}
