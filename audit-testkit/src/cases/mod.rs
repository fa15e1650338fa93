//! The cases, a file for each part of the contract; the list stands in `conformance.rs`.

pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod close;
pub(crate) mod concurrency;
pub(crate) mod conflict;
pub(crate) mod durability;
pub(crate) mod failure;
pub(crate) mod fidelity;
pub(crate) mod follow;
pub(crate) mod idempotency;
pub(crate) mod order;
pub(crate) mod pages;
pub(crate) mod queries;
pub(crate) mod refusal;
