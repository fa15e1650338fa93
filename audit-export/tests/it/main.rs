//! Exports of a store: whole, resumed, cut, and as spreadsheets see them.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod cells;
mod cut;
mod ocsf;
mod resume;
mod support;
mod whole;
