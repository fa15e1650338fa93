use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::moment::{Fault, Happening, Moment};

/// A fault that is armed, and then has come about.
#[derive(Clone, Debug)]
pub struct Trip {
    has_fired: watch::Receiver<bool>,
}

impl Trip {
    /// Waits until the moment has come and the fault was begun. For ever, if the proxy is dropped
    /// before: a test that waits for what cannot come should not go on.
    pub async fn fired(&self) {
        let mut has_fired = self.has_fired.clone();
        if has_fired.wait_for(|&has| has).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it has come.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        *self.has_fired.borrow()
    }
}

/// All faults that wait for their moment.
#[derive(Debug, Default)]
pub(super) struct Trips {
    armed: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    moment: Moment,
    fault: Fault,
    has_fired: watch::Sender<bool>,
}

impl Trips {
    pub(super) fn arm(&self, moment: Moment, fault: Fault) -> Trip {
        let (sender, has_fired) = watch::channel(false);
        self.lock().push(Armed {
            moment,
            fault,
            has_fired: sender,
        });
        Trip { has_fired }
    }

    /// The fault whose moment this is, if there is one.
    pub(super) fn fault_at(&self, happening: &Happening<'_>) -> Option<Fault> {
        let mut armed = self.lock();
        let mut due = None;
        for (position, trip) in armed.iter_mut().enumerate() {
            if !trip.moment.is_it(happening) {
                continue;
            }
            match NonZeroUsize::new(trip.moment.n_left.get() - 1) {
                Some(n_left) => trip.moment.n_left = n_left,
                None => {
                    due = Some(position);
                    break;
                }
            }
        }
        let trip = armed.remove(due?);
        trip.has_fired.send_replace(true);
        Some(trip.fault)
    }

    /// Whether any of them waits for a whole answer.
    pub(super) fn want_whole_answers(&self) -> bool {
        let armed = self.lock();
        armed.iter().any(|trip| trip.moment.is_of_whole_answers())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
