//! Following the trail for many at once.
//!
//! One follower (the hub) reads what is committed and keeps the last of it in a ring; every
//! [`LiveStream`] takes from there, and reads the store itself only for what the ring has no more:
//! after a reconnect, or when its client is slow. The store's order is one order for all; so a stream
//! that reads the store has met the ring as soon as it reads an event that the ring holds, and from
//! there on nothing is missed and nothing comes twice.

mod frame;
mod hub;
mod ring;
mod stream;

pub(crate) use hub::Hubs;
pub(crate) use stream::{Begin, LiveStream};
