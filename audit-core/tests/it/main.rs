//! The tests of `audit-core` that need other crates of the workspace.

mod logger;
