//! Several who have one file open. Two stores of one process know as little of each other as those
//! of two: each has its own task, connections and lock. One test has two processes all the same.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::reader::{AuditReader, Filter, FollowFrom, FollowRequest};
use audit_core::sink::AuditSink;
use audit_sqlite::{SqliteConfig, SqliteReader, SqliteStore};
use audit_testkit::fixture;
use tokio::task::JoinSet;

use crate::database::{Database, keep, list, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_is_begun_by_many_at_once() {
    for _ in 0..5 {
        let database = Database::new();
        let mut tasks = JoinSet::new();
        for number in 1..=8 {
            let config = database.config();
            tasks.spawn(async move {
                let store = SqliteStore::open(&config).await.expect("it can be opened");
                keep(&store, &fixture::events(number..=number)).await;
                store
            });
        }
        let stores = tasks.join_all().await;
        for store in &stores {
            assert_eq!(list(store).await, fixture::events(1..=8));
        }
        let runs: String = database
            .value("SELECT group_concat(version) FROM audit_migrations")
            .await;
        assert_eq!(runs, "1,2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_write_lose_and_double_nothing() {
    let database = Database::new();
    let stores = [database.open().await, database.open().await];
    let mut tasks = JoinSet::new();
    // Each brings half of its own, and half of what the other brings too.
    for (store, numbers) in stores.clone().into_iter().zip([1..=300, 200..=500]) {
        tasks.spawn(async move {
            for batch in fixture::events(numbers).chunks(7) {
                keep(&store, batch).await;
                tokio::task::yield_now().await;
            }
        });
    }
    tasks.join_all().await;
    for store in &stores {
        assert_eq!(list(store).await, fixture::events(1..=500));
    }
    let check: String = database.value("PRAGMA integrity_check").await;
    assert_eq!(check, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_told_what_another_process_commits() {
    let database = Database::new();
    let (store, other) = (database.open().await, database.open().await);
    let reader = SqliteReader::open(&database.config()).await.unwrap();
    for follower in [store.reader(), &reader] {
        let now = FollowRequest::new(Filter::all()).from(FollowFrom::Now);
        let position = follower.follow(&now).await.unwrap().position;
        let request = FollowRequest::new(Filter::all())
            .from(FollowFrom::After(position))
            .wait(Duration::from_secs(60));
        let number = u64::try_from(list(&store).await.len()).unwrap() + 1;
        let follower = follower.clone();
        let follower = tokio::spawn(async move { follower.follow(&request).await });
        keep(&other, &fixture::events(number..=number)).await;
        let told = tokio::time::timeout(Duration::from_secs(10), follower);
        let told = told.await.expect("long before its time").unwrap().unwrap();
        assert_eq!(told.events[0].event, fixture::event(number));
    }
}

#[tokio::test]
async fn who_waits_too_long_is_told_and_loses_nothing() {
    let database = Database::new();
    let config = database.config().busy_timeout(Duration::from_millis(50));
    let store = SqliteStore::open(&config).await.unwrap();
    let mut other = database.connect().await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let error = store.append(&fixture::events(1..=3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("busy_timeout"), "{why}");
    assert!(!store.health().await.is_ready());
    // Readers do not wait for who writes.
    assert!(list(&store).await.is_empty());
    run(&mut other, "COMMIT").await;
    keep(&store, &fixture::events(1..=3)).await;
    assert!(store.health().await.is_ready());
    assert_eq!(list(&store).await, fixture::events(1..=3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_long_enough_is_served() {
    let database = Database::new();
    let store = database.open().await;
    let mut other = database.connect().await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.append(&fixture::events(1..=3)).await })
    };
    // The append is on its way or waits: either way it is not refused.
    tokio::task::yield_now().await;
    run(&mut other, "COMMIT").await;
    assert!(waiting.await.unwrap().unwrap().is_all_kept());
}

#[tokio::test]
async fn an_append_that_is_dropped_while_it_waits_leaves_the_store_usable() {
    let database = Database::new();
    let store = database.open().await;
    let mut other = database.connect().await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let batch = fixture::events(1..=3);
    let dropped = tokio::time::timeout(Duration::from_millis(20), store.append(&batch)).await;
    dropped.unwrap_err();
    run(&mut other, "COMMIT").await;
    keep(&store, &fixture::events(3..=5)).await;
    assert_eq!(list(&store).await, fixture::events(1..=5));
}

#[tokio::test]
async fn an_append_in_line_behind_a_close_is_told_so() {
    let database = Database::new();
    let store = database.open().await;
    let (before, behind) = (fixture::events(1..=3), fixture::events(4..=6));
    // All three stand in line before the writer gets the one thread of this runtime.
    let (before, closed, behind) =
        tokio::join!(store.append(&before), store.close(), store.append(&behind));
    assert!(before.unwrap().is_all_kept());
    closed.unwrap();
    let error = behind.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    assert_eq!(list(&store).await, fixture::events(1..=3));
}

#[tokio::test]
async fn many_callers_share_a_transaction() {
    let database = Database::new();
    let store = database.open().await;
    // One table that counts commits would be a commit of its own: the log counts them instead.
    let n_commits = async || {
        let pages: Vec<u8> = std::fs::read(database.folder().join("audit.db-wal")).unwrap();
        // A frame is a page behind 24 bytes; the second word of a commit's last one is not 0.
        let frames = pages[32..].chunks_exact(24 + 4_096);
        frames.filter(|frame| frame[4..8] != [0; 4]).count()
    };
    let before = n_commits().await;
    let mut other = database.connect().await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let mut tasks = JoinSet::new();
    for number in 1..=100 {
        let store = store.clone();
        tasks.spawn(async move { keep(&store, &fixture::events(number..=number)).await });
    }
    // All of them are handed over now, on the one thread of this runtime.
    tokio::task::yield_now().await;
    run(&mut other, "COMMIT").await;
    tasks.join_all().await;
    let n_commits = n_commits().await - before;
    assert!((1..=3).contains(&n_commits), "{n_commits}");
    assert_eq!(list(&store).await.len(), 100);
}

/// The file of another process's test, which [`a_process_that_is_killed_leaves_what_it_answered_for`]
/// gives to [`a_process_appends_batch_after_batch`].
const FILE: &str = "AUDIT_SQLITE_TEST_FILE";
/// Where the numbers of that process begin.
const THEIRS: u64 = 1_000_000;

#[tokio::test]
async fn a_process_appends_batch_after_batch() {
    let own = Database::new();
    let given = std::env::var_os(FILE).map(PathBuf::from);
    let is_given = given.is_some();
    let n_batches = if is_given { 5_000 } else { 20 };
    let path = given.unwrap_or_else(|| own.path());
    let store = SqliteStore::open(&SqliteConfig::new(path)).await.unwrap();
    for number in 0..n_batches {
        let first = THEIRS + number * 5;
        keep(&store, &fixture::events(first..first + 5)).await;
        if is_given {
            writeln!(std::io::stdout(), "kept {first}").unwrap();
        }
    }
    assert_eq!(
        store.count(&Filter::all(), 100).await.unwrap().n_events,
        100
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_leaves_what_it_answered_for() {
    let database = Database::new();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["processes::a_process_appends_batch_after_batch", "--exact"])
        .arg("--nocapture")
        .env(FILE, database.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(other.stdout.take().unwrap());
    let killed = tokio::task::spawn_blocking(move || {
        let mut kept: Vec<u64> = Vec::new();
        for line in said.lines() {
            let line = line.unwrap();
            kept.extend(
                line.strip_prefix("kept ")
                    .map(|it| it.parse::<u64>().unwrap()),
            );
            if kept.len() == 40 {
                // By SIGKILL, in the middle of the next batch.
                other.kill().unwrap();
            }
        }
        other.wait().unwrap();
        kept
    });
    let store = database.open().await;
    let mine = fixture::events(1..=300);
    for batch in mine.chunks(3) {
        keep(&store, batch).await;
    }
    let kept = killed.await.unwrap();
    assert!(kept.len() >= 40, "{kept:?}");
    let held = list(&store).await;
    assert_eq!(held[..300], mine);
    // What was answered for is there, and of what was not, a whole batch or nothing.
    let theirs = &held[300..];
    let n_batches = u64::try_from(theirs.len()).unwrap() / 5;
    assert!(
        n_batches >= u64::try_from(kept.len()).unwrap(),
        "{n_batches}"
    );
    assert_eq!(theirs, fixture::events(THEIRS..THEIRS + n_batches * 5));
    let check: String = database.value("PRAGMA integrity_check").await;
    assert_eq!(check, "ok");
    // Its lock went with it.
    assert_eq!(database.open().await.set_aside(), None);
}
