//! The wrappers: what they promise beyond the contract of a sink.

mod close;
mod counted;
mod down;
mod endings;
mod hung;
mod last;
mod merged;
mod retry;
mod runtimes;
mod support;
mod tee_log;
