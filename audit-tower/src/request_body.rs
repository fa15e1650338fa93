use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::capture::SharedCapture;

pin_project! {
    /// The body of a request, of which the beginning is kept on its way to the inner service.
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        capture: Option<Arc<SharedCapture>>,
        is_filling: bool,
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn new(inner: B, capture: Option<Arc<SharedCapture>>) -> Self {
        Self {
            inner,
            capture,
            is_filling: true,
        }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        let Some(capture) = this.capture else {
            return Poll::Ready(frame);
        };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    capture.count(data.remaining());
                    if *this.is_filling {
                        *this.is_filling = capture.push(data);
                    }
                }
            }
            Some(Err(_)) => {}
            None => capture.ended(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default> Default for RequestBody<B> {
    fn default() -> Self {
        Self::new(B::default(), None)
    }
}

impl<B: fmt::Debug> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
