//! Payload safety: the invariants P1 to P17, the predecessor's defects, the corpora.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test expects and does not get is its failure"
)]

mod batch;
mod boundary;
mod bounds;
mod corpora;
mod cost;
mod credential_cuts;
mod credentials;
mod defects;
mod encoded;
mod example;
mod fingerprints;
mod hostile;
mod known_gaps;
mod lists;
mod policy;
mod schema;
mod secrets;
mod spelling;
mod stack;
mod support;
mod visible;
