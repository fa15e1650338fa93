use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seats for what stays a while: streams, connections. Nobody takes them all, or everybody else would be
/// kept out.
#[derive(Debug)]
pub(crate) struct Seats<K> {
    most: usize,
    most_of_one: usize,
    taken: Mutex<HashMap<K, usize>>,
}

/// One seat, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat<K: Eq + Hash> {
    seats: Arc<Seats<K>>,
    of: K,
}

impl<K: Clone + Eq + Hash> Seats<K> {
    /// So many seats, and so many for one.
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            most,
            most_of_one,
            taken: Mutex::new(HashMap::new()),
        }
    }

    /// A seat, if there is one for this one.
    pub(crate) fn take(self: &Arc<Self>, of: K) -> Option<Seat<K>> {
        let mut taken = self.taken();
        let n_own = taken.get(&of).copied().unwrap_or_default();
        if n_own >= self.most_of_one || taken.values().sum::<usize>() >= self.most {
            return None;
        }
        taken.insert(of.clone(), n_own + 1);
        let seats = Arc::clone(self);
        Some(Seat { seats, of })
    }
}

impl<K> Seats<K> {
    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Nothing panics between two changes that belong together.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        let Some(n_taken) = taken.get_mut(&self.of) else {
            return;
        };
        *n_taken -= 1;
        if *n_taken == 0 {
            taken.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_seats() {
        let seats = Arc::new(Seats::new(6, 4));
        let take = |of, n| -> Vec<_> { (0..n).map_while(|_| seats.take(of)).collect() };
        let greedy = take("greedy", 6);
        assert_eq!(greedy.len(), 4);
        let other = take("other", 6);
        assert_eq!(other.len(), 2);
        assert_eq!(take("third", 1).len(), 0, "all are taken");
        drop(greedy);
        assert_eq!(take("third", 1).len(), 1);
        drop(other);
        assert!(seats.taken().is_empty(), "nothing is kept of who has left");
    }
}
