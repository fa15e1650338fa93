//! A connection whose other end has to read what it asked for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Fails when nothing could be written for a while: whoever asks and never reads would hold a
/// connection for ever, and with a thousand of them the server.
pub(super) struct Impatient<S> {
    stream: S,
    /// When what is written now is given up; `None` while nothing waits.
    waits_since: Option<Pin<Box<Sleep>>>,
}

/// How long the other end may take nothing.
const PATIENCE: Duration = Duration::from_secs(60);

impl<S> Impatient<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            waits_since: None,
        }
    }

    /// What became of a write, unless it has waited for too long.
    fn hurry<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits_since = None;
            return written;
        }
        let end = self
            .waits_since
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + PATIENCE)));
        ready!(end.as_mut().poll(context));
        let text = "the client does not read what it asked for";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.hurry(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.hurry(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.hurry(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.hurry(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_is_given_up() {
        let (near, far) = tokio::io::duplex(8);
        let begun = Instant::now();
        let error = Impatient::new(near).write_all(&[0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), PATIENCE);
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_slowly_gets_everything() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut near = Impatient::new(near);
        let writing = near.write_all(&[7; 40]);
        let reading = async {
            let mut read = Vec::new();
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE / 2).await;
                let mut part = [0; 8];
                far.read_exact(&mut part).await.unwrap();
                read.extend(part);
            }
            read
        };
        let (written, read) = tokio::join!(writing, reading);
        written.unwrap();
        assert_eq!(read, [7; 40]);
    }
}
