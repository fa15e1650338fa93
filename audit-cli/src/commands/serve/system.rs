use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::{AuditLogger, AuditSink, Error};
use audit_postgres::{Partition, PostgresConfig, PostgresMaintainer};
use audit_sqlite::SqliteStore;
use audit_web::system::{
    DeadLetterLine, DeadLetterStatus, PartitionStatus, QueueStatus, SinkStatus, SpoolStatus,
    SystemReport, SystemStatus,
};
use tokio::sync::OnceCell;

use crate::store::{OpenStore, StoreAddress};

/// How the store of a server is, and the server's own logger.
#[derive(Debug)]
pub(crate) struct StoreSystem {
    address: StoreAddress,
    sink: Arc<dyn AuditSink>,
    sqlite: Option<SqliteStore>,
    logger: AuditLogger,
    /// Connected when somebody asks for what it knows.
    maintainer: OnceCell<PostgresMaintainer>,
}

/// How long a question may take before it is told as a problem.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most dead letters that are counted.
const MOST_LETTERS: u32 = 1_000;
/// The most dead letters that are shown.
const SHOWN_LETTERS: u16 = 20;

impl StoreSystem {
    pub(crate) fn new(address: StoreAddress, store: &OpenStore, logger: AuditLogger) -> Self {
        Self {
            address,
            sink: Arc::clone(&store.sink),
            sqlite: store.sqlite.clone(),
            logger,
            maintainer: OnceCell::new(),
        }
    }

    async fn maintainer(&self, config: &PostgresConfig) -> Result<&PostgresMaintainer, Error> {
        let connect = || PostgresMaintainer::connect(config);
        self.maintainer.get_or_try_init(connect).await
    }
}

#[async_trait]
impl SystemStatus for StoreSystem {
    async fn report(&self) -> SystemReport {
        let mut report = SystemReport::default();
        report.store = Some(self.address.to_string());
        report.sinks.push(SinkStatus {
            name: "store".to_owned(),
            health: self.logger.health().await,
        });
        let counters = self.logger.counters();
        report.queue = Some(QueueStatus {
            n_events: as_u64(counters.queued_events),
            n_bytes: as_u64(counters.queued_bytes),
            n_open_calls: as_u64(counters.open_calls),
        });
        report.spool = self.sink.forwarding().map(|waiting| SpoolStatus {
            n_events: waiting.n_events,
            n_bytes: waiting.bytes,
            oldest: waiting.oldest,
        });
        let asked = tokio::time::timeout(PATIENCE, self.ask_store(&mut report)).await;
        let problem = match asked {
            Ok(Ok(())) => return report,
            Ok(Err(error)) => match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            },
            Err(_) => format!("the store did not answer within {} s", PATIENCE.as_secs()),
        };
        report.problems.push(problem);
        report
    }
}

impl StoreSystem {
    /// What only the store knows.
    async fn ask_store(&self, report: &mut SystemReport) -> Result<(), Error> {
        match &self.address {
            StoreAddress::Postgres { config, .. } => {
                let maintainer = self.maintainer(config).await?;
                let letters = maintainer.dead_letters();
                let n_letters = letters.count(MOST_LETTERS).await?;
                let latest = letters.latest(SHOWN_LETTERS).await?;
                let lines = latest.into_iter().map(|letter| DeadLetterLine {
                    event_id: letter.event_id,
                    set_aside_at: letter.set_aside_at,
                    reason: letter.reason,
                });
                report.dead_letters = Some(dead_letters(n_letters, lines.collect()));
                let partitions = maintainer.partitions().list().await?;
                report.partitions = partitions.into_iter().map(partition).collect();
            }
            StoreAddress::Memory | StoreAddress::Sqlite(_) => {}
        }
        if let Some(store) = &self.sqlite {
            let letters = store.dead_letters();
            let n_letters = letters.count(MOST_LETTERS).await?;
            let latest = letters.latest(SHOWN_LETTERS).await?;
            let lines = latest.into_iter().map(|letter| DeadLetterLine {
                event_id: letter.event_id,
                set_aside_at: letter.set_aside_at,
                reason: letter.reason,
            });
            report.dead_letters = Some(dead_letters(n_letters, lines.collect()));
        }
        Ok(())
    }
}

fn dead_letters(n_events: u64, latest: Vec<DeadLetterLine>) -> DeadLetterStatus {
    DeadLetterStatus {
        n_events,
        is_capped: n_events == u64::from(MOST_LETTERS),
        latest,
    }
}

fn partition(partition: Partition) -> PartitionStatus {
    PartitionStatus {
        name: partition.name,
        from: partition.from,
        to: partition.to,
        n_bytes: partition.n_bytes,
        n_events: partition.n_events,
        held_by: partition.held_by,
    }
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
