use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::judge::End;
use crate::recording::Recording;

pin_project! {
    /// The body of a response, with the record of its call: the end of the one is the end of the
    /// other.
    ///
    /// Chunks pass as they come. It may also be the body of a refusal, which is the layer's own.
    pub struct AuditBody<B> {
        #[pin]
        inner: Inner<B>,
        // Behind the body: what is said while that is dropped is still heard.
        recording: Option<Recording>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Answer {
            #[pin]
            body: B,
        },
        Refusal {
            text: Option<Bytes>,
        },
    }
}

impl<B> AuditBody<B> {
    pub(crate) fn answer(body: B, recording: Option<Recording>) -> Self {
        Self {
            inner: Inner::Answer { body },
            recording,
        }
    }

    pub(crate) fn refusal(text: Bytes) -> Self {
        Self {
            inner: Inner::Refusal { text: Some(text) },
            recording: None,
        }
    }
}

impl<B> Body for AuditBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut body = match this.inner.project() {
            InnerProjection::Answer { body } => body,
            InnerProjection::Refusal { text } => {
                let text = text.take();
                return Poll::Ready(text.map(|text| Ok(Frame::data(text.into()))));
            }
        };
        let Some(recording) = this.recording else {
            return body.poll_frame(context);
        };
        let frame = ready!(recording.watch(|| body.as_mut().poll_frame(context)));
        let end = match &frame {
            Some(Ok(frame)) => {
                recording.saw(frame);
                body.is_end_stream().then_some(End::Complete)
            }
            Some(Err(_)) => Some(recording.broken()),
            None => Some(End::Complete),
        };
        if let Some(end) = end {
            recording.end(end);
            *this.recording = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Answer { body } => {
                let has_ended = body.is_end_stream();
                if let (true, Some(recording)) = (has_ended, &self.recording) {
                    recording.was_seen_ended();
                }
                has_ended
            }
            Inner::Refusal { text } => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Answer { body } => body.size_hint(),
            Inner::Refusal { text } => {
                let n_bytes = text.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(n_bytes).unwrap_or(u64::MAX))
            }
        }
    }
}

impl<B: Default> Default for AuditBody<B> {
    /// The body of a response that never went through the layer.
    fn default() -> Self {
        Self::answer(B::default(), None)
    }
}

impl<B: fmt::Debug> fmt::Debug for AuditBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AuditBody");
        match &self.inner {
            Inner::Answer { body } => shown.field("answer", body),
            Inner::Refusal { text } => shown.field("refusal", text),
        };
        shown.field("recording", &self.recording).finish()
    }
}
