//! A Postgres for tests, and what makes it fail.

mod database;
mod local_cluster;
