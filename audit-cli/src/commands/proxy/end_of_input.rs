use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

/// Tells when an input has come to its end.
#[derive(Debug)]
pub(super) struct EndOfInput(Arc<Notify>);

/// An input that is watched for its end.
#[derive(Debug)]
pub(super) struct Input<R> {
    input: R,
    end: Arc<Notify>,
}

impl EndOfInput {
    pub(super) fn of<R>(input: R) -> (Input<R>, Self) {
        let end = Arc::new(Notify::new());
        let told = Self(Arc::clone(&end));
        (Input { input, end }, told)
    }

    /// Waits for the end, which may have come before.
    pub(super) async fn reached(&self) {
        self.0.notified().await;
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n_before = buffer.filled().len();
        let has_room = buffer.remaining() > 0;
        let polled = Pin::new(&mut self.input).poll_read(context, buffer);
        let has_ended = match &polled {
            Poll::Ready(Ok(())) => has_room && buffer.filled().len() == n_before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if has_ended {
            self.end.notify_one();
        }
        polled
    }
}
