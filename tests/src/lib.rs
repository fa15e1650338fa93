//! What the scenarios and the benches share.

pub mod bench;
