//! The proof by crash: a program under load is killed at random moments, again and again, and what
//! its callers were told is compared with what the store holds.
//!
//! [`prove`] is the whole of it: rounds, in each of which a [`victim`] is started under load and
//! killed, a last run that recovers, and a [`Verdict`]. The program `audit-crash` runs it, and is
//! the victim too.

mod journal;
mod load;
mod memory;
mod place;
mod proof;
mod record;
mod round;
mod stored;
mod unflushed;
mod verdict;
pub mod victim;

pub use memory::{Figures, fill};
pub use place::{Place, Setting};
pub use proof::{Proof, prove};
pub use record::Record;
pub use stored::{Stored, StoredEvent};
pub use unflushed::append_while_flushes_fail;
pub use verdict::Verdict;

/// What goes wrong in the proof itself.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
