//! Audit trail for tool gateways.

pub mod payload;
