use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{EventDraft, EventId, Method, Outcome, Seq, Timestamp, WriterId};
use audit_core::sink::AuditSink;
use audit_core::{AuditEvent, AuditLogger};
use audit_sqlite::{Spool, SpoolConfig, SqliteConfig, SqliteStore};

use super::Failure;
use super::stored::Stored;

/// Appends while flushes of the disk work, fail, and work again, to a spool and to a store alone.
///
/// Whoever starts the process makes them fail, as long as the file `trigger` is there.
///
/// # Errors
/// An `Ok` where nothing was flushed, an `Err` where it was, or an event that is not there once.
pub async fn append_while_flushes_fail(folder: &Path, trigger: &Path) -> Result<(), Failure> {
    let config = SqliteConfig::new(folder.join("behind.db"));
    let behind = SqliteStore::open(&config).await?;
    let spool = Spool::open(SpoolConfig::new(folder.join("spool")), behind.clone()).await?;
    meet_faults(Arc::new(spool.clone()), &behind, trigger).await?;
    spool.close().await?;
    let alone = SqliteStore::open(&SqliteConfig::new(folder.join("alone.db"))).await?;
    meet_faults(Arc::new(alone.clone()), &alone, trigger).await
}

async fn meet_faults(
    sink: Arc<dyn AuditSink>,
    store: &SqliteStore,
    trigger: &Path,
) -> Result<(), Failure> {
    keep(&*sink, &[event(1)?]).await?;
    std::fs::write(trigger, "")?;
    for _ in 0..3 {
        let Err(error) = sink.append(&[event(2)?, event(3)?]).await else {
            return Err("an append was answered Ok, and the disk was not flushed".into());
        };
        if !error.is_retryable() {
            return Err(format!("what waiting mends is not said to be so: {error:?}").into());
        }
    }
    // A logger does not answer until it works.
    let logger = AuditLogger::builder(Arc::clone(&sink)).build()?;
    let mut logged = Box::pin(logger.log_event(draft(4)?));
    while logger.counters().retries < 3 {
        let answered = tokio::time::timeout(Duration::from_millis(1), &mut logged).await;
        if let Ok(answer) = answered {
            return Err(format!("a caller was answered meanwhile: {answer:?}").into());
        }
    }
    std::fs::remove_file(trigger)?;
    logged.await?;
    keep(&*sink, &[event(2)?, event(3)?]).await?;
    sink.flush().await?;
    let stored = Stored::read(store, 0).await?;
    let mut ids: Vec<_> = stored.events.iter().map(|event| event.id).collect();
    ids.sort_unstable();
    let mut expected = (1..=4)
        .map(|number| Ok(event(number)?.id))
        .collect::<Result<Vec<EventId>, Failure>>()?;
    expected.sort_unstable();
    if ids != expected {
        return Err(format!("4 events were kept, and there are {ids:?}").into());
    }
    Ok(())
}

async fn keep(sink: &dyn AuditSink, events: &[AuditEvent]) -> Result<(), Failure> {
    let appended = sink.append(events).await?;
    if appended.is_all_kept() {
        return Ok(());
    }
    Err(format!("an event was refused: {appended:?}").into())
}

fn draft(number: u64) -> Result<EventDraft, Failure> {
    let ts = Timestamp::from_micros(1_700_000_000_000_000)?;
    let draft = EventDraft::new(Method::tools_call());
    Ok(draft
        .ts(ts)
        .id(EventId::new(ts, number))
        .outcome(Outcome::Ok))
}

fn event(number: u64) -> Result<AuditEvent, Failure> {
    Ok(draft(number)?.stamp(WriterId::new("flushes")?, Seq::new(number)?)?)
}
