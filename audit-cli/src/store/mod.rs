//! The stores that a user can name, opened for writing or for reading.

mod address;
pub(crate) mod spool;

use std::sync::Arc;

use audit_core::{AuditReader, AuditSink, Error};
use audit_memory::MemoryStore;
use audit_postgres::{PostgresReader, PostgresSink};
use audit_sqlite::{SqliteConfig, SqliteReader, SqliteStore};

pub(crate) use address::{StoreAddress, data_folder, make_private};

use crate::failure::{Exit, Failure};

/// A store to write to.
pub(crate) struct OpenStore {
    pub(crate) sink: Arc<dyn AuditSink>,
    /// To ask it back; the memory store has no other way.
    pub(crate) reader: Arc<dyn AuditReader>,
    /// The store itself, where it is one of this machine.
    pub(crate) sqlite: Option<SqliteStore>,
}

/// Opens a store for writing. A database that cannot be reached is no failure: what is written waits
/// for it.
pub(crate) async fn open(address: &StoreAddress) -> Result<OpenStore, Failure> {
    match address {
        StoreAddress::Memory => {
            let store = MemoryStore::new();
            Ok(OpenStore {
                sink: Arc::new(store.clone()),
                reader: Arc::new(store),
                sqlite: None,
            })
        }
        StoreAddress::Postgres { config, .. } => Ok(OpenStore {
            sink: Arc::new(PostgresSink::connect_lazily(config)),
            reader: Arc::new(PostgresReader::connect_lazily(config)),
            sqlite: None,
        }),
        StoreAddress::Sqlite(config) => {
            let store = SqliteStore::open(config)
                .await
                .map_err(|error| unusable(address, &error))?;
            if let Some(damage) = store.set_aside() {
                tracing::warn!(
                    path = %damage.path.display(),
                    "the store's file was damaged and is set aside; a new one was begun"
                );
            }
            Ok(OpenStore {
                reader: Arc::new(store.reader().clone()),
                sqlite: Some(store.clone()),
                sink: Arc::new(store),
            })
        }
    }
}

/// Opens a store to ask it.
pub(crate) async fn open_reader(address: &StoreAddress) -> Result<Arc<dyn AuditReader>, Failure> {
    match address {
        StoreAddress::Memory => Err(gone()),
        StoreAddress::Postgres { config, .. } => match PostgresReader::connect(config).await {
            Ok(reader) => Ok(Arc::new(reader)),
            Err(error) => Err(unusable(address, &error)),
        },
        StoreAddress::Sqlite(config) => {
            check_there(address, config)?;
            match SqliteReader::open(config).await {
                Ok(reader) => Ok(Arc::new(reader)),
                Err(error) => Err(unusable(address, &error)),
            }
        }
    }
}

/// A store of which nothing is left.
pub(crate) fn gone() -> Failure {
    Failure::new("the store memory: is gone with the process that wrote to it")
        .advice("name the store that was recorded to: --store sqlite:PATH or postgres://…")
        .exit(Exit::Usage)
}

/// Whoever asks makes no new store.
pub(crate) fn check_there(address: &StoreAddress, config: &SqliteConfig) -> Result<(), Failure> {
    if config.path().exists() {
        return Ok(());
    }
    let what = format!("there is no store at {address}");
    let advice = "record something first (audit demo, audit proxy), or name another one: --store \
                  sqlite:PATH";
    Err(Failure::new(what).advice(advice).exit(Exit::NotFound))
}

/// What a question that failed tells its user.
pub(crate) fn unanswered(error: &Error) -> Failure {
    Failure::because("the store did not answer", error)
}

pub(crate) fn unusable(address: &StoreAddress, error: &Error) -> Failure {
    Failure::because(format!("the store {address} cannot be used"), error)
        .advice("audit doctor --store … looks closer")
}
