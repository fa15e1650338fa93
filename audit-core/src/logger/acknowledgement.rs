use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind};

/// What became of a record, as far as its caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// The store had it before, with the same content.
    AlreadyStored,
    /// It waits in memory; more was not asked for.
    Queued,
    /// The queue was full and the logger sheds: it is not recorded, but counted by a loss event.
    Shed,
    /// The sink stored it.
    Stored,
}

impl Recorded {
    /// Whether the sink has the record, as safely as it promises.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::AlreadyStored | Self::Stored)
    }
}

/// The answer to a record: await it for the durability that was asked for.
///
/// Whether it is awaited or dropped, the record is on its way and is stored once.
///
/// # Cancel safety
/// May be dropped at any time; only the answer is lost.
#[derive(Debug)]
#[must_use = "await it for the durability that was asked for, or `detach` it"]
pub struct Acknowledgement(State);

#[derive(Debug)]
enum State {
    Answered(Result<Recorded, Error>),
    Waiting(oneshot::Receiver<Result<Recorded, Error>>),
}

/// The other end of an acknowledgement.
pub(super) type Answer = oneshot::Sender<Result<Recorded, Error>>;

impl Acknowledgement {
    pub(super) const fn answered(answer: Result<Recorded, Error>) -> Self {
        Self(State::Answered(answer))
    }

    pub(super) fn waiting() -> (Answer, Self) {
        let (answer, receiver) = oneshot::channel();
        (answer, Self(State::Waiting(receiver)))
    }

    /// Lets the record go its way without waiting for the answer.
    pub fn detach(self) {}
}

impl Future for Acknowledgement {
    type Output = Result<Recorded, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Answered(answer) => Poll::Ready(answer.clone()),
            State::Waiting(receiver) => Pin::new(receiver).poll(context).map(|answer| {
                answer.unwrap_or_else(|_| {
                    Err(Error::new(
                        ErrorKind::Closed,
                        "the logger's runtime ended before the event was stored",
                    ))
                })
            }),
        }
    }
}
