//! The Postgres store against real servers.

mod faults;
mod poolers;
mod sqlstates;
mod tls;
