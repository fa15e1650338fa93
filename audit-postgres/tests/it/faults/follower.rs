//! Somebody who follows the store through whatever happens to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_core::AuditReader;
use audit_core::reader::{Filter, FollowFrom, FollowRequest};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::soon;

/// Follows from the beginning, and goes on where it was after each failure.
pub(super) struct Follower {
    reader: Arc<Mutex<Arc<dyn AuditReader>>>,
    followed: watch::Receiver<Vec<Uuid>>,
    task: JoinHandle<()>,
}

impl Follower {
    pub(super) fn start(reader: impl AuditReader) -> Self {
        let reader: Arc<dyn AuditReader> = Arc::new(reader);
        let reader = Arc::new(Mutex::new(reader));
        let (sender, followed) = watch::channel(Vec::new());
        let task = tokio::spawn(follow(Arc::clone(&reader), sender));
        Self {
            reader,
            followed,
            task,
        }
    }

    /// The store is to be found elsewhere from now on.
    pub(super) fn move_to(&self, reader: impl AuditReader) {
        *self.reader.lock().expect("nobody panics") = Arc::new(reader);
    }

    /// Waits until it has seen as many events as are stored, and then holds it to these.
    pub(super) async fn settle(mut self, stored: &BTreeSet<Uuid>) {
        let all = self.followed.wait_for(|seen| seen.len() >= stored.len());
        let followed = soon("the rest of what is followed", all).await;
        let followed = followed.expect("the follower does not panic").clone();
        self.task.abort();
        let distinct: BTreeSet<Uuid> = followed.iter().copied().collect();
        let n_missed = stored.difference(&distinct).count();
        let n_repeated = followed.len() - distinct.len();
        eprintln!(
            "    a follower saw {} events, {n_missed} missed, {n_repeated} repeated",
            followed.len()
        );
        assert_eq!((n_missed, n_repeated), (0, 0));
        assert_eq!(followed.len(), stored.len(), "it saw what is not stored");
    }
}

async fn follow(reader: Arc<Mutex<Arc<dyn AuditReader>>>, followed: watch::Sender<Vec<Uuid>>) {
    let mut from = FollowFrom::Beginning;
    loop {
        let reader = Arc::clone(&reader.lock().expect("nobody panics"));
        let request = FollowRequest::new(Filter::all()).from(from.clone());
        match reader
            .follow(&request.wait(Duration::from_millis(500)))
            .await
        {
            Ok(next) => {
                let ids = next.events.iter().map(|it| *it.event.id.as_uuid());
                followed.send_modify(|seen| seen.extend(ids));
                from = FollowFrom::After(next.position);
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error:?}");
                // A pause between tries, as every caller makes.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
