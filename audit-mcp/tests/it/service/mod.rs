//! Servers and clients of rmcp in the wrapper.

mod endings;
mod failure;
mod identity;
mod outcomes;
mod roles;
mod scene;
mod shared;
mod spans;
