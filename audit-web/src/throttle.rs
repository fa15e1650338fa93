use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often something may happen: so many times at once, and then so many times a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) burst: f64,
    pub(crate) per_second: f64,
}

/// Holds everybody to a rate (token buckets). Of those who were idle long enough nothing is kept.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

/// What was left at a moment.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// The most that are told apart. Whoever comes then is refused, until others were idle long enough.
const MOST_KEYS: usize = 16_384;

impl<K: Eq + Hash> Throttle<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Lets it happen once more.
    ///
    /// # Errors
    /// It happened too often: it may again after this time.
    pub(crate) fn take(&self, key: K, now: Duration) -> Result<(), Duration> {
        let rate = self.rate;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| bucket.left_at(now, rate) < rate.burst);
            if buckets.len() >= MOST_KEYS {
                return Err(Duration::from_secs(1));
            }
        }
        let full = Bucket {
            left: rate.burst,
            at: now,
        };
        let bucket = buckets.entry(key).or_insert(full);
        let left = bucket.left_at(now, rate);
        *bucket = Bucket { left, at: now };
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / rate.per_second));
        }
        bucket.left = left - 1.0;
        Ok(())
    }

    /// Takes back that it happened: it was no reason to hold anybody back.
    pub(crate) fn forgive(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.remove(key);
    }
}

impl Bucket {
    fn left_at(self, now: Duration, rate: Rate) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        f64::min(rate.burst, passed.mul_add(rate.per_second, self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 2.0,
        per_second: 0.5,
    };

    #[test]
    fn what_happens_too_often_may_happen_again_later() {
        let throttle = Throttle::new(RATE);
        let second = Duration::from_secs(1);
        assert_eq!(throttle.take("a", second), Ok(()));
        assert_eq!(throttle.take("a", second), Ok(()));
        assert_eq!(throttle.take("a", second), Err(2 * second));
        assert_eq!(throttle.take("b", second), Ok(()), "others are others");
        assert_eq!(throttle.take("a", 2 * second), Err(second));
        assert_eq!(throttle.take("a", 3 * second), Ok(()));
        throttle.forgive(&"a");
        assert_eq!(throttle.take("a", 3 * second), Ok(()));
    }

    #[test]
    fn the_number_of_those_who_are_told_apart_is_bounded() {
        let throttle = Throttle::new(RATE);
        for key in 0..MOST_KEYS {
            assert_eq!(throttle.take(key, Duration::ZERO), Ok(()));
        }
        throttle.take(MOST_KEYS, Duration::ZERO).unwrap_err();
        assert_eq!(throttle.take(0, Duration::ZERO), Ok(()), "whoever is known");
        // The others are full again by then, and forgotten.
        let later = Duration::from_secs(3);
        assert_eq!(throttle.take(MOST_KEYS, later), Ok(()));
        assert!(throttle.buckets.lock().unwrap().len() < 4);
    }
}
