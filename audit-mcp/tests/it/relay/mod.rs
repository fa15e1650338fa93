//! Bytes between two that speak by lines.
