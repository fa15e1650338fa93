//! The logger: what it promises to a gateway.

mod begin;
mod bounds;
mod losses;
mod outage;
mod record;
mod shutdown;
mod support;
