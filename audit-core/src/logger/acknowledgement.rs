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
    /// It is on the disk of this machine, on its way to the store.
    Spooled,
    /// The sink stored it.
    Stored,
}

impl Recorded {
    /// Whether the sink has the record, as safely as it promises.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::AlreadyStored | Self::Spooled | Self::Stored)
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

/// Both answers to a record, of a sink that answers twice; elsewhere the same answer twice.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "await what you need; both may be dropped"]
pub struct Acknowledgements {
    /// The sink keeps the record: a spool has it on the disk.
    pub kept: Acknowledgement,
    /// The last store has the record, and readers see it.
    pub last: Acknowledgement,
}

/// The other end of an acknowledgement.
pub(super) type Answer = oneshot::Sender<Result<Recorded, Error>>;

/// The callers of a record who wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Waits for the sink.
    pub(super) kept: Option<Answer>,
    /// Waits for the last store.
    pub(super) last: Option<Answer>,
}

/// Which answers a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Both,
    Kept,
    Last,
    Nothing,
}

impl Asked {
    /// The ends for the queue, and those for the caller; what is not asked for is answered.
    pub(super) fn channels(self) -> (Answers, Acknowledgements) {
        let channel = |is_asked: bool| {
            if !is_asked {
                return (None, Acknowledgement::answered(Ok(Recorded::Queued)));
            }
            let (answer, acknowledgement) = Acknowledgement::waiting();
            (Some(answer), acknowledgement)
        };
        let (for_kept, kept) = channel(matches!(self, Self::Both | Self::Kept));
        let (for_last, last) = channel(matches!(self, Self::Both | Self::Last));
        let answers = Answers {
            kept: for_kept,
            last: for_last,
        };
        (answers, Acknowledgements { kept, last })
    }
}

impl Acknowledgements {
    /// The same answer to both.
    pub(super) fn answered(answer: &Result<Recorded, Error>) -> Self {
        Self {
            kept: Acknowledgement::answered(answer.clone()),
            last: Acknowledgement::answered(answer.clone()),
        }
    }

    /// The one that was asked for.
    pub(super) fn only(self, asked: Asked) -> Acknowledgement {
        match asked {
            Asked::Last => self.last,
            Asked::Both | Asked::Kept | Asked::Nothing => self.kept,
        }
    }
}

impl Answers {
    /// Gives everybody who still waits the same answer. Nobody may be listening any more: the
    /// caller left, and the record is where it is.
    pub(super) fn answer(&mut self, recorded: &Result<Recorded, Error>) {
        for answer in [self.kept.take(), self.last.take()].into_iter().flatten() {
            drop(answer.send(recorded.clone()));
        }
    }
}

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
