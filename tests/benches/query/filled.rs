//! The large store, and who writes to it meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use audit_core::event::{EventId, Timestamp};
use audit_core::reader::{Condition, Cursor, Filter, PageRequest, Span, TextField};
use audit_core::{AuditReader as _, AuditSink as _, Glob};
use audit_postgres::{PostgresConfig, PostgresReader, PostgresSink};
use audit_tests::bench::Sample;
use audit_tests::server::BenchDatabase;
use audit_tests::workload::Workload;
use sqlx::PgPool;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::Result;

/// A filled store.
pub(crate) struct Filled {
    _database: BenchDatabase,
    config: PostgresConfig,
    pub(crate) reader: PostgresReader,
    pool: PgPool,
    n_rows: u64,
    pub(crate) day_ago: Timestamp,
    /// Some, from everywhere.
    pub(crate) ids: Vec<EventId>,
    /// Cursors to the thousandth page of ten, and to those behind it.
    cursors: Vec<Cursor>,
    /// Counts queries, so that none is like the one before.
    n_queries: AtomicUsize,
}

impl Filled {
    /// Fills a database of its own with so many events, on the server itself.
    pub(crate) async fn fill(n_rows: u64) -> Result<Self> {
        let database = BenchDatabase::create().await?;
        let config = database
            .config
            .clone()
            .query_timeout(Duration::from_secs(120));
        let pool = database.database.pool().clone();

        let begin = Instant::now();
        sqlx::raw_sql(
            "SELECT audit_ensure_partition(audit_id_at(now() - n * interval '1 day')) FROM generate_series(0, 91) AS n",
        )
        .execute(&pool)
        .await?;
        const CHUNK: u64 = 250_000;
        for first in (1..=n_rows).step_by(usize::try_from(CHUNK)?) {
            let last = (first + CHUNK - 1).clamp(first, n_rows);
            sqlx::query(FILL)
                .bind(first.cast_signed())
                .bind(last.cast_signed())
                .bind(n_rows.cast_signed())
                .execute(&pool)
                .await?;
        }
        sqlx::raw_sql(BANSHO).execute(&pool).await?;
        for table in [
            "VACUUM (ANALYZE) audit_events",
            "VACUUM (ANALYZE) bansho_audit_events",
            "CHECKPOINT",
        ] {
            sqlx::raw_sql(table).execute(&pool).await?;
        }
        eprintln!(
            "{n_rows} events over 90 days written in {:.0?}",
            begin.elapsed()
        );

        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "SELECT id FROM audit_events WHERE seq % $1 = 7 AND writer = 'filled'",
        )
        .bind((n_rows / 997 + 8).cast_signed())
        .fetch_all(&pool)
        .await?;
        let ids = ids.into_iter().map(EventId::from_uuid);
        let reader = PostgresReader::connect(&config).await?;
        Ok(Self {
            cursors: cursors(&reader).await?,
            reader,
            n_rows,
            day_ago: Timestamp::from_micros(now().as_micros() - 24 * 60 * 60 * 1_000_000)?,
            ids: ids.collect::<std::result::Result<_, _>>()?,
            n_queries: AtomicUsize::new(0),
            _database: database,
            config,
            pool,
        })
    }

    /// The day before the writer began.
    pub(crate) fn last_day(&self) -> Span<Timestamp> {
        Span::between(self.day_ago, self.writer_began())
    }

    pub(crate) fn writer_began(&self) -> Timestamp {
        let micros = self.day_ago.as_micros() + 24 * 60 * 60 * 1_000_000;
        Timestamp::from_micros(micros).expect("it is after 1970")
    }

    /// A page as far back as the thousandth of the list, or somewhat farther.
    pub(crate) fn page_1000(&self, n: usize) -> PageRequest {
        let cursor = self.cursor(n);
        let request = PageRequest::new(Filter::all()).cursor(cursor);
        request.expect("it is of this filter")
    }

    /// A cursor to a page as far back.
    pub(crate) fn cursor(&self, n: usize) -> Cursor {
        self.cursors[n % self.cursors.len()]
    }

    /// A request id that one event has.
    pub(crate) fn request(&self, n: usize) -> Filter {
        let number = u64::try_from(n).expect("it fits").wrapping_mul(7_919) % self.n_rows + 1;
        let number = Glob::exact(&number.to_string());
        Filter::all().with(Condition::Text(TextField::RequestId, number))
    }

    /// Times each of `n` queries, which are numbered through all rounds.
    pub(crate) fn queries(
        &self,
        runtime: &Runtime,
        n: usize,
        query: impl AsyncFn(usize),
    ) -> Sample {
        let one = |_| {
            let number = self.n_queries.fetch_add(1, Ordering::Relaxed);
            let begin = Instant::now();
            runtime.block_on(query(number));
            begin.elapsed()
        };
        Sample::of_queries((0..n).map(one).collect())
    }

    /// What the predecessor's dashboard asks for when it is opened.
    pub(crate) async fn bansho_recent(&self) {
        let query = sqlx::query(
            "SELECT ts, api_key_id::text AS api_key_id, role, method, tool_name, status_code,
                latency_ms, decision, request_json, response_json
             FROM bansho_audit_events WHERE 1=1 ORDER BY ts DESC LIMIT $1",
        )
        .bind(50_i64);
        let rows = query
            .fetch_all(&self.pool)
            .await
            .expect("the server is there");
        assert!(!rows.is_empty());
    }
}

/// Cursors from the thousandth page of the list on, ten events to a page; of a small store from
/// the middle of it.
async fn cursors(reader: &PostgresReader) -> Result<Vec<Cursor>> {
    let mut cursors = Vec::new();
    let mut request = PageRequest::new(Filter::all()).limit(10)?;
    while let Some(next) = reader.page(&request).await?.next {
        request = request.cursor(next)?;
        cursors.push(next);
        if cursors.len() == 1_050 {
            break;
        }
    }
    Ok(cursors.split_off(cursors.len() * 19 / 20))
}

/// Appends a hundred events twenty times a second, as a gateway does that is busy.
pub(crate) struct Writer {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn start(runtime: &Runtime, store: &Filled) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let workload = Workload::new("busy").expect("it is a writer's name");
        let sink = runtime
            .block_on(PostgresSink::connect(&store.config))
            .expect("the server is there");
        let ends = Arc::clone(&is_over);
        let task = runtime.spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(50));
            let mut number = 0;
            while !ends.load(Ordering::Relaxed) {
                pace.tick().await;
                let batch: Vec<_> = (0..100)
                    .map(|_| {
                        number += 1;
                        workload
                            .event(number, now(), 0)
                            .expect("the fields keep their bounds")
                    })
                    .collect();
                let appended = sink.append(&batch).await.expect("the server is there");
                assert!(appended.is_all_kept());
            }
        });
        Self { is_over, task }
    }

    pub(crate) async fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("the writer does not panic");
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench's events are of today")]
fn now() -> Timestamp {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is set");
    let micros = i64::try_from(now.as_micros()).expect("it is before the year 9999");
    Timestamp::from_micros(micros).expect("it is after 1970")
}

/// Events `$1` to `$2` of `$3`, evenly over 90 days: 500 keys, 40 tools, a tenth no success, half
/// a kilobyte of payload.
const FILL: &str = r#"
INSERT INTO audit_events (
    id, ts, api_key_id, role, method, tool_name, request_json, response_json, status_code,
    latency_ms, decision, outcome, session_id, request_id, writer, seq, payload_report, xact_order
)
SELECT
    (left(audit_id_at(ts)::text, 14) || '7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3)
        || '-' || substr(hash, 7, 12))::uuid,
    ts,
    'k_' || lpad((('x' || substr(hash, 1, 6))::bit(24)::int % 500)::text, 3, '0'),
    'operator',
    'tools/call',
    'tool_' || lpad((('x' || substr(hash, 7, 6))::bit(24)::int % 40)::text, 2, '0'),
    jsonb_build_object('query', 'is:open label:bug', 'page', n % 90),
    '{"items":[{"id":48213,"title":"Crash when the list is empty","state":"open","labels":["bug","p2"]},{"id":48214,"title":"Crash when the list is full","state":"open","labels":["bug","p1"]},{"id":48215,"title":"Crash when the list is long","state":"open","labels":["bug","p3"]}],"total":3}'::jsonb,
    CASE WHEN n % 100 < 90 THEN 200 WHEN n % 100 < 94 THEN 200 WHEN n % 100 < 97 THEN 403 ELSE 429 END,
    1 + (n % 60000) / 1000.0,
    '{"auth":{"verdict":"allowed"},"authz":{"verdict":"allowed"},"rate":{"verdict":"allowed"}}'::jsonb,
    CASE WHEN n % 100 < 90 THEN 'ok' WHEN n % 100 < 94 THEN 'tool_error' WHEN n % 100 < 97 THEN 'denied' ELSE 'rate_limited' END,
    md5((n / 50)::text),
    n::text,
    'filled',
    n,
    '{"request":{"original_bytes":60,"scanned_bytes":60,"coverage":"full"},"response":{"original_bytes":400,"scanned_bytes":400,"coverage":"full"}}'::jsonb,
    n - $1
FROM (
    SELECT n, md5(n::text) AS hash,
        date_trunc('milliseconds', now() - interval '90 days' * (1 - n::float8 / $3)) AS ts
    FROM generate_series($1, $2) AS n
) AS numbers
"#;

/// A table of the predecessor's shape, with the same rows.
const BANSHO: &str = "
CREATE TABLE bansho_audit_events (
    id uuid PRIMARY KEY,
    ts timestamptz NOT NULL DEFAULT now(),
    api_key_id uuid,
    role text NOT NULL DEFAULT 'unknown',
    method text NOT NULL,
    tool_name text NOT NULL,
    request_json jsonb NOT NULL DEFAULT '{}'::jsonb,
    response_json jsonb NOT NULL DEFAULT '{}'::jsonb,
    decision jsonb NOT NULL DEFAULT '{}'::jsonb,
    status_code integer NOT NULL,
    latency_ms integer NOT NULL CHECK (latency_ms >= 0)
);
INSERT INTO bansho_audit_events
SELECT gen_random_uuid(), ts, md5(api_key_id)::uuid, role, method, tool_name, request_json,
    response_json, decision, status_code, latency_ms::integer
FROM audit_events";
