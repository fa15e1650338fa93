use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Sleep;

use super::builder::Overload;
use crate::error::{Error, ErrorKind};

/// The room that a queue has, by count and bytes, and the calls that hold some of it.
///
/// Room is reserved before it is used, so that a call that has begun can always be recorded.
#[derive(Debug)]
pub(super) struct Room {
    slots: Semaphore,
    bytes: Semaphore,
    /// Calls that hold or wait for room and have not been recorded yet.
    n_open: AtomicUsize,
    /// Wakes whoever waits for the last open call.
    changed: Arc<Notify>,
}

/// Room for one record; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    room: Arc<Room>,
    bytes: usize,
    is_spent: bool,
}

impl Room {
    pub(super) fn new(max_events: usize, max_bytes: usize, changed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            slots: Semaphore::new(max_events),
            bytes: Semaphore::new(max_bytes),
            n_open: AtomicUsize::new(0),
            changed,
        })
    }

    /// Room for a record of at most `bytes`; `None` if there is none and records are shed.
    ///
    /// Cancel safe: dropped while it waits, it holds nothing.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        bytes: u32,
        overload: Overload,
        timer: impl FnOnce(Duration) -> Sleep,
    ) -> Result<Option<Reservation>, Error> {
        // Counted before room is asked for: whoever drains the queue waits for this call too.
        let open = OpenCount::new(self);
        if self.try_take(bytes)? {
            return Ok(Some(open.into_reservation(bytes)));
        }
        match overload {
            Overload::Reject => Err(overloaded("the audit queue is full")),
            Overload::Shed => Ok(None),
            Overload::Wait(max) => {
                self.take(bytes, timer(max)).await?;
                Ok(Some(open.into_reservation(bytes)))
            }
        }
    }

    /// Takes room back that records held.
    pub(super) fn give_back(&self, n_events: usize, n_bytes: usize) {
        self.bytes.add_permits(n_bytes);
        self.slots.add_permits(n_events);
    }

    /// Gives no more room; whoever waits for some is told.
    pub(super) fn close(&self) {
        self.slots.close();
        self.bytes.close();
    }

    /// Whether a record of at most `bytes` would find room now.
    pub(super) fn has_room(&self, bytes: u32) -> bool {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.slots.available_permits() > 0 && self.bytes.available_permits() >= bytes
    }

    /// Calls that hold or wait for room and have not been recorded yet.
    pub(super) fn n_open(&self) -> usize {
        self.n_open.load(Ordering::SeqCst)
    }

    /// Both kinds of room at once, or neither.
    fn try_take(&self, bytes: u32) -> Result<bool, Error> {
        use tokio::sync::TryAcquireError::{Closed, NoPermits};

        let slot = match self.slots.try_acquire() {
            Ok(slot) => slot,
            Err(NoPermits) => return Ok(false),
            Err(Closed) => return Err(closed()),
        };
        match self.bytes.try_acquire_many(bytes) {
            Ok(room) => {
                slot.forget();
                room.forget();
                Ok(true)
            }
            Err(NoPermits) => Ok(false),
            Err(Closed) => Err(closed()),
        }
    }

    async fn take(&self, bytes: u32, too_long: Sleep) -> Result<(), Error> {
        let both = async {
            let slot = self.slots.acquire().await.map_err(|_| closed())?;
            let room = self.bytes.acquire_many(bytes).await.map_err(|_| closed())?;
            slot.forget();
            room.forget();
            Ok(())
        };
        tokio::select! {
            biased;
            taken = both => taken,
            () = too_long => Err(overloaded("the audit queue stayed full for as long as a call may wait")),
        }
    }

    fn call_ended(&self) {
        let was_last = self.n_open.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.slots.is_closed() {
            self.changed.notify_one();
        }
    }
}

impl Reservation {
    /// Calls `enter` with what a record of this size holds on to, and ends the call. What it does
    /// not need is given back; the rest is the record's own from now on.
    pub(super) fn spend<T>(mut self, bytes: usize, enter: impl FnOnce(usize) -> T) -> T {
        let held = std::cmp::min(bytes, self.bytes);
        let entered = enter(held);
        self.is_spent = true;
        self.room.bytes.add_permits(self.bytes - held);
        // Behind `enter`: until the record is in the queue, the queue waits for this call.
        self.room.call_ended();
        entered
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.is_spent {
            self.room.give_back(1, self.bytes);
            self.room.call_ended();
        }
    }
}

/// Counts a call as open until it is dropped or has its room.
struct OpenCount<'a> {
    room: &'a Arc<Room>,
    is_handed_on: bool,
}

impl<'a> OpenCount<'a> {
    fn new(room: &'a Arc<Room>) -> Self {
        room.n_open.fetch_add(1, Ordering::SeqCst);
        Self {
            room,
            is_handed_on: false,
        }
    }

    fn into_reservation(mut self, bytes: u32) -> Reservation {
        self.is_handed_on = true;
        // Every platform of tokio's has pointers of 32 bits or more.
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Reservation {
            room: Arc::clone(self.room),
            bytes,
            is_spent: false,
        }
    }
}

impl Drop for OpenCount<'_> {
    fn drop(&mut self) {
        if !self.is_handed_on {
            self.room.call_ended();
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the audit logger was shut down")
}

fn overloaded(message: &'static str) -> Error {
    Error::new(ErrorKind::Overloaded, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: [Overload; 2] = [Overload::Reject, Overload::Shed];

    fn room(max_events: usize, max_bytes: usize) -> Arc<Room> {
        Room::new(max_events, max_bytes, Arc::default())
    }

    async fn reserve(room: &Arc<Room>, bytes: u32, overload: Overload) -> Option<Reservation> {
        let reserved = room.reserve(bytes, overload, tokio::time::sleep).await;
        reserved.unwrap_or_else(|error| {
            assert_eq!(error.kind(), ErrorKind::Overloaded);
            None
        })
    }

    fn free(room: &Room) -> (usize, usize) {
        (
            room.slots.available_permits(),
            room.bytes.available_permits(),
        )
    }

    #[tokio::test]
    async fn a_call_that_finds_too_few_bytes_keeps_no_slot() {
        for overload in NO_WAIT {
            let room = room(3, 10);
            let held = reserve(&room, 6, overload).await;
            for _ in 0..9 {
                assert!(reserve(&room, 6, overload).await.is_none());
            }
            assert_eq!((free(&room), room.n_open()), ((2, 4), 1), "{overload:?}");
            drop(held);
            let mut all = Vec::new();
            for _ in 0..3 {
                all.push(reserve(&room, 3, overload).await.unwrap());
            }
            assert!(reserve(&room, 1, overload).await.is_none(), "{overload:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_for_bytes_in_vain_keeps_no_slot() {
        let room = room(3, 10);
        let _held = reserve(&room, 6, Overload::Reject).await.unwrap();
        let wait = Overload::Wait(Duration::from_secs(3));
        assert!(reserve(&room, 6, wait).await.is_none());
        assert_eq!((free(&room), room.n_open()), ((2, 4), 1));
    }

    #[tokio::test]
    async fn room_that_is_not_used_comes_back_whole() {
        let room = room(2, 10);
        for _ in 0..9 {
            let held = reserve(&room, 7, Overload::Reject).await.unwrap();
            assert_eq!((free(&room), room.n_open()), ((1, 3), 1));
            drop(held);
            assert_eq!((free(&room), room.n_open()), ((2, 10), 0));
        }
    }

    #[tokio::test]
    async fn a_record_keeps_its_slot_and_the_bytes_that_it_takes() {
        for (bytes, held) in [(3, 3), (7, 7), (9, 7)] {
            let room = room(2, 10);
            let reserved = reserve(&room, 7, Overload::Reject).await.unwrap();
            let told = reserved.spend(bytes, |told| (told, room.n_open()));
            assert_eq!(told, (held, 1), "the queue waits until it has the record");
            assert_eq!((free(&room), room.n_open()), ((1, 10 - held), 0));
            room.give_back(1, held);
            assert_eq!(free(&room), (2, 10));
        }
    }

    #[tokio::test]
    async fn there_is_room_only_with_a_slot_and_enough_bytes() {
        let room = room(2, 10);
        let _first = reserve(&room, 4, Overload::Reject).await.unwrap();
        assert!(room.has_room(6) && !room.has_room(7));
        let _second = reserve(&room, 1, Overload::Reject).await.unwrap();
        assert!(!room.has_room(1), "no slot is left");
    }

    #[tokio::test]
    async fn whoever_drains_is_woken_by_the_last_call_alone() {
        let changed = Arc::new(Notify::new());
        let room = Room::new(2, 10, Arc::clone(&changed));
        let is_woken = || async {
            let woken = tokio::time::timeout(Duration::ZERO, changed.notified());
            woken.await.is_ok()
        };
        let calls = [
            reserve(&room, 1, Overload::Reject).await.unwrap(),
            reserve(&room, 1, Overload::Reject).await.unwrap(),
        ];
        room.close();
        let [first, last] = calls;
        drop(first);
        assert!(!is_woken().await);
        drop(last);
        assert!(is_woken().await);
    }
}
