//! Bytes between two that speak by lines.

mod ends;
mod lines;
mod long;
mod model;
mod transparent;
mod wire;
