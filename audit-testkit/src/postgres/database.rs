use std::fmt;

use sqlx::postgres::{PgPool, PgPoolOptions};

use super::connect::{run_statement, with_database};
use super::word::random_word;
use super::{PostgresError, TestPostgres};

/// A database that one test has for itself.
///
/// It stays behind on the server, which is thrown away as a whole, unless it is
/// [closed](Self::close).
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: String,
    pool: PgPool,
}

impl TestDatabase {
    /// An empty database on the [shared](TestPostgres::shared) server.
    ///
    /// # Errors
    /// If there is no server, or it does not let the database be made.
    pub async fn create() -> Result<Self, PostgresError> {
        Self::create_on(TestPostgres::shared().await?.url()).await
    }

    /// An empty database on a server whose address this is, such as that of a
    /// [`LocalCluster`](super::LocalCluster).
    ///
    /// # Errors
    /// If the server cannot be reached, or does not let the database be made.
    pub async fn create_on(admin_url: &str) -> Result<Self, PostgresError> {
        let name = format!("audit_test_{}", random_word(12).to_lowercase());
        run_statement(admin_url, format!("CREATE DATABASE {name}")).await?;
        let url = with_database(admin_url, &name)?;
        let pool = PgPoolOptions::new()
            .connect_lazy(&url)
            .map_err(PostgresError::because(
                "the address of the database is not one that sqlx takes",
            ))?;
        Ok(Self {
            name,
            url,
            admin_url: admin_url.to_owned(),
            pool,
        })
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the database `postgres` of the same server (or of whatever
    /// `AUDIT_TEST_DATABASE_URL` names).
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Connections to the database, made when they are asked for.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Drops the database, whoever is still connected to it.
    ///
    /// # Errors
    /// If the server cannot be reached, or does not let it be dropped.
    pub async fn close(self) -> Result<(), PostgresError> {
        self.pool.close().await;
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        run_statement(&self.admin_url, statement).await
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
