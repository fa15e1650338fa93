use std::path::Path;

use audit_core::sink::Receipt;
use audit_core::{AuditSink as _, Error};
use audit_postgres::PostgresMaintainer;
use audit_sqlite::{Spool, SqliteStore};

use super::letter::Letter;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::store::{self, StoreAddress, spool};

/// A store, to be asked for what it has set aside.
pub(super) enum Source {
    Postgres(PostgresMaintainer),
    Sqlite(SqliteStore),
}

/// What came of trying again.
#[derive(Default)]
pub(super) struct Retried {
    pub(super) n_stored: u64,
    pub(super) n_refused: u64,
}

/// How many letters are read at once.
const PAGE: u16 = 1_000;

impl Source {
    pub(super) async fn open(address: &StoreAddress) -> Result<Self, Failure> {
        match address {
            StoreAddress::Memory => Err(store::gone()),
            StoreAddress::Postgres { config, .. } => PostgresMaintainer::connect(config)
                .await
                .map(Self::Postgres)
                .map_err(|error| store::unusable(address, &error)),
            StoreAddress::Sqlite(config) => {
                store::check_there(address, config)?;
                let store = SqliteStore::open(config).await;
                store
                    .map(Self::Sqlite)
                    .map_err(|error| store::unusable(address, &error))
            }
        }
    }

    pub(super) async fn letters(&self, limit: usize) -> Result<Vec<Letter>, Failure> {
        let mut letters = Vec::new();
        while letters.len() < limit {
            let left = u16::try_from(limit - letters.len()).unwrap_or(PAGE);
            let after = letters.last().map(|it: &Letter| it.number);
            let page = self.page(after, std::cmp::min(left, PAGE)).await;
            let page = page.map_err(|error| store::unanswered(&error))?;
            if page.is_empty() {
                break;
            }
            letters.extend(page);
        }
        Ok(letters)
    }

    /// Each letter once, also if it is refused again.
    pub(super) async fn retry_all(&self) -> Result<Retried, Failure> {
        let mut retried = Retried::default();
        let mut after = None;
        loop {
            let page = self.page(after, PAGE).await;
            let page = page.map_err(|error| store::unanswered(&error))?;
            let numbers: Vec<i64> = page.iter().map(|letter| letter.number).collect();
            let Some(last) = numbers.last() else {
                return Ok(retried);
            };
            after = Some(*last);
            retried.add(&self.retry(&numbers).await?);
        }
    }

    pub(super) async fn retry(&self, numbers: &[i64]) -> Result<Retried, Failure> {
        let mut retried = Retried::default();
        for number in numbers {
            let receipt = match self {
                Self::Postgres(maintainer) => maintainer.dead_letters().retry(*number).await,
                Self::Sqlite(store) => store.dead_letters().retry(*number).await,
            };
            match receipt {
                Ok(receipt) => retried.note(*number, &receipt),
                Err(error) => return Err(not_retried(*number, &error)),
            }
        }
        Ok(retried)
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(store) => store
                .close()
                .await
                .map_err(|error| Failure::because("the store was not closed in order", &error)),
        }
    }

    async fn page(&self, after: Option<i64>, limit: u16) -> Result<Vec<Letter>, Error> {
        let place = || "store".to_owned();
        match self {
            Self::Postgres(maintainer) => {
                let letters = maintainer.dead_letters().list(after, limit).await?;
                let letters = letters.into_iter().map(|it| Letter {
                    place: place(),
                    number: it.number,
                    event_id: Some(it.event_id),
                    reason: it.reason,
                    set_aside_at: it.set_aside_at,
                    event: Some(it.event),
                });
                Ok(letters.collect())
            }
            Self::Sqlite(store) => {
                let letters = store.dead_letters().list(after, limit).await?;
                let letters = letters.into_iter().map(|it| Letter {
                    place: place(),
                    number: it.number,
                    event_id: Some(it.event_id),
                    reason: it.reason,
                    set_aside_at: it.set_aside_at,
                    event: Some(it.event),
                });
                Ok(letters.collect())
            }
        }
    }
}

impl Retried {
    pub(super) fn add(&mut self, other: &Self) {
        self.n_stored += other.n_stored;
        self.n_refused += other.n_refused;
    }

    fn note(&mut self, number: i64, receipt: &Receipt) {
        match receipt {
            Receipt::Stored | Receipt::AlreadyStored => self.n_stored += 1,
            Receipt::Refused(refusal) => {
                self.n_refused += 1;
                output::tell(format_args!("{number}: {refusal}"));
            }
            _ => self.n_refused += 1,
        }
    }
}

fn not_retried(number: i64, error: &Error) -> Failure {
    let failure = Failure::because(format!("dead letter {number} was not tried again"), error);
    match error.is_rejected() {
        true => failure.exit(Exit::NotFound),
        false => failure,
    }
}

/// The letters of the files of a spool, which are left alone.
pub(super) async fn of_spool(
    folder: Option<&Path>,
    address: &StoreAddress,
    limit: usize,
) -> Result<Vec<Letter>, Failure> {
    let unreadable = |error| Failure::because("the spool cannot be read", &error);
    let folder = spool::folder(folder, address)?;
    let mut letters = Vec::new();
    for file in Spool::survey(&folder).await.map_err(unreadable)? {
        let found = file.dead_letters(limit - letters.len()).await;
        let place = file.path.display().to_string();
        letters.extend(found.map_err(unreadable)?.into_iter().map(|it| Letter {
            place: place.clone(),
            number: it.dead_letter_id,
            event_id: it.event_id,
            reason: it.reason,
            set_aside_at: it.set_aside_at,
            event: it.event.map(|event| event.to_json()),
        }));
    }
    Ok(letters)
}

/// Sends the letters of a spool on their way again, and waits for what the store says of them.
pub(super) async fn retry_spool(
    folder: Option<&Path>,
    address: &StoreAddress,
) -> Result<Retried, Failure> {
    let failed = |error| Failure::because("the spool's dead letters were not tried again", &error);
    let folder = spool::folder(folder, address)?;
    // What belongs to a process that is at work is not touched.
    let letters_in = async || -> Result<u64, Failure> {
        let files = Spool::survey(&folder).await.map_err(failed)?;
        let left = files.iter().filter(|file| !file.is_in_use);
        Ok(left.map(|file| file.n_dead_letters).sum())
    };
    if letters_in().await? == 0 {
        return Ok(Retried::default());
    }
    let store = store::open(address).await?;
    let spool = spool::open(Some(&folder), address, store.sink).await?;
    let letters = spool
        .dead_letters(usize::from(u16::MAX))
        .await
        .map_err(failed)?;
    let mut n_sent = 0;
    for letter in &letters {
        n_sent += u64::from(
            spool
                .retry_dead_letter(letter.dead_letter_id)
                .await
                .map_err(failed)?,
        );
    }
    let closed = spool.close().await;
    let n_refused = letters_in().await?;
    closed.map_err(|error| {
        failed(error)
            .advice("they wait in the spool: audit spool drain")
            .exit(Exit::Incomplete)
    })?;
    Ok(Retried {
        n_stored: n_sent.saturating_sub(n_refused),
        n_refused,
    })
}
