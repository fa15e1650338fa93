//! The table of events, and what a gateway without this project does with it: for the benches that
//! measure how fast events become durable in Postgres.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a bench whose premise fails has no figures to show"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use audit_core::AuditSink as _;
use audit_core::event::{AuditEvent, Timestamp};
use audit_core::payload::Payload;
use audit_postgres::{PostgresConfig, PostgresSink};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::runtime::Runtime;

use crate::bench::Sample;
use crate::server::BenchDatabase;
use crate::workload::Workload;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Events of one append.
const BATCH: usize = 1_000;

/// The table, emptied for each round, and the events that go into it.
#[derive(Debug)]
pub struct IngestTable {
    _database: BenchDatabase,
    /// How to reach it.
    pub config: PostgresConfig,
    /// Connections of the superuser, for the rivals and for what is between the rounds.
    pool: PgPool,
    workload: Workload,
    /// The salt of the next events, so that no id comes twice.
    salt: AtomicU64,
    copy_file: String,
    n_copied: usize,
}

impl IngestTable {
    /// Makes the table, and a file of so many rows for the server to copy.
    ///
    /// # Errors
    /// There is no server that waits for its disk.
    pub fn new(runtime: &Runtime, n_copied: usize) -> Result<Self> {
        runtime.block_on(async {
            let database = BenchDatabase::create().await?;
            let options = database.database.url().parse::<PgConnectOptions>()?;
            let pool = PgPoolOptions::new()
                .max_connections(32)
                .connect_with(options)
                .await?;
            let query = sqlx::query_scalar(
                "SELECT current_setting('data_directory') || '/audit_bench_ingest.copy'",
            );
            let copy_file = query.fetch_one(&pool).await?;
            let table = Self {
                config: database.config.clone(),
                _database: database,
                pool,
                workload: Workload::new("bench")?,
                salt: AtomicU64::new(1),
                copy_file,
                n_copied,
            };
            table.write_copy_file().await?;
            Ok(table)
        })
    }

    /// The rows that the server copies back in, as the server itself writes them.
    async fn write_copy_file(&self) -> Result<()> {
        let sink = PostgresSink::connect(&self.config).await?;
        for batch in self.events(self.n_copied).chunks(BATCH) {
            assert!(sink.append(batch).await?.is_all_kept());
        }
        let sql = format!(
            "COPY (SELECT {COLUMNS} FROM audit_events) TO '{}' (FORMAT binary)",
            self.copy_file
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// New events of the last minutes.
    pub fn events(&self, n: usize) -> Vec<AuditEvent> {
        let salt = self.salt.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::UNIX_EPOCH
            .elapsed()
            .expect("the clock is set")
            .as_micros();
        let now = i64::try_from(now).expect("it is before the year 9999");
        (0..n)
            .map(|place| {
                let place = u64::try_from(place).expect("it fits");
                let ts = Timestamp::from_micros(now + place.cast_signed() * 250);
                let ts = ts.expect("it is after 1970");
                self.workload
                    .event(place + 1, ts, salt)
                    .expect("the fields keep their bounds")
            })
            .collect()
    }

    /// Takes everything out.
    pub async fn empty(&self) {
        // A server that has run for a day takes the files of its log over from before; one that
        // fills new ones with zeros first would measure the disk.
        let sql = "TRUNCATE audit_events, audit_dead_letters; CHECKPOINT";
        sqlx::raw_sql(sql)
            .execute(&self.pool)
            .await
            .expect("the superuser may");
    }

    /// All events of the table, to see that a case did what it says; and their bytes on disk.
    pub async fn holds(&self, n: usize) -> f64 {
        let n_held: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events")
            .fetch_one(&self.pool)
            .await
            .expect("the table is there");
        assert_eq!(
            usize::try_from(n_held).ok(),
            Some(n),
            "nothing is lost in a bench either"
        );
        sqlx::query_scalar(
            "SELECT sum(pg_total_relation_size(inhrelid))::float8 / $1 FROM pg_inherits
             WHERE inhparent = 'audit_events'::regclass",
        )
        .bind(i32::try_from(n).expect("it fits"))
        .fetch_one(&self.pool)
        .await
        .expect("the table is there")
    }

    /// An INSERT for each event, on so many connections: what gateways do.
    pub fn insert_per_event(&self, runtime: &Runtime, n: usize, n_connections: usize) -> Sample {
        runtime.block_on(async {
            self.empty().await;
            let shares: Vec<Vec<AuditEvent>> = (0..n_connections)
                .map(|_| self.events(n / n_connections))
                .collect();
            let begin = Instant::now();
            join(shares.into_iter().map(|share| {
                let pool = self.pool.clone();
                async move {
                    for event in &share {
                        insert(&pool, event).await;
                    }
                }
            }))
            .await;
            let took = begin.elapsed();
            let n = n / n_connections * n_connections;
            Sample::new(n, took).with("bytes_per_event", self.holds(n).await)
        })
    }

    /// The server's own binary COPY of the same rows from a file: what no client can beat.
    pub fn copy_server(&self, runtime: &Runtime) -> Sample {
        runtime.block_on(async {
            self.empty().await;
            let sql = format!(
                "COPY audit_events ({COLUMNS}) FROM '{}' (FORMAT binary)",
                self.copy_file
            );
            let begin = Instant::now();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&self.pool)
                .await
                .expect("the file is there");
            let took = begin.elapsed();
            Sample::new(self.n_copied, took)
                .with("bytes_per_event", self.holds(self.n_copied).await)
        })
    }
}

/// Runs them at once and waits for all.
pub async fn join(work: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let tasks: Vec<_> = work.into_iter().map(tokio::spawn).collect();
    for task in tasks {
        task.await.expect("no writer panics");
    }
}

const COLUMNS: &str = "id, ts, api_key_id, role, method, tool_name, request_json, response_json, \
    status_code, latency_ms, decision, outcome, upstream, upstream_latency_ms, session_id, \
    request_id, trace_id, span_id, client_name, client_version, client_address, writer, seq, \
    payload_report, xact_order";

/// What a gateway without this crate does for each event.
async fn insert(pool: &PgPool, event: &AuditEvent) {
    let text = |payload: Option<&Payload>| payload.and_then(Payload::json).map(ToOwned::to_owned);
    sqlx::query(
        "INSERT INTO audit_events (
            id, ts, api_key_id, role, method, tool_name, request_json, response_json,
            status_code, latency_ms, decision, outcome, session_id, request_id, writer, seq,
            payload_report, xact_order
        ) VALUES (
            $1, $2, $3, $4, $5, $6, $7::text::jsonb, $8::text::jsonb,
            $9, $10, $11::text::jsonb, $12, $13, $14, $15, $16, $17::text::jsonb, 0
        )",
    )
    .bind(*event.id.as_uuid())
    .bind(event.ts.to_datetime())
    .bind(event.api_key_id.as_ref().map(|text| text.as_str()))
    .bind(event.role.as_str())
    .bind(event.method.as_str())
    .bind(event.tool_name.as_ref().map(|text| text.as_str()))
    .bind(text(event.request()))
    .bind(text(event.response()))
    .bind(i16::try_from(event.status_code.as_u16()).expect("at most 999"))
    .bind(event.latency_ms.as_millis())
    .bind(event.decision.to_json())
    .bind(event.outcome.as_str())
    .bind(event.session_id.as_ref().map(|text| text.as_str()))
    .bind(event.request_id.as_ref().map(|text| text.as_str()))
    .bind(event.writer.as_str())
    .bind(event.seq.get().cast_signed())
    .bind(event.payload_report_json())
    .execute(pool)
    .await
    .expect("the server is there");
}
