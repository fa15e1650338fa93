//! A Postgres for benches: set up as one would be that is taken seriously.

use std::error::Error;

use audit_postgres::{PostgresConfig, PostgresMaintainer};
use audit_testkit::postgres::{LocalCluster, TestDatabase};

/// A database of its own with the schema in it, and the server that holds it.
#[derive(Debug)]
pub struct BenchDatabase {
    /// How to reach it, with all rights.
    pub config: PostgresConfig,
    /// The database.
    pub database: TestDatabase,
    /// Where nobody named a server, one of our own; it ends with this value.
    _cluster: Option<LocalCluster>,
}

impl BenchDatabase {
    /// Makes the database on the server of `AUDIT_TEST_DATABASE_URL` or, if that is not set, on a
    /// new one that has room to work and waits for its disk.
    ///
    /// # Errors
    /// There is no server, or it does not wait for its disk: then the figures would be of another
    /// promise.
    pub async fn create() -> Result<Self, Box<dyn Error>> {
        let (cluster, database) = match std::env::var("AUDIT_TEST_DATABASE_URL") {
            Ok(url) => (None, TestDatabase::create_on(&url).await?),
            Err(_) => {
                let cluster = LocalCluster::builder()
                    .config("fsync = on")
                    .config("synchronous_commit = on")
                    .config("shared_buffers = 1GB")
                    .config("max_wal_size = 8GB")
                    .config("min_wal_size = 4GB")
                    .start()
                    .await?;
                let database = TestDatabase::create_on(&cluster.url()).await?;
                (Some(cluster), database)
            }
        };
        for setting in ["fsync", "synchronous_commit"] {
            let query = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
            let value: String = query.fetch_one(database.pool()).await?;
            if value != "on" {
                return Err(
                    format!("`{setting}` of the server is `{value}`, a bench wants `on`").into(),
                );
            }
        }
        let config = PostgresConfig::from_url(database.url())?;
        PostgresMaintainer::connect(&config)
            .await?
            .migrate()
            .await?;
        Ok(Self {
            config,
            database,
            _cluster: cluster,
        })
    }
}
