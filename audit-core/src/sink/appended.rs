use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::receipt::Receipt;
use crate::error::Error;

/// The receipts of a batch, one for each event, in the order of the batch; of a sink that answers
/// twice also the answer that is still to come.
#[derive(Debug)]
#[must_use = "a refused event is lost unless somebody looks"]
pub struct Appended {
    receipts: Vec<Receipt>,
    last_answer: Option<LastAnswer>,
}

/// What the last store will answer to a batch that a sink has taken on its way: the receipts of
/// the whole batch, in its order.
///
/// An error means that this process will not learn the answer: the events stay where the sink keeps
/// them, and whoever takes them over sends them on.
///
/// # Cancel safety
/// May be dropped at any time; only the answer is lost.
#[must_use = "drop it if nobody waits for the last store"]
pub struct LastAnswer(Pin<Box<dyn Future<Output = Result<Vec<Receipt>, Error>> + Send>>);

impl Appended {
    /// One receipt for each event, in the order of the batch.
    pub const fn new(receipts: Vec<Receipt>) -> Self {
        Self {
            receipts,
            last_answer: None,
        }
    }

    /// Every event of a batch of `n_events` was stored.
    pub fn all_stored(n_events: usize) -> Self {
        Self::new(vec![Receipt::Stored; n_events])
    }

    /// The same, with an answer of the last store to come.
    pub fn with_last_answer(mut self, last_answer: LastAnswer) -> Self {
        self.last_answer = Some(last_answer);
        self
    }

    /// The receipts.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The receipts, to keep; nobody waits for an answer of the last store.
    #[must_use]
    pub fn into_receipts(self) -> Vec<Receipt> {
        self.receipts
    }

    /// The receipts, to keep, and the answer that is still to come.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Receipt>, Option<LastAnswer>) {
        (self.receipts, self.last_answer)
    }

    /// The receipts of the last store: waits for the second answer, where there is one.
    ///
    /// # Errors
    /// The answer will not come to this process; the events stay with the sink.
    ///
    /// # Cancel safety
    /// Dropped early, only the answer is lost.
    pub async fn last(self) -> Result<Vec<Receipt>, Error> {
        match self.last_answer {
            Some(answer) => answer.await,
            None => Ok(self.receipts),
        }
    }

    /// Whether the sink has every event of the batch now.
    #[must_use]
    pub fn is_all_kept(&self) -> bool {
        self.receipts.iter().all(Receipt::is_kept)
    }
}

impl LastAnswer {
    /// The answer that this future brings.
    pub fn new(answer: impl Future<Output = Result<Vec<Receipt>, Error>> + Send + 'static) -> Self {
        Self(Box::pin(answer))
    }
}

impl Future for LastAnswer {
    type Output = Result<Vec<Receipt>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for LastAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastAnswer")
    }
}
