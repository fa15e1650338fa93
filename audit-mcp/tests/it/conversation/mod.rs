//! Calls seen by somebody who stands in between.

mod corpora;
mod endings;
mod exchanges;
mod odd;
mod records;
mod room;
pub(crate) mod stand;
