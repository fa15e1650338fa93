//! All of a stretch of time as a file.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use audit_core::AuditReader;
use audit_core::event::Timestamp;
use audit_core::reader::{Condition, Filter, Span};
use audit_export::{Export, ExportFormat, ExportRequest};
use audit_tests::bench::{Bench, Options, Sample};
use tokio::runtime::Runtime;

use crate::Result;
use crate::filled::Filled;

/// Adds the export of the older part of the store, which nobody writes to.
pub(crate) fn cases<'a>(
    bench: Bench<'a>,
    runtime: &'a Runtime,
    store: &'a Filled,
    options: Options,
) -> Result<Bench<'a>> {
    let folder = tempfile::tempdir()?;
    let reader: Arc<dyn AuditReader> = Arc::new(store.reader.clone());
    // Of 90 days as many as hold some hundred thousand events of ten million.
    let n_days = if options.is_quick { 90 } else { 4 };
    let day = 24 * 60 * 60 * 1_000_000;
    let begin = Timestamp::from_micros(store.day_ago.as_micros() - 40 * day)?;
    let end = Timestamp::from_micros(begin.as_micros() + n_days * day)?;
    let filter = Filter::all().with(Condition::Time(Span::between(begin, end)));
    let request = ExportRequest::new(filter, ExportFormat::Jsonl);
    Ok(bench.case("export", move || {
        let path = folder.path().join("export.jsonl");
        let begin = Instant::now();
        let n_rows = runtime.block_on(async {
            let mut file = File::create(&path).expect("the folder is there");
            let export = Export::begin(Arc::clone(&reader), request.clone()).await;
            let mut export = export.expect("the server is there");
            while let Some(chunk) = export.next_chunk().await.expect("the server is there") {
                file.write_all(&chunk).expect("the disk has room");
            }
            export.totals().n_rows
        });
        Sample::new(usize::try_from(n_rows).expect("it fits"), begin.elapsed())
    }))
}
