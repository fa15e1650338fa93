//! What breaks around a sink, each with a count at its end: acknowledged, stored, doubled.

mod disk;
mod failover;
mod killed;
mod locks;
mod network;
mod pool;
mod read_only;

mod follower;
mod ledger;

use std::time::Duration;

use audit_postgres::PostgresConfig;

/// With a short wait for a connection: what is broken is found out soon.
pub(crate) fn config(url: &str) -> PostgresConfig {
    let config = PostgresConfig::from_url(url).expect("the address is one of PostgreSQL");
    config.acquire_timeout(Duration::from_secs(2))
}

/// Waits for what must happen, but not for ever.
pub(crate) async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(100);
    let happened = tokio::time::timeout(patience, it).await;
    happened.unwrap_or_else(|_| panic!("{what} did not come within {patience:?}"))
}
