//! A Postgres for tests, and what makes it fail.

mod bouncer;
mod database;
mod full_disk;
mod left_behind;
mod local_cluster;
mod proxy;
mod proxy_moments;
mod standby;
mod support;
mod tls;
mod ways;
