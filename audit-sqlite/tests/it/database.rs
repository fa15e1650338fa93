//! A folder of its own for each test, and a look at the file from outside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::reader::{AuditReader, Filter, Order, PageRequest};
use audit_core::sink::AuditSink;
use audit_sqlite::{SqliteConfig, SqliteStore};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

/// A folder with one database, which goes with the test.
pub(crate) struct Database {
    folder: TempDir,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("audit-sqlite-").expect("a folder"),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    pub(crate) fn config(&self) -> SqliteConfig {
        SqliteConfig::new(self.path())
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        let opened = SqliteStore::open(&self.config()).await;
        opened.expect("the store can be opened")
    }

    /// A connection that is none of the store's.
    pub(crate) async fn connect(&self) -> SqliteConnection {
        connect(&self.path()).await
    }

    /// Runs statements from outside.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        run(&mut connection, sql).await;
        close(connection).await;
    }

    /// The one value that a question has as its answer.
    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + Send + Unpin,
        (T,): for<'r> sqlx::FromRow<'r, SqliteRow>,
    {
        let mut connection = self.connect().await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let value = query.fetch_one(&mut connection).await.expect("a value");
        close(connection).await;
        value
    }

    /// The names of what is in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).expect("the folder can be read");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            let name = entry.expect("an entry").file_name();
            name.into_string().expect("a name in UTF-8")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort_unstable();
        names
    }
}

pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(Duration::from_secs(10));
    options.connect().await.expect("the file can be opened")
}

/// Waits until the file is not open any more; dropped, a connection closes it some time later.
pub(crate) async fn close(connection: SqliteConnection) {
    connection.close().await.expect("the file can be closed");
}

pub(crate) async fn run(connection: &mut SqliteConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection);
    done.await.expect("the statement runs");
}

/// Appends events that must be kept.
pub(crate) async fn keep(sink: &dyn AuditSink, events: &[AuditEvent]) {
    let appended = sink.append(events).await.expect("the store works");
    assert!(appended.is_all_kept(), "{appended:?}");
}

/// Everything that the list shows, the oldest first.
pub(crate) async fn list(reader: &dyn AuditReader) -> Vec<AuditEvent> {
    let request = PageRequest::new(Filter::all()).order(Order::OldestFirst);
    let mut request = request.limit(1_000).unwrap();
    let mut events = Vec::new();
    loop {
        let page = reader.page_with_payloads(&request).await.expect("a page");
        events.extend(page.events);
        let Some(next) = page.next else {
            return events;
        };
        request = request.cursor(next).unwrap();
    }
}
