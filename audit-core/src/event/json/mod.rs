//! The JSON form of an event: what is written, and how it is read back.

mod read;
mod write;

pub use read::InvalidEvent;

/// The version of the JSON form that this crate writes, and the newest that it reads.
///
/// A new optional field does not raise it: readers pass over what they do not know. A field that
/// changes its meaning does, and so does a new [`Outcome`](super::Outcome).
pub const SCHEMA_VERSION: u32 = 1;
