use std::collections::HashMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit_core::event::ApiKeyId;
use audit_core::{Clock, SystemClock};

const MINUTE: Duration = Duration::from_secs(60);

/// The answer of a limiter, when it comes.
pub type Taken<'a> = Pin<Box<dyn Future<Output = Result<Quota, LimiterDown>> + Send + 'a>>;

/// Who counts how often a key calls. In production this is often a server of its own, which may be
/// down: that is an error, and no refusal.
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Counts one call of a key that may make `limit` in a minute.
    fn take<'a>(&'a self, key: &'a ApiKeyId, limit: u32) -> Taken<'a>;
}

/// Whether a call may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "limiters of others make it")]
pub struct Quota {
    /// Whether it may.
    pub is_allowed: bool,
    /// How many more may.
    pub remaining: u32,
    /// When the count begins anew.
    pub resets_in: Duration,
}

/// The limiter does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "limiters of others make it")]
pub struct LimiterDown;

/// Counts in memory, by windows of a minute that begin with a key's first call.
#[derive(Debug)]
pub struct FixedWindow<C = SystemClock> {
    clock: C,
    windows: Mutex<HashMap<ApiKeyId, Window>>,
}

#[derive(Debug)]
struct Window {
    began: Duration,
    n_calls: u32,
}

impl<C: Clock> FixedWindow<C> {
    /// Counts by this clock.
    pub fn new(clock: C) -> Self {
        Self {
            clock,
            windows: Mutex::default(),
        }
    }

    fn count(&self, key: &ApiKeyId, limit: u32) -> Quota {
        let now = self.clock.monotonic();
        // Keys are those of the file: the map does not grow beyond them.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(key.clone()).or_insert(Window {
            began: now,
            n_calls: 0,
        });
        if now.saturating_sub(window.began) >= MINUTE {
            *window = Window {
                began: now,
                n_calls: 0,
            };
        }
        let is_allowed = window.n_calls < limit;
        window.n_calls += u32::from(is_allowed);
        Quota {
            is_allowed,
            remaining: limit.saturating_sub(window.n_calls),
            resets_in: MINUTE.saturating_sub(now.saturating_sub(window.began)),
        }
    }
}

impl Default for FixedWindow {
    fn default() -> Self {
        Self::new(SystemClock::new())
    }
}

impl<C: Clock> RateLimiter for FixedWindow<C> {
    fn take<'a>(&'a self, key: &'a ApiKeyId, limit: u32) -> Taken<'a> {
        Box::pin(std::future::ready(Ok(self.count(key, limit))))
    }
}

#[cfg(test)]
mod tests {
    use audit_testkit::ManualClock;

    use super::*;

    #[test]
    fn a_key_may_call_so_often_in_a_minute() {
        let clock = ManualClock::default();
        let limiter = FixedWindow::new(clock.clone());
        let [one, other] = ["k_1", "k_2"].map(|key| ApiKeyId::new(key).unwrap());
        let take = |key| {
            let quota = limiter.count(key, 2);
            (quota.is_allowed, quota.remaining)
        };
        assert_eq!(
            [take(&one), take(&one), take(&one)],
            [(true, 1), (true, 0), (false, 0)]
        );
        assert_eq!(take(&other), (true, 1));
        clock.advance(Duration::from_secs(59));
        assert!(!limiter.count(&one, 2).is_allowed);
        assert_eq!(limiter.count(&one, 2).resets_in, Duration::from_secs(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(take(&one), (true, 1));
    }
}
