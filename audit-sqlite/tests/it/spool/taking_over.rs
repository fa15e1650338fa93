//! What a process leaves that dies is taken over once, and by nobody while it lives.

use audit_core::AuditSink as _;
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, fixture};

use super::support::{Folder, crash, event, soon};

fn down() -> FaultySink<MemoryStore> {
    FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever())
}

#[tokio::test]
async fn a_spool_that_lives_is_read_by_nobody_else() {
    let folder = Folder::new();
    let first = folder.open(down()).await;
    drop(first.append(&fixture::events(1..=3)).await.unwrap());
    let store = MemoryStore::new();
    let second = folder.open(store.clone()).await;
    assert_ne!(first.path(), second.path());
    drop(second.append(&[event(4)]).await.unwrap());
    soon(second.flush()).await.unwrap();
    // It has looked for orphans by then.
    for _ in 0..20 {
        drop(second.append(&[event(4)]).await.unwrap());
        soon(second.flush()).await.unwrap();
    }
    assert_eq!(store.recorded(), [event(4)]);
    assert_eq!(folder.files().len(), 2);
    crash(first).await;
    soon(store.wait_for(|events| events.len() == 4)).await;
    soon(async {
        while folder.files().len() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(folder.files(), [second.path()]);
    soon(second.flush()).await.unwrap();
    assert_eq!(second.forwarding().unwrap().n_events, 0);
}

#[tokio::test]
async fn the_next_one_takes_everything_over_dead_letters_and_all() {
    let folder = Folder::new();
    let mut left = Vec::new();
    for number in 0..3_u64 {
        let spool = folder.open(down()).await;
        let events = fixture::events(number * 10 + 1..=number * 10 + 10);
        drop(spool.append(&events).await.unwrap());
        left.push(spool);
    }
    assert_eq!(folder.files().len(), 3);
    for spool in left {
        crash(spool).await;
    }
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    soon(spool.flush()).await.unwrap();
    soon(store.wait_for(|events| events.len() == 30)).await;
    assert_eq!(folder.files(), [spool.path()], "one file is left");
    let mut stored = store.recorded();
    stored.sort_by_key(|event| event.id);
    assert_eq!(stored, fixture::events(1..=30));
}

#[tokio::test]
async fn of_two_that_open_at_once_one_takes_over() {
    let folder = Folder::new();
    let spool = folder.open(down()).await;
    drop(spool.append(&fixture::events(1..=50)).await.unwrap());
    crash(spool).await;
    let (a, b) = (MemoryStore::new(), MemoryStore::new());
    let (first, second) = tokio::join!(folder.open(a.clone()), folder.open(b.clone()));
    soon(first.flush()).await.unwrap();
    soon(second.flush()).await.unwrap();
    let mut counts = [a.n_events(), b.n_events()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 50]);
}

#[tokio::test]
async fn a_removal_that_a_crash_cut_short_brings_nothing_back() {
    let folder = Folder::new();
    let spool = folder.open(down()).await;
    drop(spool.append(&fixture::events(1..=3)).await.unwrap());
    let path = spool.path().to_owned();
    let log = path.with_extension("db-wal");
    let content = std::fs::read(&log).unwrap();
    crash(spool).await;
    // Its content is elsewhere; the database was removed, and then the process died.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&log, content).unwrap();
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    assert_ne!(spool.path(), path);
    drop(spool.append(&[event(4)]).await.unwrap());
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.recorded(), [event(4)]);
    assert_eq!(folder.files(), [spool.path()]);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_an_event_says_so() {
    let folder = Folder::new();
    let spool = folder.open(down()).await;
    drop(spool.append(&[event(1)]).await.unwrap());
    let path = spool.path().to_owned();
    crash(spool).await;
    std::fs::write(
        &path,
        b"this is no database, whatever it may have been before",
    )
    .unwrap();
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    assert_ne!(spool.path(), path);
    drop(spool.append(&[event(2)]).await.unwrap());
    soon(spool.flush()).await.unwrap();
    let recorded = store.recorded();
    assert_eq!(recorded[0].method.as_str(), audit_sqlite::DAMAGE_METHOD);
    let told = recorded[0].request().unwrap().json().unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    assert!(
        told.contains(&*name) && told.contains(".damaged-"),
        "{told}"
    );
    assert_eq!(recorded[1..], [event(2)]);
    let is_kept = |name: &str| {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        names.any(|it| it.to_string_lossy().contains(name))
    };
    assert!(is_kept(".damaged-"));
    assert_eq!(folder.files(), [spool.path()]);
}
