//! The server as its clients see it: over a loopback port, with a store in memory.

mod login;
mod support;
