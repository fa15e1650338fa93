use tokio::sync::mpsc;

use super::acknowledgement::{Answer, Recorded};
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::sink::{LastAnswer, Receipt};

/// The callers of a batch who wait for the last store, by their place in it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) answer: LastAnswer,
    pub(super) callers: Vec<(usize, Answer)>,
}

/// Hands the last store's answers on, batch by batch: a sink sends events on in the order in which
/// it took them, so no answer waits behind one that comes later.
///
/// A task of its own, since the batcher goes on meanwhile. It ends with the batcher and the last
/// caller who waits.
pub(super) async fn hand_on(mut batches: mpsc::UnboundedReceiver<Waiting>) {
    while let Some(Waiting { answer, callers }) = batches.recv().await {
        let answered = Contained::new(|| answer).await;
        for (place, caller) in callers {
            let recorded = match &answered {
                Ok(receipts) => receipts.get(place).map_or_else(|| Err(short()), recorded),
                Err(error) => Err(error.clone()),
            };
            // Nobody may be listening any more.
            drop(caller.send(recorded));
        }
    }
}

fn recorded(receipt: &Receipt) -> Result<Recorded, Error> {
    match receipt {
        Receipt::Stored => Ok(Recorded::Stored),
        Receipt::AlreadyStored => Ok(Recorded::AlreadyStored),
        Receipt::Refused(refusal) => Err(refusal.clone().into()),
    }
}

fn short() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the sink did not answer for each event of a batch",
    )
}
