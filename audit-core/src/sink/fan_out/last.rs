use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use super::parcel::{Final, Parcel};
use super::rule::{FanOutRule, Word};
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::sink::Receipt;

/// What the last stores answer to a batch, by the rule. A sink that answers once has no other
/// answer than its first one.
pub(super) async fn last_answer(
    rule: FanOutRule,
    parcel: Arc<Parcel>,
    forwards: Vec<bool>,
) -> Result<Vec<Receipt>, Error> {
    let mut changes = parcel.changes();
    let mut stores: Vec<_> = forwards.into_iter().map(LastStore::new).collect();
    loop {
        for (store, answer) in stores.iter_mut().zip(parcel.take_answers()) {
            store.look(answer);
        }
        let words: Vec<_> = stores.iter().map(LastStore::word).collect();
        if let Some(answer) = rule.decide(parcel.events().len(), &words) {
            return answer;
        }
        tokio::select! {
            biased;
            () = one_answers(&mut stores) => {}
            _ = changes.changed() => {}
        }
    }
}

/// The last store behind one sink.
struct LastStore {
    forwards: bool,
    answer: Answer,
}

enum Answer {
    Came(Result<Vec<Receipt>, Error>),
    /// The sink itself has not answered.
    None,
    ToCome(Pin<Box<Contained<'static, Vec<Receipt>>>>),
}

impl LastStore {
    fn new(forwards: bool) -> Self {
        Self {
            forwards,
            answer: Answer::None,
        }
    }

    fn look(&mut self, first: Option<Final>) {
        let (Answer::None, Some(first)) = (&self.answer, first) else {
            return;
        };
        self.answer = match first {
            Ok((_, Some(last))) => Answer::ToCome(Box::pin(Contained::new(|| last))),
            Ok((receipts, None)) if !self.forwards => Answer::Came(Ok(receipts)),
            Ok((_, None)) => Answer::Came(Err(unknown())),
            Err(error) => Answer::Came(Err(error)),
        };
    }

    fn word(&self) -> Word<'_> {
        match &self.answer {
            Answer::Came(Ok(receipts)) => Word::Answered(receipts),
            Answer::Came(Err(error)) => Word::Failed(error),
            Answer::None | Answer::ToCome(_) => Word::Pending,
        }
    }
}

/// Waits for the next answer of a last store.
async fn one_answers(stores: &mut [LastStore]) {
    poll_fn(|context| {
        for store in &mut *stores {
            if let Answer::ToCome(answer) = &mut store.answer
                && let Poll::Ready(came) = answer.as_mut().poll(context)
            {
                store.answer = Answer::Came(came);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

/// A batch that had to be taken apart has no one answer.
fn unknown() -> Error {
    let text = "the answer of the last store will not be known here";
    Error::new(ErrorKind::Unavailable, text)
}
