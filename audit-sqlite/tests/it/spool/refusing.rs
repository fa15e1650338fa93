//! What the store refuses is set aside, told, and can be tried again.

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::logger::LOSS_METHOD;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt, Refusal};
use audit_core::{Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::fixture;

use super::support::{Folder, soon};

/// Refuses every third event, as long as it is told to.
#[derive(Clone, Debug)]
struct EveryThird {
    store: MemoryStore,
    refuses: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl EveryThird {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            refuses: std::sync::Arc::new(true.into()),
        }
    }

    fn refuses(&self, event: &AuditEvent) -> bool {
        self.refuses.load(std::sync::atomic::Ordering::SeqCst)
            && event.method.as_str() != LOSS_METHOD
            && event.seq.get().is_multiple_of(3)
    }
}

#[async_trait]
impl AuditSink for EveryThird {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut receipts = Vec::new();
        for event in events {
            receipts.push(if self.refuses(event) {
                Receipt::Refused(Refusal::unstorable("every third"))
            } else {
                let one = self.store.append(std::slice::from_ref(event)).await?;
                one.into_receipts().remove(0)
            });
        }
        Ok(Appended::new(receipts))
    }

    async fn flush(&self) -> Result<(), Error> {
        self.store.flush().await
    }

    async fn health(&self) -> Health {
        self.store.health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.store.close().await
    }

    fn durability(&self) -> Durability {
        self.store.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

#[tokio::test]
async fn each_refused_event_is_a_dead_letter_and_a_loss_event_counts_them() {
    let folder = Folder::new();
    let store = EveryThird::new();
    let spool = folder.open(store.clone()).await;
    let events = fixture::events(1..=30);
    let appended = spool.append(&events).await.unwrap();
    let last = soon(appended.last()).await.unwrap();
    let n_refused = last.iter().filter(|receipt| !receipt.is_kept()).count();
    assert_eq!(n_refused, 10);
    soon(spool.flush()).await.unwrap();
    // The loss event is spooled behind what it tells of.
    soon(store.store.wait_for(|events| events.len() == 21)).await;

    let letters = spool.dead_letters(99).await.unwrap();
    let set_aside: Vec<_> = letters
        .iter()
        .map(|letter| letter.event.clone().unwrap())
        .collect();
    let refused: Vec<_> = events
        .iter()
        .filter(|event| event.seq.get() % 3 == 0)
        .cloned()
        .collect();
    assert_eq!(set_aside, refused);
    assert!(letters.iter().all(|letter| letter.reason == "every third"));
    assert_eq!(spool.dead_letters(4).await.unwrap().len(), 4);

    let recorded = store.store.recorded();
    let told = recorded
        .iter()
        .find(|event| event.method.as_str() == LOSS_METHOD)
        .unwrap();
    let json = told.request().unwrap().json().unwrap();
    let told: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        (&told["reason"], &told["count"]),
        (&"unstorable".into(), &10.into())
    );
    assert_eq!(told["since"], serde_json::to_value(refused[0].ts).unwrap());
    assert_eq!(told["until"], serde_json::to_value(refused[9].ts).unwrap());

    // A store that was mended takes them.
    store
        .refuses
        .store(false, std::sync::atomic::Ordering::SeqCst);
    for letter in &letters {
        assert!(
            spool
                .retry_dead_letter(letter.dead_letter_id)
                .await
                .unwrap()
        );
    }
    assert!(
        !spool
            .retry_dead_letter(letters[0].dead_letter_id)
            .await
            .unwrap()
    );
    soon(spool.flush()).await.unwrap();
    assert!(spool.dead_letters(9).await.unwrap().is_empty());
    let recorded = store.store.recorded();
    assert_eq!(recorded.len(), 31);
    assert!(events.iter().all(|event| recorded.contains(event)));
}

#[tokio::test]
async fn an_event_that_the_store_panics_at_is_set_aside_alone() {
    #[derive(Debug)]
    struct Panics(MemoryStore);

    #[async_trait]
    impl AuditSink for Panics {
        async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
            let is_poison = |event: &AuditEvent| event.seq.get() == 5;
            assert!(!events.iter().any(is_poison), "poison");
            self.0.append(events).await
        }

        async fn flush(&self) -> Result<(), Error> {
            self.0.flush().await
        }

        async fn health(&self) -> Health {
            self.0.health().await
        }

        async fn close(&self) -> Result<(), Error> {
            self.0.close().await
        }

        fn durability(&self) -> Durability {
            self.0.durability()
        }

        fn forwarding(&self) -> Option<Forwarding> {
            None
        }
    }

    let folder = Folder::new();
    let store = MemoryStore::new();
    let spool = folder.open(Panics(store.clone())).await;
    let events = fixture::events(1..=4).into_iter();
    let events: Vec<_> = events.chain(fixture::events(5..=9)).collect();
    let appended = spool.append(&events).await.unwrap();
    let last = soon(appended.last()).await.unwrap();
    let refused: Vec<_> = (0..)
        .zip(&last)
        .filter(|(_, it)| !it.is_kept())
        .map(|(place, _)| place)
        .collect();
    assert_eq!(refused, [4]);
    let letters = spool.dead_letters(9).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event_id, Some(events[4].id));
}

#[tokio::test]
async fn a_row_that_holds_no_events_is_set_aside_and_not_waited_for() {
    use audit_testkit::{FaultPlan, FaultySink};
    use sqlx::ConnectOptions as _;

    let folder = Folder::new();
    let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let spool = folder.open(down).await;
    for number in 1..=3 {
        drop(spool.append(&fixture::events([number])).await.unwrap());
    }
    let path = spool.path().to_owned();
    super::support::crash(spool).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    sqlx::query("UPDATE batches SET events = x'7b7d' WHERE position = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.n_events(), 2);
    let letters = spool.dead_letters(9).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].event.is_none() && letters[0].event_id.is_none());
    let error = spool
        .retry_dead_letter(letters[0].dead_letter_id)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(
        spool.dead_letters(9).await.unwrap().len(),
        1,
        "it is still there"
    );
}
