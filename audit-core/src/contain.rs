use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::{Error, ErrorKind};

/// A call of a sink whose panics become errors, whenever they come: while it begins, while it is
/// polled, while it is dropped. It is one call of a plug-in, and the records behind it still want
/// to be stored.
pub(crate) struct Contained<'a, T> {
    work: Option<Work<'a, T>>,
}

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl<'a, T> Contained<'a, T> {
    /// `begin` gives the call; it is first called when this is polled.
    pub(crate) fn new<F>(begin: impl FnOnce() -> F + Send + 'a) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        Self {
            work: Some(Box::pin(async move { begin().await })),
        }
    }
}

impl<T> Future for Contained<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(Err(panicked()));
        };
        let polled = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.unwrap_or_else(|_| {
            // What panicked is not polled again.
            self.drop_work();
            Poll::Ready(Err(panicked()))
        })
    }
}

impl<T> Drop for Contained<'_, T> {
    fn drop(&mut self) {
        self.drop_work();
    }
}

impl<T> Contained<'_, T> {
    fn drop_work(&mut self) {
        let work = self.work.take();
        if panic::catch_unwind(AssertUnwindSafe(|| drop(work))).is_err() {
            tracing::error!("the audit sink panicked while a call of it was dropped");
        }
    }
}

fn panicked() -> Error {
    Error::new(ErrorKind::Internal, "the audit sink panicked")
}
