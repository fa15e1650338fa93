use std::fmt;
use std::sync::Arc;

use audit_core::event::{AuditEvent, Timestamp};
use audit_core::sink::Receipt;
use audit_core::{Clock as _, Error, ErrorKind, SystemClock};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::append_behind;
use super::insert::APPENDING;
use super::job::{BoxFuture, Job, Task};
use crate::connection::Connector;
use crate::error::convert;
use crate::file::Identity;
use crate::lock::Lock;

/// The handle of the task that writes. Whoever drops a future of it leaves that task alone: what
/// was handed over is done whole.
#[derive(Clone)]
pub(crate) struct Writer {
    sender: mpsc::Sender<Message>,
    /// Ends with the task.
    ended: watch::Receiver<()>,
}

enum Message {
    Append(Request),
    Close,
    Run(Box<dyn Job>),
}

/// A batch of one caller.
struct Request {
    events: Vec<AuditEvent>,
    answer: oneshot::Sender<Result<Vec<Receipt>, Error>>,
}

/// The task: the only one of the process that writes to the file.
struct WriterTask {
    connector: Connector,
    identity: Identity,
    /// None that has a transaction: what failed is closed, which rolls it back.
    connection: Option<SqliteConnection>,
    committed: Arc<Notify>,
    /// Held as long as the task may write.
    _lock: Lock,
    _ended: watch::Sender<()>,
}

/// How many callers may stand in line; the others wait to be let in.
const MAX_WAITING: usize = 1_024;
/// A transaction takes in whoever waits until it has so many events.
const MAX_EVENTS: usize = 4_096;

impl Writer {
    /// Starts the task on the runtime of the caller.
    pub(crate) fn start(
        connector: Connector,
        identity: Identity,
        connection: SqliteConnection,
        committed: Arc<Notify>,
        lock: Lock,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let (ends, ended) = watch::channel(());
        let task = WriterTask {
            connector,
            identity,
            connection: Some(connection),
            committed,
            _lock: lock,
            _ended: ends,
        };
        tokio::spawn(task.run(receiver));
        Self { sender, ended }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Appends a batch, in a transaction that others may share.
    pub(super) async fn append(&self, events: Vec<AuditEvent>) -> Result<Vec<Receipt>, Error> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Append(Request { events, answer });
        self.ask(message, answered).await
    }

    /// Does something in a transaction of its own.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, Timestamp) -> BoxFuture<'c, Result<T, Error>>
            + Send
            + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let task = Task {
            work: Some(work),
            value: None,
            answer,
        };
        self.ask(Message::Run(Box::new(task)), answered).await
    }

    /// Whether a transaction could be begun now.
    pub(super) async fn probe(&self) -> Result<(), Error> {
        self.run(|_, _| Box::pin(async { Ok(()) })).await
    }

    /// Ends the task behind what it was given, and waits for that.
    pub(super) async fn close(&self) {
        // It may have ended already.
        drop(self.sender.send(Message::Close).await);
        // Nothing is ever sent: this waits for the other end to be dropped.
        drop(self.ended.clone().changed().await);
    }

    async fn ask<T>(
        &self,
        message: Message,
        answered: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let sent = self.sender.send(message).await;
        sent.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| {
            let text = "the store ended before it answered, with the runtime that it was opened on";
            Err(Error::new(ErrorKind::Unavailable, text))
        })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field(
                "n_waiting",
                &(self.sender.max_capacity() - self.sender.capacity()),
            )
            .field("is_closed", &self.sender.is_closed())
            .finish_non_exhaustive()
    }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was closed")
}

impl WriterTask {
    async fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
        let mut next = receiver.recv().await;
        while let Some(message) = next.take() {
            match message {
                Message::Append(first) => {
                    // Who was answered a moment ago, and comes again at once, is let in.
                    tokio::task::yield_now().await;
                    let (group, behind) = gather(first, &mut receiver);
                    self.append(group).await;
                    next = behind;
                }
                Message::Close => break,
                Message::Run(job) => self.work(job).await,
            }
            if next.is_none() {
                next = receiver.recv().await;
            }
        }
        receiver.close();
        while let Some(message) = receiver.recv().await {
            message.refuse();
        }
        if let Some(connection) = self.connection.take() {
            // What it would say is that the log could not be taken in, which the next one does.
            drop(connection.close().await);
        }
    }

    async fn append(&mut self, group: Vec<Request>) {
        match self.try_append(&group).await {
            Ok(receipts) => {
                let mut receipts = receipts.into_iter();
                for request in group {
                    let own = receipts.by_ref().take(request.events.len()).collect();
                    // Whoever asked may have left.
                    drop(request.answer.send(Ok(own)));
                }
            }
            Err(error) => {
                for request in group {
                    drop(request.answer.send(Err(error.clone())));
                }
            }
        }
    }

    async fn try_append(&mut self, group: &[Request]) -> Result<Vec<Receipt>, Error> {
        let events: Vec<AuditEvent> = match group {
            [alone] => alone.events.clone(),
            _ => group
                .iter()
                .flat_map(|it| it.events.iter().cloned())
                .collect(),
        };
        let (mut connection, before) = self.begin().await?;
        let receipts = append_behind(&mut connection, &events, before, now()).await?;
        self.commit(connection).await?;
        Ok(receipts)
    }

    async fn work(&mut self, mut job: Box<dyn Job>) {
        let done = self.try_work(&mut *job).await;
        job.answer(done);
    }

    async fn try_work(&mut self, job: &mut dyn Job) -> Result<(), Error> {
        let (mut connection, _) = self.begin().await?;
        job.run(&mut connection, now()).await?;
        self.commit(connection).await
    }

    /// A connection in a transaction that no other process can write beside, and the last position
    /// before it: in one message, since each costs a way to SQLite's thread and back.
    async fn begin(&mut self) -> Result<(SqliteConnection, i64), Error> {
        let failed = |error| convert(APPENDING, &error);
        self.connector.check_is_there(self.identity)?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connector.connect().await.map_err(failed)?,
        };
        let begin = "BEGIN IMMEDIATE; SELECT coalesce(max(position), 0) FROM audit_events";
        let before = sqlx::query_scalar(begin).fetch_one(&mut connection).await;
        Ok((connection, before.map_err(failed)?))
    }

    async fn commit(&mut self, mut connection: SqliteConnection) -> Result<(), Error> {
        sqlx::query("COMMIT")
            .execute(&mut connection)
            .await
            .map_err(|error| convert(APPENDING, &error))?;
        self.connection = Some(connection);
        self.committed.notify_waiters();
        Ok(())
    }
}

impl Message {
    fn refuse(self) {
        match self {
            // Whoever asked may have left.
            Self::Append(request) => drop(request.answer.send(Err(closed()))),
            Self::Close => {}
            Self::Run(job) => job.answer(Err(closed())),
        }
    }
}

/// The batches that wait behind the first one, as far as one transaction takes them; and what
/// stands behind them, if it is something else.
fn gather(
    first: Request,
    receiver: &mut mpsc::Receiver<Message>,
) -> (Vec<Request>, Option<Message>) {
    let mut n_events = first.events.len();
    let mut group = vec![first];
    while n_events < MAX_EVENTS {
        match receiver.try_recv() {
            Ok(Message::Append(request)) => {
                n_events += request.events.len();
                group.push(request);
            }
            Ok(other) => return (group, Some(other)),
            Err(_) => break,
        }
    }
    (group, None)
}

fn now() -> Timestamp {
    SystemClock::new().now()
}
