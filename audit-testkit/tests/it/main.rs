//! The suite, tested: intact sinks pass every case, and each case catches a broken one.

mod wrappers;
