use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use audit_core::Error;
use audit_core::logger::{OpenCall, SharedCall};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::AuditBody;
use crate::draft::Begun;
use crate::judge::{End, of_error};
use crate::options::Options;
use crate::recording::{Asked, Recording};
use crate::refusal::refusal;
use crate::span;

pin_project! {
    /// The response of an [`AuditService`](crate::AuditService): the call begins, then the inner
    /// service runs.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        options: Arc<Options>,
        // Behind the state: what is said while that is dropped is still heard.
        recording: Option<Recording>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Beginning {
            begin: Begin,
            waiting: Option<Waiting<S, B>>,
        },
        Running {
            #[pin]
            future: F,
        },
    }
}

type Begin = Pin<Box<dyn Future<Output = Result<OpenCall, Error>> + Send>>;

/// What waits for its record to have room.
struct Waiting<S, B> {
    service: S,
    request: Request<B>,
    asked: Asked,
    names: span::Names,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(crate) fn new(
        service: S,
        request: Request<B>,
        begun: Begun,
        asked: Asked,
        options: &Arc<Options>,
    ) -> Self {
        let Begun { draft, names } = begun;
        let logger = options.logger.clone();
        Self {
            state: State::Beginning {
                begin: Box::pin(async move { logger.begin(draft).await }),
                waiting: Some(Waiting {
                    service,
                    request,
                    asked,
                    names,
                }),
            },
            options: Arc::clone(options),
            recording: None,
        }
    }
}

impl<S, B, A> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Error: 'static,
    A: Body,
{
    type Output = Result<Response<AuditBody<A>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Beginning { begin, waiting } => {
                    let begun = ready!(begin.as_mut().poll(context));
                    let Some(waiting) = waiting.take() else {
                        // Polled again behind its end, which no executor does.
                        return Poll::Pending;
                    };
                    if let Err(error) = &begun {
                        if !this.options.is_fail_open {
                            refused(this.options, error);
                            return Poll::Ready(Ok(refusal(error)));
                        }
                        unrecorded(this.options, error);
                    }
                    let future = waiting.run(begun.ok(), this.options, this.recording);
                    this.state.set(State::Running { future });
                }
                StateProjection::Running { future } => {
                    let Some(recording) = this.recording else {
                        let response = ready!(future.poll(context));
                        return Poll::Ready(response.map(pass));
                    };
                    let response = ready!(recording.watch(|| future.poll(context)));
                    return Poll::Ready(match response {
                        Ok(response) => Ok(hand_over(response, this.recording)),
                        Err(error) => {
                            recording.end(End::Broken(of_error(&error)));
                            *this.recording = None;
                            Err(error)
                        }
                    });
                }
            }
        }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
{
    /// Calls the inner service; `None` runs without a record.
    fn run(
        self,
        call: Option<OpenCall>,
        options: &Arc<Options>,
        recording: &mut Option<Recording>,
    ) -> S::Future {
        let Self {
            mut service,
            mut request,
            asked,
            names,
        } = self;
        let Some(call) = call.map(SharedCall::new) else {
            return service.call(request);
        };
        request.extensions_mut().insert(call.clone());
        let span = names.span(call.id());
        recording
            .insert(Recording::new(call, span, asked, options))
            .watch(|| service.call(request))
    }
}

fn pass<A>(response: Response<A>) -> Response<AuditBody<A>> {
    response.map(|body| AuditBody::answer(body, None))
}

fn hand_over<A: Body>(
    response: Response<A>,
    recording: &mut Option<Recording>,
) -> Response<AuditBody<A>> {
    let mut recording = recording.take();
    if let Some(ongoing) = &mut recording
        && !ongoing.answered(&response)
    {
        ongoing.end(End::Complete);
        recording = None;
    }
    response.map(|body| AuditBody::answer(body, recording))
}

fn refused(options: &Options, error: &Error) {
    if let Some(n) = options.refused.add_one() {
        tracing::error!(%error, n, "requests are refused: they cannot be recorded");
    }
}

fn unrecorded(options: &Options, error: &Error) {
    options.logger.tell_unrecorded();
    if let Some(n) = options.unrecorded.add_one() {
        tracing::warn!(%error, n, "requests run without a record");
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("recording", &self.recording)
            .finish_non_exhaustive()
    }
}
