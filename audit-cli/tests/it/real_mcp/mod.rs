//! The proxy between clients and servers that others wrote.
//!
//! A scenario is played twice, as `tests/mcp/client.py` tells it: without the proxy and through it.
//! What the client sees has to be the same, byte for byte, and the store has to hold each call once.
//!
//! `.ci/install-mcp` installs what is needed. `cargo xtask test` leaves these tests out, and says
//! so, where it has not been run.

mod client;
mod installation;
mod needs_mcp;
mod process;
mod record;
mod row;
