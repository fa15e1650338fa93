//! How fast events leave a store for a file: `cargo xtask bench export [--json]`.
//!
//! Of a SQLite store, with 1 KB of payload an event. The rival asks for a page, writes it, and asks for
//! the next one; it hashes nothing.
#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use audit_core::event::Timestamp;
use audit_core::reader::{Filter, Order, PageRequest};
use audit_core::{AuditReader, AuditSink as _};
use audit_export::{Compression, Export, ExportFormat, ExportRequest};
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_tests::bench::{Bench, Options, Sample};
use audit_tests::workload::Workload;
use tokio::runtime::Runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let n = options.scaled(100_000);
    let store = runtime.block_on(filled(folder.path(), n))?;
    let file = folder.path().join("export");
    let reader: Arc<dyn AuditReader> = Arc::new(store.reader().clone());
    let request = |format| ExportRequest::new(Filter::all(), format);
    let mut bench = Bench::new();
    for (name, request) in [
        ("jsonl", request(ExportFormat::Jsonl)),
        (
            "jsonl_zstd",
            request(ExportFormat::Jsonl).compression(Compression::Zstd),
        ),
        ("csv", request(ExportFormat::Csv)),
        ("ocsf", request(ExportFormat::Ocsf)),
    ] {
        let (runtime, reader, file) = (&runtime, &reader, &file);
        bench = bench.case_vs(name, "page_by_page", move || {
            export(runtime, reader, &request, file, n)
        });
    }
    bench
        .case("page_by_page", || {
            page_by_page(&runtime, &*reader, &file, n)
        })
        .run(options);
    Ok(())
}

async fn filled(folder: &Path, n: usize) -> Result<SqliteStore, Box<dyn Error>> {
    let store = SqliteStore::open(&SqliteConfig::new(folder.join("audit.db"))).await?;
    let workload = Workload::new("bench")?;
    let mut batch = Vec::new();
    for number in 1..=n {
        let number = u64::try_from(number)?;
        let ts = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number)? * 1_000)?;
        batch.push(workload.event(number, ts, 0)?);
        if batch.len() == 1_000 {
            drop(store.append(&batch).await?);
            batch.clear();
        }
    }
    drop(store.append(&batch).await?);
    Ok(store)
}

fn export(
    runtime: &Runtime,
    reader: &Arc<dyn AuditReader>,
    request: &ExportRequest,
    path: &Path,
    n: usize,
) -> Sample {
    let begin = Instant::now();
    let n_rows = runtime.block_on(async {
        let mut file = File::create(path).expect("the folder is there");
        let export = Export::begin(Arc::clone(reader), request.clone()).await;
        let mut export = export.expect("the store answers");
        while let Some(chunk) = export.next_chunk().await.expect("the store answers") {
            file.write_all(&chunk).expect("the disk has room");
        }
        export.totals().n_rows
    });
    assert_eq!(usize::try_from(n_rows), Ok(n));
    Sample::new(n, begin.elapsed())
}

fn page_by_page(runtime: &Runtime, reader: &dyn AuditReader, path: &Path, n: usize) -> Sample {
    let begin = Instant::now();
    runtime.block_on(async {
        let mut file = File::create(path).expect("the folder is there");
        let request = PageRequest::new(Filter::all()).order(Order::OldestFirst);
        let mut request = request
            .limit(PageRequest::MAX_LIMIT)
            .expect("the limit is the most");
        loop {
            let page = reader.page_with_payloads(&request).await;
            let page = page.expect("the store answers");
            let mut text = Vec::new();
            for event in &page.events {
                serde_json::to_writer(&mut text, event).expect("an event is JSON");
                text.push(b'\n');
            }
            file.write_all(&text).expect("the disk has room");
            let Some(next) = page.next else { return };
            request = request.cursor(next).expect("the cursor is of this list");
        }
    });
    Sample::new(n, begin.elapsed())
}
