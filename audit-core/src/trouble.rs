use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Lets one line of a kind through in ten seconds: a log that is flooded tells nothing, and a
/// store that refuses everything would flood it.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Duration>,
    n_held_back: u64,
}

const PAUSE: Duration = Duration::from_secs(10);

impl Throttle {
    /// Whether to write a line now, and how many were held back since the last one.
    pub(crate) fn admits(&self, now: Duration) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state
            .last
            .is_none_or(|last| now.saturating_sub(last) >= PAUSE);
        if is_due {
            state.last = Some(now);
            return Some(std::mem::take(&mut state.n_held_back));
        }
        state.n_held_back += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_in_ten_seconds_tells_of_those_between() {
        let throttle = Throttle::default();
        let at = |millis| throttle.admits(Duration::from_millis(millis));
        assert_eq!(at(5), Some(0));
        assert_eq!((at(6), at(10_004)), (None, None));
        assert_eq!(at(10_005), Some(2));
        assert_eq!(at(20_004), None);
        assert_eq!(at(30_000), Some(1));
    }
}
