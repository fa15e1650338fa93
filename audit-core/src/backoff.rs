use std::time::Duration;

use rand::RngExt as _;

/// Waits between the tries of a sink that is unavailable: exponential with full jitter, so that
/// many loggers do not come back at the same moment. From 10 ms to 5 s, without a limit on tries.
///
/// For sinks that wrap a sink; a logger has its own.
///
/// Source: "Exponential Backoff and Jitter", Marc Brooker, AWS Architecture Blog, 2015.
#[derive(Debug, Default)]
pub struct Backoff {
    n_failures: u32,
}

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    /// Counts a failure: how long to wait before the next try.
    pub fn next_wait(&mut self) -> Duration {
        let factor = 1_u32.checked_shl(self.n_failures).unwrap_or(u32::MAX);
        self.n_failures = self.n_failures.saturating_add(1);
        let most = std::cmp::min(FIRST.saturating_mul(factor), LONGEST);
        rand::rng().random_range(Duration::ZERO..=most)
    }

    /// Whether this failure should be told: the first, and then ever more rarely.
    #[must_use]
    pub fn is_worth_telling(&self) -> bool {
        self.n_failures.is_power_of_two()
    }

    /// How often it failed since it last worked.
    #[must_use]
    pub fn n_failures(&self) -> u32 {
        self.n_failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound() {
        let mut backoff = Backoff::default();
        for failures in 0..200_u32 {
            let most = FIRST.as_millis() << std::cmp::min(failures, 20);
            let wait = backoff.next_wait();
            assert!(
                wait.as_millis() <= most && wait <= LONGEST,
                "{failures}: {wait:?}"
            );
        }
    }
}
