//! The store against real servers, which `audit_testkit::postgres` finds.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test panics to say that it failed"
)]

mod database;
mod interrupt;

mod answers;
mod blame;
mod by_hand;
mod codes;
mod conformance;
mod corpora;
mod dead_letters;
mod durability;
mod faults;
mod following;
mod limits;
mod migrations;
mod partitions;
mod plans;
mod poolers;
mod retention;
mod roles;
mod seed;
mod sqlstates;
mod tls;
