//! How fast calls become durable: callers who each wait for their record.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use audit_core::event::EventDraft;
use audit_core::{AuditLogger, AuditSink};
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_postgres::PostgresSink;
use audit_sqlite::{Spool, SpoolConfig, SqliteConfig, SqliteStore};
use audit_tests::bench::{Bench, Options, Sample};
use audit_tests::ingest_table::IngestTable;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Events of one write of the raw limit.
const BATCH: usize = 1_000;

/// Calls before the first one that is measured.
const WARM_UP: usize = 8;

/// The cases of all stores, and their rivals.
pub(crate) fn cases<'a>(
    mut bench: Bench<'a>,
    runtime: &'a Runtime,
    table: &'a IngestTable,
    draft: &'a EventDraft,
    options: Options,
) -> Bench<'a> {
    for n_callers in [1, 64, 1_024] {
        let n = options.scaled(match n_callers {
            1 => 1_500,
            64 => 20_000,
            _ => 60_000,
        });
        let rival = if n_callers == 1 {
            "insert_per_event_1"
        } else {
            "copy_server"
        };
        bench = bench
            .case_vs(format!("postgres_{n_callers}"), rival, move || {
                runtime.block_on(async {
                    table.empty().await;
                    let config = table.config.clone().sink_connections(2);
                    let sink = PostgresSink::connect(&config)
                        .await
                        .expect("the server is there");
                    let sample = log_events(sink, draft, n_callers, n, 2).await;
                    sample.with(
                        "bytes_per_event",
                        table.holds(n / n_callers * n_callers + WARM_UP).await,
                    )
                })
            })
            .case_vs(
                format!("sqlite_{n_callers}"),
                "raw_fsync_batch",
                move || {
                    runtime.block_on(async {
                        let folder = folder();
                        let config = SqliteConfig::new(folder.path().join("audit.db"));
                        let store = SqliteStore::open(&config)
                            .await
                            .expect("the folder is there");
                        log_events(store, draft, n_callers, n, 1).await
                    })
                },
            )
            .case_vs(format!("spool_{n_callers}"), "raw_fsync_batch", move || {
                runtime.block_on(async {
                    let folder = folder();
                    let store = MemoryConfig::new()
                        .max_events(10_000)
                        .when_full(WhenFull::ForgetOldest);
                    let store = MemoryStore::with_config(store);
                    let spool = Spool::open(SpoolConfig::new(folder.path()), store);
                    log_events(
                        spool.await.expect("the folder is there"),
                        draft,
                        n_callers,
                        n,
                        1,
                    )
                    .await
                })
            });
    }
    let (n_one, n_many) = (options.scaled(1_500), options.scaled(8_000));
    let n_raw = options.scaled(60_000);
    bench
        .case("insert_per_event_1", move || {
            table.insert_per_event(runtime, n_one, 1)
        })
        .case("insert_per_event_32", move || {
            table.insert_per_event(runtime, n_many, 32)
        })
        .case_vs("copy_server", "insert_per_event_32", move || {
            table.copy_server(runtime)
        })
        .case("raw_fsync_batch", move || raw_fsync_batch(table, n_raw))
}

/// `log_event` by callers who each wait for the sink's first answer, with how long that took.
async fn log_events(
    sink: impl AuditSink,
    draft: &EventDraft,
    n_callers: usize,
    n_events: usize,
    in_flight: usize,
) -> Sample {
    let logger = AuditLogger::builder(sink)
        .batches_in_flight(in_flight)
        .build();
    let logger = logger.expect("the bounds are fine");
    // Connections and statements are there before a gateway's first call, too.
    for _ in 0..WARM_UP {
        let warm_up = logger.log_event(draft.clone()).await;
        warm_up.expect("the store is there");
    }
    let n_each = n_events / n_callers;
    let begin = Instant::now();
    let callers: Vec<_> = (0..n_callers)
        .map(|_| {
            let (logger, draft) = (logger.clone(), draft.clone());
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(n_each);
                for _ in 0..n_each {
                    let begin = Instant::now();
                    let logged = logger.log_event(draft.clone()).await;
                    logged.expect("the store is there");
                    took.push(begin.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::with_capacity(n_callers * n_each);
    for caller in callers {
        took.extend(caller.await.expect("no caller panics"));
    }
    let in_all = begin.elapsed();
    let report = logger.shutdown(Duration::from_secs(60)).await;
    assert!(report.is_complete(), "nothing is lost in a bench either");
    took.sort_unstable();
    let percentile = |percent: usize| {
        let rank = (took.len() * percent).div_ceil(100).saturating_sub(1);
        took.get(rank).copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    Sample::new(took.len(), in_all)
        .with("p50_us", percentile(50))
        .with("p99_us", percentile(99))
}

/// What no log on this disk can beat: the events as text, written and flushed a batch at a time.
fn raw_fsync_batch(table: &IngestTable, n_events: usize) -> Sample {
    let folder = folder();
    let events: Vec<String> = table
        .events(n_events)
        .iter()
        .map(|event| event.to_json())
        .collect();
    let mut file = File::create(folder.path().join("raw")).expect("the folder is there");
    let begin = Instant::now();
    for batch in events.chunks(BATCH) {
        file.write_all(batch.join("\n").as_bytes())
            .expect("the disk has room");
        file.sync_data().expect("the disk works");
    }
    Sample::new(n_events, begin.elapsed())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is a folder for what is temporary")
}
