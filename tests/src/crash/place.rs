use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::logger::{AuditPolicy, PolicyRule};
use audit_core::reader::AuditReader;
use audit_core::sink::{AuditSink, Durability};
use audit_core::{AuditLogger, Error, ErrorKind, Glob};
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresReader, PostgresSink};
use audit_sqlite::{Spool, SpoolConfig, SqliteConfig, SqliteReader, SqliteStore};

/// What stands behind the logger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the proof names each")]
pub enum Setting {
    /// Postgres behind a spool, with attempts on record.
    PostgresBehindSpool,
    /// SQLite alone.
    Sqlite,
    /// SQLite behind a spool, with attempts on record.
    SqliteBehindSpool,
}

/// Where the events of a proof are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Place {
    /// What stands behind the logger.
    pub setting: Setting,
    /// Holds the spool, and the file of SQLite.
    pub folder: PathBuf,
    /// Where Postgres is reached.
    pub database_url: Option<String>,
}

/// A logger, and what stands behind it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) logger: AuditLogger,
    pub(super) spool: Option<Spool>,
}

impl Setting {
    /// Whether attempts can be put on record.
    #[must_use]
    pub const fn has_intents(self) -> bool {
        !matches!(self, Self::Sqlite)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::PostgresBehindSpool => "postgres-behind-spool",
            Self::Sqlite => "sqlite",
            Self::SqliteBehindSpool => "sqlite-behind-spool",
        }
    }

    /// Tools that begin with `delete_` and `write_` are announced; `delete_` and `export_` wait for
    /// the last store, what is denied for nothing.
    fn policy(self) -> AuditPolicy {
        let denied = PolicyRule::new().outcome(Outcome::Denied);
        let policy = AuditPolicy::new().rule(denied.durability(Durability::Queued));
        if !self.has_intents() {
            return policy;
        }
        let tools = |glob| PolicyRule::new().tool(Glob::new(glob));
        policy
            .rule(
                tools("delete_*")
                    .write_ahead(true)
                    .durability(Durability::Committed),
            )
            .rule(tools("write_*").write_ahead(true))
            .rule(tools("export_*").durability(Durability::Committed))
    }
}

impl Place {
    /// A place in this folder.
    #[must_use]
    pub const fn new(setting: Setting, folder: PathBuf, database_url: Option<String>) -> Self {
        Self {
            setting,
            folder,
            database_url,
        }
    }

    /// Opens a logger here; what a victim left is taken over.
    pub(super) async fn open(&self) -> Result<Opened, Error> {
        let store: Arc<dyn AuditSink> = match self.setting {
            Setting::PostgresBehindSpool => {
                // The victim starts while its database is down, too.
                Arc::new(PostgresSink::connect_lazily(&self.postgres()?))
            }
            Setting::Sqlite | Setting::SqliteBehindSpool => {
                Arc::new(SqliteStore::open(&self.sqlite()).await?)
            }
        };
        let policy = self.setting.policy();
        if !self.setting.has_intents() {
            let logger = AuditLogger::builder(store).policy(policy).build()?;
            return Ok(Opened {
                logger,
                spool: None,
            });
        }
        let config = SpoolConfig::new(self.folder.join("spool"))
            .adopt_every(Duration::from_millis(100))
            .close_deadline(Duration::from_secs(60));
        let spool = Spool::open(config, store).await?;
        let logger = AuditLogger::builder(spool.clone())
            .intents(spool.clone())
            .policy(policy)
            .build()?;
        Ok(Opened {
            logger,
            spool: Some(spool),
        })
    }

    /// Who reads what is stored, beside whoever writes.
    pub(super) async fn reader(&self) -> Result<Arc<dyn AuditReader>, Error> {
        Ok(match self.setting {
            Setting::PostgresBehindSpool => {
                Arc::new(PostgresReader::connect(&self.postgres()?).await?)
            }
            Setting::Sqlite | Setting::SqliteBehindSpool => {
                Arc::new(SqliteReader::open(&self.sqlite()).await?)
            }
        })
    }

    /// How many dead letters the store holds.
    pub(super) async fn n_dead_letters(&self) -> Result<usize, Error> {
        Ok(match self.setting {
            Setting::PostgresBehindSpool => {
                let maintainer = PostgresMaintainer::connect(&self.postgres()?).await?;
                maintainer.dead_letters().list(None, 1_000).await?.len()
            }
            Setting::Sqlite | Setting::SqliteBehindSpool => {
                let store = SqliteStore::open(&self.sqlite()).await?;
                let n_letters = store.dead_letters().list(None, 1_000).await?.len();
                store.close().await?;
                n_letters
            }
        })
    }

    fn sqlite(&self) -> SqliteConfig {
        SqliteConfig::new(self.folder.join("audit.db"))
    }

    fn postgres(&self) -> Result<PostgresConfig, Error> {
        let url = self.database_url.as_deref().ok_or_else(|| {
            let text = "the address of the database is missing: the proof hands it to its victim";
            Error::new(ErrorKind::Invalid, text)
        })?;
        PostgresConfig::from_url(url)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [
            Self::PostgresBehindSpool,
            Self::Sqlite,
            Self::SqliteBehindSpool,
        ];
        let mut all = all.into_iter();
        all.find(|setting| setting.name() == text)
            .ok_or_else(|| format!("{text:?} is no setting of the proof"))
    }
}
