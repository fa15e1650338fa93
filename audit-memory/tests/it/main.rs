//! The memory store keeps the contract, and its own promises beyond it.

mod conformance;
