//! How fast events become durable in Postgres: `cargo xtask bench ingest [--json]`.
//!
//! The rivals stand in the same run, on the same table with the same indexes: an INSERT for each
//! event on 32 connections, which is what gateways do, and the server's own binary COPY of the
//! same rows from a file, which no client can beat.

#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

use std::error::Error;
use std::time::Instant;

use audit_core::AuditSink as _;
use audit_core::event::AuditEvent;
use audit_postgres::PostgresSink;
use audit_tests::bench::{Bench, Options, Sample};
use audit_tests::ingest_table::{IngestTable, join};
use tokio::runtime::Runtime;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let n = options.scaled(40_000);
    let n_per_event = options.scaled(8_000);
    let table = IngestTable::new(&runtime, n)?;
    let bench = Bench::new()
        .case("insert_per_event_32", || {
            table.insert_per_event(&runtime, n_per_event, 32)
        })
        .case_vs("append_1", "copy_server", || append(&table, &runtime, n, 1))
        .case_vs("append_2", "copy_server", || append(&table, &runtime, n, 2))
        .case_vs("append_4", "copy_server", || append(&table, &runtime, n, 4))
        .case_vs("copy_server", "insert_per_event_32", || {
            table.copy_server(&runtime)
        });
    bench.run(options);
    Ok(())
}

/// Events of one append.
const BATCH: usize = 1_000;

/// `append` in batches by so many writers.
fn append(table: &IngestTable, runtime: &Runtime, n: usize, n_writers: usize) -> Sample {
    runtime.block_on(async {
        table.empty().await;
        let connections = u32::try_from(n_writers).expect("it fits");
        let config = table.config.clone().sink_connections(connections);
        let sink = PostgresSink::connect(&config)
            .await
            .expect("the server is there");
        let shares: Vec<Vec<AuditEvent>> = (0..n_writers)
            .map(|_| table.events(n / n_writers))
            .collect();
        // Connections and statements are there before a gateway's first call, too.
        join(shares.iter().map(|_| {
            let (sink, warm_up) = (sink.clone(), table.events(8));
            async move { drop(sink.append(&warm_up).await.expect("the server is there")) }
        }))
        .await;
        table.empty().await;
        let begin = Instant::now();
        join(shares.into_iter().map(|share| {
            let sink = sink.clone();
            async move {
                for batch in share.chunks(BATCH) {
                    let appended = sink.append(batch).await.expect("the server is there");
                    assert!(appended.is_all_kept());
                }
            }
        }))
        .await;
        let took = begin.elapsed();
        sink.close().await.expect("nothing waits");
        let n = n / n_writers * n_writers;
        Sample::new(n, took).with("bytes_per_event", table.holds(n).await)
    })
}
