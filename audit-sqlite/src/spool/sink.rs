use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId};
use audit_core::logger::IntentLog;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, LastAnswer, Receipt};
use audit_core::{Error, ErrorKind};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::backlog::{Backlog, Position};
use super::claim::{self, Claim};
use super::command::{Adopted, Batch, Command};
use super::config::SpoolConfig;
use super::dead_letter::{self, SpooledDeadLetter};
use super::forwarder::{Forwarder, Teller};
use super::intents::Orphans;
use super::metrics::Meters;
use super::opened::{self, Opened};
use super::remote::Remote;
use super::writer::Writer;

/// Keeps events on the disk of this machine, and sends them on to a store in their order.
///
/// An append answers twice: with [`Durability::Spooled`] when the batch is on the disk, and, by
/// [`Appended::last`], when the store has it. A store that is down costs nothing but disk; what it
/// refuses for good becomes a [dead letter](Self::dead_letters), and a loss event says so. A batch
/// leaves the disk only when the store has answered for it.
///
/// It is a log of intents as well ([`IntentLog`]): an attempt leaves it in the transaction that
/// keeps its record.
///
/// # Files
/// Each spool that is open has a file of its own in the folder, mode 0600, so several processes
/// may share a folder. What a process leaves that dies is taken over by the next one that is opened
/// there, or by one that is there already.
///
/// # What `Ok` means
/// The batch is in the write-ahead log of the file, and that was flushed to the disk (SQLite, WAL,
/// `synchronous=FULL`): it survives the kill of the process, and the loss of power as far as the
/// disk keeps what it said it had flushed. Batches that come at the same time share a flush.
///
/// # Cancel safety
/// As [`AuditSink`] says. A clone is cheap and writes to the same spool. When the last one is
/// dropped without a [`close`](AuditSink::close), what waits stays in the folder.
#[derive(Clone, Debug)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SpoolConfig,
    path: PathBuf,
    commands: mpsc::Sender<Command>,
    backlog: Arc<Backlog>,
    orphans: Arc<Orphans>,
    remote: Arc<dyn AuditSink>,
    last_durability: Durability,
    is_closed: AtomicBool,
    stop: watch::Sender<bool>,
    tasks: Mutex<Tasks>,
}

/// The tasks of a spool, until they were waited for.
#[derive(Debug)]
struct Tasks {
    writer: Option<JoinHandle<()>>,
    forwarder: Option<JoinHandle<()>>,
}

/// The most that waits for the writer: whoever comes next waits to be let in.
const MAX_WAITING: usize = 1_024;

impl Spool {
    /// Opens a spool before this store: takes over what processes left there that have died, and
    /// sends it on first.
    ///
    /// # Errors
    /// The configuration cannot work, the folder cannot be used, its files are of a newer version,
    /// there is no tokio runtime, or the store is a spool itself.
    pub async fn open(config: SpoolConfig, store: impl AuditSink) -> Result<Self, Error> {
        let store: Arc<dyn AuditSink> = Arc::new(store);
        config.check()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|source| {
            let text = "a spool needs a tokio runtime: open it inside one";
            Error::with_source(ErrorKind::Invalid, text, source)
        })?;
        if store.forwarding().is_some() {
            let text = "the store behind the spool answers twice, so it is a spool itself: leave \
                        one of them out";
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        claim::make_folder(config.folder())?;
        let mut orphans = Claim::orphans(config.folder())?.into_iter();
        let mut damaged = Vec::new();
        let (claim, opened) = loop {
            let claim = match orphans.next() {
                Some(claim) => claim,
                None => Claim::new_file(config.folder())?,
            };
            match opened::open(&claim).await {
                Ok(opened) => break (claim, opened),
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    damaged.push(opened::set_aside(claim, &error)?);
                }
                Err(error) => return Err(error),
            }
        };
        let Opened {
            connection,
            found,
            position,
        } = opened;

        let backlog = Arc::new(Backlog::new(config.window_bytes));
        backlog.found(found.last, found.size, found.oldest);
        backlog.forwarded(position, super::backlog::Size::default());
        let (commands, to_do) = mpsc::channel(MAX_WAITING);
        let (stop, stopped) = watch::channel(false);
        let last_durability = store.durability();
        let meters = Arc::new(Meters::new(&config.name));
        let path = claim.path().to_owned();
        let writer = Writer::new(
            path.clone(),
            connection,
            Arc::clone(&backlog),
            &config,
            &found,
        );
        let Adopted { intents, .. } = found;
        let attempts = Arc::new(Orphans::default());
        attempts.add(intents);
        let mut forwarder = Forwarder {
            path: path.clone(),
            reader: None,
            backlog: Arc::clone(&backlog),
            orphans: Arc::clone(&attempts),
            commands: commands.downgrade(),
            remote: Remote::new(
                Arc::clone(&store),
                config.answer_deadline,
                config.batch_events,
            ),
            meters,
            stop: stopped,
            teller: Teller::new()?,
            position,
            config: config.clone(),
        };
        let writer = runtime.spawn(async move {
            writer.run(to_do).await;
            // The file is somebody else's only when nothing writes to it any more.
            drop(claim);
        });
        for orphan in orphans {
            // It goes on only if the writer is gone.
            drop(forwarder.adopt_one(orphan).await);
        }
        for draft in damaged {
            forwarder.tell(draft).await?;
        }
        let forwarder = runtime.spawn(forwarder.run());
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                path,
                commands,
                backlog,
                orphans: attempts,
                remote: store,
                last_durability,
                is_closed: AtomicBool::new(false),
                stop,
                tasks: Mutex::new(Tasks {
                    writer: Some(writer),
                    forwarder: Some(forwarder),
                }),
            }),
        })
    }

    /// The file that this spool writes to.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.inner.path
    }

    /// Events that the store refused for good, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<SpooledDeadLetter>, Error> {
        dead_letter::list(&self.inner.path, limit).await
    }

    /// Sends a dead letter on its way again, behind all that waits; `false` if there is none of
    /// this number. Should the store refuse it again, it becomes one again.
    ///
    /// # Errors
    /// The spool is closed or cannot be written, or the letter cannot be read as an event.
    pub async fn retry_dead_letter(&self, dead_letter_id: i64) -> Result<bool, Error> {
        self.ask(|reply| Command::Retry(dead_letter_id, reply))
            .await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Error> {
        if self.inner.is_closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        let (reply, answer) = oneshot::channel();
        let sent = self.inner.commands.send(command(reply)).await;
        sent.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditSink for Spool {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if events.is_empty() && !self.inner.is_closed.load(Ordering::SeqCst) {
            return Ok(Appended::new(Vec::new()));
        }
        let (ticket, answer) = oneshot::channel();
        let batch = Batch::new(events.to_vec(), Some(ticket));
        let position = self.ask(|reply| Command::Append(batch, reply)).await?;
        let waiting = Waiting {
            position,
            backlog: Arc::clone(&self.inner.backlog),
        };
        let last_answer = LastAnswer::new(async move {
            let answered = answer.await;
            drop(waiting);
            answered.unwrap_or_else(|_| Err(left()))
        });
        let appended = Appended::new(vec![Receipt::Stored; events.len()]);
        Ok(appended.with_last_answer(last_answer))
    }

    /// Waits until the store has answered for everything that was spooled before the call.
    async fn flush(&self) -> Result<(), Error> {
        let inner = &*self.inner;
        let last = inner.backlog.last();
        let mut stopped = inner.stop.subscribe();
        let is_stopped = async {
            // Who sends it is this very value.
            drop(stopped.wait_for(|stopped| *stopped).await);
        };
        let is_flushed = tokio::select! {
            biased;
            () = inner.backlog.wait_for(last) => true,
            () = is_stopped => false,
        };
        if is_flushed {
            return inner.remote.flush().await;
        }
        Err(not_flushed(inner))
    }

    async fn health(&self) -> Health {
        let inner = &*self.inner;
        let size = inner.backlog.size();
        if inner.is_closed.load(Ordering::SeqCst) || inner.commands.is_closed() {
            return Health::unavailable("the spool is closed");
        }
        if size.bytes >= inner.config.max_bytes {
            return Health::unavailable("the spool is full");
        }
        if size.bytes >= inner.config.max_bytes / 5 * 4 {
            return Health::degraded("the spool is nearly full");
        }
        if let Some(error) = inner.backlog.trouble() {
            let text = format!(
                "events wait in the spool: {}",
                crate::error::with_sources(&error)
            );
            return Health::degraded(text);
        }
        Health::ready()
    }

    /// Takes no more, waits until the store has everything, at most as long as
    /// [`SpoolConfig::close_deadline`] says, and gives the file up.
    async fn close(&self) -> Result<(), Error> {
        let inner = &*self.inner;
        inner.is_closed.store(true, Ordering::SeqCst);
        let mut tasks = inner.tasks.lock().await;
        if tasks.writer.is_none() {
            return Ok(());
        }
        let flush = tokio::time::timeout(inner.config.close_deadline, self.flush());
        let flushed = flush.await.unwrap_or_else(|_| Err(not_flushed(inner)));
        inner.stop.send_replace(true);
        end_of(&mut tasks.forwarder).await;
        let (reply, _answer) = oneshot::channel();
        // A writer that has ended answers no more.
        drop(inner.commands.send(Command::Close(reply)).await);
        end_of(&mut tasks.writer).await;
        flushed
    }

    fn durability(&self) -> Durability {
        Durability::Spooled
    }

    fn forwarding(&self) -> Option<Forwarding> {
        let inner = &*self.inner;
        let size = inner.backlog.size();
        let forwarding = Forwarding::to(inner.last_durability);
        Some(forwarding.waiting(size.n_events, size.bytes, inner.backlog.oldest()))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IntentLog for Spool {
    async fn open(&self, intents: &[AuditEvent]) -> Result<(), Error> {
        let intents = intents.to_vec();
        self.ask(|reply| Command::OpenIntents(intents, reply)).await
    }

    async fn settle(&self, ids: &[EventId]) -> Result<(), Error> {
        let ids = ids.to_vec();
        self.ask(|reply| Command::SettleIntents(ids, reply)).await
    }

    async fn take_over(&self, limit: usize) -> Result<Vec<AuditEvent>, Error> {
        Ok(self.inner.orphans.take(limit))
    }
}

/// Whoever waits for the store's answer to a batch. Memory forgets the batch with it.
struct Waiting {
    position: Position,
    backlog: Arc<Backlog>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.backlog.forget(self.position);
    }
}

/// Waits for the end of a task, once; one that panicked has ended as well.
async fn end_of(task: &mut Option<JoinHandle<()>>) {
    if let Some(running) = task {
        drop(running.await);
        *task = None;
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the spool is closed")
}

fn left() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the event is on the disk, and the spool ended before its store had it: it is sent on when \
         the spool is opened again",
    )
}

fn not_flushed(inner: &Inner) -> Error {
    let n_events = inner.backlog.size().n_events;
    let folder = inner.config.folder().display();
    let text = format!(
        "{n_events} events wait in the spool {folder}, and are sent on when it is opened again"
    );
    Error::new(ErrorKind::Timeout, text)
}
