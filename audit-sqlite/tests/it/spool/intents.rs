//! The spool as a log of intents.

use audit_core::AuditSink as _;
use audit_core::event::{AuditEvent, EventDraft, Method, Outcome, WriterId};
use audit_core::logger::IntentLog as _;
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, fixture};

use super::support::{Folder, crash, soon};

fn intent(number: u64) -> AuditEvent {
    let draft: EventDraft = EventDraft::new(Method::tools_call());
    draft
        .ts(fixture::moment(number))
        .id(fixture::event_id(number))
        .outcome(Outcome::Interrupted)
        .stamp(
            WriterId::new("intent").unwrap(),
            audit_core::event::Seq::FIRST,
        )
        .unwrap()
}

#[tokio::test]
async fn an_attempt_is_taken_over_once_when_its_owner_has_died() {
    let folder = Folder::new();
    let first = folder.open(MemoryStore::new()).await;
    first.open(&[intent(1), intent(2)]).await.unwrap();
    first.open(&[intent(3)]).await.unwrap();
    assert!(
        first.take_over(9).await.unwrap().is_empty(),
        "its owner lives"
    );
    first.settle(&[intent(2).id]).await.unwrap();
    let second = folder.open(MemoryStore::new()).await;
    assert!(
        second.take_over(9).await.unwrap().is_empty(),
        "its owner lives"
    );
    crash(second).await;
    crash(first).await;
    let third = folder.open(MemoryStore::new()).await;
    assert_eq!(third.take_over(1).await.unwrap(), [intent(1)]);
    assert_eq!(third.take_over(9).await.unwrap(), [intent(3)]);
    assert!(third.take_over(9).await.unwrap().is_empty());
    // What was given out and not settled is found again.
    third.settle(&[intent(1).id]).await.unwrap();
    crash(third).await;
    let fourth = folder.open(MemoryStore::new()).await;
    assert_eq!(fourth.take_over(9).await.unwrap(), [intent(3)]);
}

#[tokio::test]
async fn a_record_takes_its_attempt_along_in_one_transaction() {
    let folder = Folder::new();
    let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let spool = folder.open(down).await;
    spool.open(&[intent(1), intent(2)]).await.unwrap();
    drop(spool.append(&[fixture::event(1)]).await.unwrap());
    crash(spool).await;
    let spool = folder.open(MemoryStore::new()).await;
    assert_eq!(spool.take_over(9).await.unwrap(), [intent(2)]);
}

#[tokio::test]
async fn what_is_presumed_gives_way_to_what_the_store_knows() {
    let folder = Folder::new();
    let store = MemoryStore::new();
    assert!(
        store
            .append(&[fixture::event(1)])
            .await
            .unwrap()
            .is_all_kept()
    );
    let spool = folder.open(store.clone()).await;
    drop(spool.append(&[intent(1)]).await.unwrap());
    soon(spool.flush()).await.unwrap();
    assert!(spool.dead_letters(9).await.unwrap().is_empty());
    assert_eq!(store.recorded(), [fixture::event(1)]);
}

#[tokio::test]
async fn a_sibling_that_lives_takes_over_what_a_process_left() {
    let folder = Folder::new();
    let first = folder.open(MemoryStore::new()).await;
    first.open(&[intent(1)]).await.unwrap();
    let second = folder.open(MemoryStore::new()).await;
    second.open(&[intent(2)]).await.unwrap();
    crash(first).await;
    let taken = soon(async {
        loop {
            let taken = second.take_over(9).await.unwrap();
            if !taken.is_empty() {
                return taken;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(taken, [intent(1)], "its own attempt is still open");
}

#[tokio::test]
async fn an_attempt_that_stands_in_two_files_is_given_out_once() {
    let folder = Folder::new();
    let spool = folder.open(MemoryStore::new()).await;
    spool.open(&[intent(1), intent(2)]).await.unwrap();
    let path = spool.path().to_owned();
    crash(spool).await;
    // Who took the file over died before it was removed.
    for suffix in ["", "-wal"] {
        let name = path.file_name().unwrap().to_string_lossy();
        let from = folder.path().join(format!("{name}{suffix}"));
        let to = folder.path().join(format!("spool-copy.db{suffix}"));
        if from.exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    let spool = folder.open(MemoryStore::new()).await;
    assert_eq!(spool.take_over(9).await.unwrap(), [intent(1), intent(2)]);
    assert_eq!(folder.files(), [spool.path()]);
}
