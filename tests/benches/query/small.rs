//! The embedded store: a million events in one file.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audit_core::event::Timestamp;
use audit_core::reader::{Condition, Filter, PageRequest, TextField};
use audit_core::{AuditReader as _, AuditSink as _, Glob};
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_tests::bench::{Bench, Options, Sample};
use audit_tests::workload::Workload;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Result;

pub(crate) struct Small {
    store: SqliteStore,
    n_queries: AtomicUsize,
    _folder: TempDir,
}

impl Small {
    pub(crate) fn fill(runtime: &Runtime, options: Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = SqliteConfig::new(folder.path().join("audit.db"));
        let n: u64 = if options.is_quick { 5_000 } else { 1_000_000 };
        let store = runtime.block_on(async {
            let store = SqliteStore::open(&config).await?;
            let workload = Workload::new("bench")?;
            let numbers: Vec<u64> = (1..=n).collect();
            for some in numbers.chunks(1_000) {
                let event = |number: &u64| -> Result<_> {
                    let micros = 1_700_000_000_000_000 + i64::try_from(*number)? * 1_000;
                    Ok(workload.event(*number, Timestamp::from_micros(micros)?, 0)?)
                };
                let batch: Vec<_> = some.iter().map(event).collect::<Result<_>>()?;
                drop(store.append(&batch).await?);
            }
            Result::Ok(store)
        })?;
        Ok(Self {
            store,
            n_queries: AtomicUsize::new(0),
            _folder: folder,
        })
    }

    pub(crate) fn cases<'a>(
        &'a self,
        bench: Bench<'a>,
        runtime: &'a Runtime,
        n: usize,
    ) -> Bench<'a> {
        bench
            .case("sqlite_first_page", move || {
                self.pages(runtime, n, |_| Filter::all())
            })
            .case("sqlite_key_zero", move || {
                self.pages(runtime, n, |number| {
                    let nobody = Glob::exact(&format!("nobody_{number}"));
                    Filter::all().with(Condition::Text(TextField::Key, nobody))
                })
            })
    }

    fn pages(&self, runtime: &Runtime, n: usize, filter: impl Fn(usize) -> Filter) -> Sample {
        let one = |_| {
            let number = self.n_queries.fetch_add(1, Ordering::Relaxed);
            let request = PageRequest::new(filter(number));
            let begin = Instant::now();
            let page = runtime.block_on(self.store.reader().page(&request));
            drop(page.expect("the file is there"));
            begin.elapsed()
        };
        Sample::of_queries((0..n).map(one).collect())
    }
}
