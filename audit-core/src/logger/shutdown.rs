use std::time::Duration;

use tokio::sync::watch;

use super::audit_logger::Shared;
use super::batcher::Finished;
use crate::error::Error;
use crate::event::AuditEvent;

/// How a shutdown ended: what is where.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Records of this logger that its sink holds: stored by it or there before.
    pub n_stored: u64,
    /// Records that the sink refused or failed at for good; their callers were told, and a loss
    /// event says so.
    pub n_refused: u64,
    /// Records that were not stored before the deadline. The logger gives them back: they are
    /// nowhere else, unless an append that did not answer stored them all the same. Appending
    /// them to a sink stores each once.
    pub unstored: Vec<AuditEvent>,
    /// Calls that had not ended at the deadline; they will not be recorded, but as interrupted if
    /// they were announced.
    pub n_open_calls: usize,
    /// Records that the sink keeps and its last store does not have yet: they are safe, and whoever
    /// opens that spool next sends them on. What other loggers wrote to the sink counts too.
    pub n_forwarding: u64,
    /// Records that were lost before and of which no loss event tells, because the sink did not
    /// take it.
    pub n_untold_losses: u64,
    /// Why the sink could not be flushed, if so.
    pub flush_error: Option<Error>,
}

impl ShutdownReport {
    /// Whether every call was recorded, and nothing remained.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.n_refused == 0
            && self.n_untold_losses == 0
            && self.unstored.is_empty()
            && self.n_open_calls == 0
            && self.flush_error.is_none()
    }
}

pub(super) async fn shutdown(
    shared: &Shared,
    mut finished: watch::Receiver<Option<Finished>>,
    give_up: &watch::Sender<bool>,
    deadline: Duration,
) -> ShutdownReport {
    shared.queue.drain();
    let timer = shared.sleep(deadline);
    tokio::select! {
        biased;
        end = end_of_work(&mut finished) => return report(shared, end),
        () = timer => {}
    }
    give_up.send_replace(true);
    report(shared, end_of_work(&mut finished).await)
}

/// The task tells its end, whatever ends it.
async fn end_of_work(finished: &mut watch::Receiver<Option<Finished>>) -> Finished {
    match finished.wait_for(Option::is_some).await {
        Ok(end) => end.clone().unwrap_or_default(),
        Err(_) => Finished::default(),
    }
}

fn report(shared: &Shared, end: Finished) -> ShutdownReport {
    let meters = &shared.meters;
    shared.publish();
    ShutdownReport {
        n_stored: meters.stored.get() + meters.duplicates.get(),
        n_refused: meters.refused.get() + meters.failed.get(),
        n_forwarding: shared
            .forwarding()
            .map_or(0, |forwarding| forwarding.n_events),
        n_untold_losses: shared.losses.n_untold(),
        unstored: end.unstored,
        n_open_calls: end.n_open_calls,
        flush_error: end.flush_error,
    }
}
