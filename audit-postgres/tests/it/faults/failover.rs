//! A primary that dies, and the standby that takes over.

use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health};
use audit_postgres::{PostgresReader, PostgresSink};
use audit_testkit::postgres::LocalCluster;
use url::Url;

use super::follower::Follower;
use super::ledger::Load;
use super::{config, soon};
use crate::database::{Database, READER, WRITER};

/// The name under which a gateway finds its database, moved to another server.
#[derive(Clone, Debug)]
struct Name(Arc<RwLock<PostgresSink>>);

impl Name {
    fn now(&self) -> PostgresSink {
        self.0.read().expect("nobody panics").clone()
    }
}

#[async_trait]
impl AuditSink for Name {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.now().append(events).await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.now().flush().await
    }

    async fn health(&self) -> Health {
        self.now().health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.now().close().await
    }

    fn durability(&self) -> Durability {
        self.now().durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.now().forwarding()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_has_all_that_was_acknowledged() {
    let primary = LocalCluster::builder()
        .config("fsync = on")
        .start()
        .await
        .unwrap();
    let standby = LocalCluster::builder()
        .standby_of(&primary)
        .start()
        .await
        .unwrap();
    let database = Database::migrated_on(&primary).await;
    // From here on a commit waits for the standby, too.
    database
        .run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        .await;
    primary.reload().unwrap();
    let waits = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    soon("the standby", async {
        while sqlx::query_scalar::<_, i64>(waits)
            .fetch_one(database.pool())
            .await
            .unwrap()
            == 0
        {}
    })
    .await;

    let to_primary = PostgresSink::connect(&config(&database.writer_url()))
        .await
        .unwrap();
    let name = Name(Arc::new(RwLock::new(to_primary)));
    let sink: Arc<dyn AuditSink> = Arc::new(name.clone());
    let load = Load::start(&sink, 3);
    let follower = Follower::start(database.reader().await);
    load.acknowledge_more(300).await;
    primary.kill().await.unwrap();
    load.fail_once_more().await;

    // A standby that is not promoted yet takes nothing, and says so.
    let url = on(&standby, &database, WRITER);
    let to_standby = PostgresSink::connect_lazily(&config(&url));
    let health = to_standby.health().await;
    assert!(!health.is_ready(), "{health:?}");
    *name.0.write().unwrap() = to_standby;
    follower.move_to(PostgresReader::connect_lazily(&config(&on(
        &standby, &database, READER,
    ))));
    load.fail_once_more().await;
    standby.promote().await.unwrap();
    load.acknowledge_more(300).await;
    let by_hand = on(&standby, &database, "postgres");
    let pool = sqlx::PgPool::connect(&by_hand).await.unwrap();
    let stored = load.settle("failover to a promoted standby", &pool).await;
    follower.settle(&stored).await;
}

/// The same database on the other server.
fn on(cluster: &LocalCluster, database: &Database, role: &str) -> String {
    let mut url: Url = cluster.url().parse().unwrap();
    url.set_path(&database.name);
    url.query_pairs_mut().append_pair("options[role]", role);
    url.into()
}
