use std::sync::Arc;

use tokio::sync::watch;

use super::lane::{Ended, Lane};
use super::parcel::{Parcel, Reason, State};
use super::shared::{Closing, Shared};
use crate::Backoff;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;
use crate::sink::{AuditSink, Receipt, Refusal};

/// The task of one lane: brings parcels to its sink, one at a time, until the fan-out is closed or
/// dropped.
pub(super) async fn run(shared: Arc<Shared>, place: usize) {
    let mut last_will = LastWill {
        shared: Arc::clone(&shared),
        place,
        is_needed: true,
    };
    let mut closing = shared.closing.subscribe();
    let given_up = tokio::select! {
        biased;
        () = time_is_up(closing.clone()) => true,
        () = work(&shared, place, &mut closing) => false,
    };
    let n_left = leave(&shared, place);
    let lane = &shared.lanes[place];
    if given_up {
        let sink = &*lane.name;
        tracing::error!(
            sink,
            n_left,
            "a lane was closed before its sink had everything"
        );
    }
    let closes_sink = shared.closing.borrow().is_some_and(|it| it.closes_sinks);
    let closed = if closes_sink {
        lane.in_time(|| lane.sink.close()).await
    } else {
        Ok(())
    };
    last_will.is_needed = false;
    lane.ended(Ended { n_left, closed });
}

async fn work(shared: &Shared, place: usize, closing: &mut watch::Receiver<Option<Closing>>) {
    let lane = &shared.lanes[place];
    loop {
        let parcel = tokio::select! {
            biased;
            parcel = lane.front() => parcel,
            _ = closing.wait_for(Option::is_some) => return,
        };
        if lane.keeps {
            bring(shared, place, &parcel).await;
        } else {
            offer(shared, place, &parcel).await;
        }
    }
}

/// Tries once; the answer is the caller's, who comes again. When the sink does not work, whoever
/// waits behind need not wait for it to be found out once more for each, and does not get before
/// those who come again.
async fn offer(shared: &Shared, place: usize, parcel: &Arc<Parcel>) {
    let lane = &shared.lanes[place];
    match lane.append(parcel.events()).await {
        Ok(appended) => {
            works(shared, place);
            let (receipts, last) = appended.into_parts();
            lane.settle_front();
            settle(shared, place, parcel, State::Answered { receipts, last });
        }
        Err(error) => {
            drop(lane.set_trouble(Some(&error)));
            if !error.is_retryable() {
                lane.settle_front();
                shared.miss(place, parcel, error, Reason::Failed);
                shared.forget(parcel);
                return;
            }
            for parcel in lane.settle_all() {
                shared.miss(place, &parcel, error.clone(), Reason::Failed);
                shared.forget(&parcel);
            }
        }
    }
}

/// Tries until the sink has it, or says that it never will.
async fn bring(shared: &Shared, place: usize, parcel: &Arc<Parcel>) {
    let state = brought(shared, place, parcel.events()).await;
    shared.lanes[place].settle_front();
    settle(shared, place, parcel, state);
}

fn settle(shared: &Shared, place: usize, parcel: &Arc<Parcel>, state: State) {
    match state {
        State::Missed(error, reason) => shared.miss(place, parcel, error, reason),
        state => shared.answered(place, parcel, state),
    }
    shared.forget(parcel);
}

/// What comes of a batch. One at which the sink fails as a whole is halved until the event at fault
/// is alone, as a logger does.
async fn brought(shared: &Shared, place: usize, events: &[AuditEvent]) -> State {
    let lane = &shared.lanes[place];
    let mut receipts = Vec::with_capacity(events.len());
    let mut last = None;
    let mut backoff = Backoff::default();
    // Where stretches end, the innermost last.
    let mut ends = vec![events.len()];
    while let Some(&end) = ends.last() {
        let tried = &events[receipts.len()..end];
        match lane.append(tried).await {
            Ok(appended) => {
                works(shared, place);
                let (answered, answer) = appended.into_parts();
                last = answer.filter(|_| answered.len() == events.len());
                receipts.extend(answered);
                ends.pop();
            }
            Err(error) if error.is_retryable() => wait(shared, place, &mut backoff, &error).await,
            Err(error) if may_be_due_to_one(&error) && tried.len() > 1 => {
                ends.push(receipts.len() + tried.len() / 2);
            }
            Err(error) if may_be_due_to_one(&error) => {
                receipts.push(refused(&error));
                ends.pop();
            }
            Err(error) => {
                drop(lane.set_trouble(Some(&error)));
                if receipts.is_empty() {
                    return State::Missed(error, Reason::Failed);
                }
                receipts.resize(events.len(), refused(&error));
                ends.clear();
            }
        }
    }
    State::Answered { receipts, last }
}

/// Tells everybody in the lane that the sink does not work, and waits before it is tried again.
async fn wait(shared: &Shared, place: usize, backoff: &mut Backoff, error: &Error) {
    let lane = &shared.lanes[place];
    lane.meters.retried();
    let named = lane.named(error.clone());
    for parcel in lane.set_trouble(Some(error)) {
        parcel.delay(place, &named);
    }
    let pause = backoff.next_wait();
    if backoff.is_worth_telling() {
        let (sink, retries) = (&*lane.name, backoff.n_failures());
        tracing::warn!(
            sink,
            %error,
            retries,
            "a sink of a fan-out is unavailable, its events are waiting"
        );
    }
    tokio::time::sleep(pause).await;
}

fn works(shared: &Shared, place: usize) {
    let lane = &shared.lanes[place];
    if lane.trouble().is_none() {
        return;
    }
    for parcel in lane.set_trouble(None) {
        parcel.reopen(place);
    }
    if lane.keeps {
        tracing::info!(sink = &*lane.name, "a sink of a fan-out works again");
    }
}

fn refused(error: &Error) -> Receipt {
    let reason = format!("the sink fails at the event: {error}");
    Receipt::Refused(Refusal::unstorable(reason))
}

/// Whether the batch may succeed without one of its events.
fn may_be_due_to_one(error: &Error) -> bool {
    error.is_rejected() || error.kind() == ErrorKind::Internal
}

/// Lets nothing in any more; how many events are still there.
fn leave(shared: &Shared, place: usize) -> usize {
    let mut n_left = 0;
    for parcel in shared.lanes[place].end() {
        n_left += parcel.events().len();
        shared.miss(place, &parcel, unfinished(), Reason::Closed);
        shared.forget(&parcel);
    }
    n_left
}

async fn time_is_up(mut closing: watch::Receiver<Option<Closing>>) {
    let closing = closing.wait_for(Option::is_some).await.map(|it| *it);
    if let Ok(Some(closing)) = closing {
        tokio::time::sleep(closing.within).await;
    }
}

fn unfinished() -> Error {
    let text = "the fan-out ended before the sink had the batch";
    Error::new(ErrorKind::Closed, text)
}

/// Ends the lane with its task, also when a runtime takes the task along.
struct LastWill {
    shared: Arc<Shared>,
    place: usize,
    is_needed: bool,
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if !self.is_needed {
            return;
        }
        let n_left = leave(&self.shared, self.place);
        let lane: &Lane = &self.shared.lanes[self.place];
        tracing::error!(
            sink = &*lane.name,
            n_left,
            "the runtime ended before a fan-out was closed"
        );
        let closed = Err(Error::new(
            ErrorKind::Closed,
            "the runtime ended before the fan-out was closed",
        ));
        lane.ended(Ended { n_left, closed });
    }
}
