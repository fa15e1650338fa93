use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use audit_core::event::{AuditEvent, EventId};
use audit_core::{Clock, Error, ErrorKind, SystemClock};
use sqlx::SqliteConnection;
use tokio::sync::mpsc;

use super::backlog::{Backlog, Position, Size, Spooled, count};
use super::command::{Adopted, Batch, Command, Forwarded};
use super::config::SpoolConfig;
use super::schema;
use super::statements::{WRITING, open_intents, set_aside, settle_intents};
use crate::error::convert;

/// The only one who writes to the file of a spool. What is asked of it while a commit is under way
/// shares the next one: one fsync for many callers.
///
/// A task of its own, so that no caller who leaves interrupts a transaction.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    /// `None` where the last one failed.
    connection: Option<SqliteConnection>,
    backlog: Arc<Backlog>,
    max_bytes: u64,
    /// What the file keeps free.
    free_bytes: u64,
    /// What left the file since it last gave something back.
    left_bytes: u64,
    clock: SystemClock,
    is_closed: bool,
    /// Attempts that stand in the file.
    intents: HashSet<EventId>,
    last: Position,
}

/// What was done of a group, to be told when it is committed.
enum Done {
    Appended {
        position: Position,
        spooled: Spooled,
        command: Command,
    },
    Forwarded(Size, Vec<Spooled>, Command),
    Retried(Option<Spooled>, Command),
    Other(Command),
}

/// The most that shares a commit.
const MAX_GROUP: usize = 256;

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        connection: SqliteConnection,
        backlog: Arc<Backlog>,
        config: &SpoolConfig,
        adopted: &Adopted,
    ) -> Self {
        Self {
            path,
            connection: Some(connection),
            backlog,
            max_bytes: config.max_bytes,
            free_bytes: config.free_bytes,
            left_bytes: 0,
            clock: SystemClock::new(),
            is_closed: false,
            intents: adopted.intents.iter().map(|intent| intent.id).collect(),
            last: adopted.last,
        }
    }

    /// Works until nobody can ask for anything any more.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut group = Vec::new();
        while !self.is_closed {
            if commands.is_empty() && self.may_shrink() {
                self.shrink().await;
                continue;
            }
            if commands.recv_many(&mut group, MAX_GROUP).await == 0 {
                break;
            }
            self.work(std::mem::take(&mut group)).await;
        }
        if let Some(connection) = self.connection.take() {
            use sqlx::Connection as _;
            // A file that is not closed properly is recovered when it is opened.
            drop(connection.close().await);
        }
    }

    /// Whether the file holds much more free room than it keeps, and nothing else.
    fn may_shrink(&self) -> bool {
        self.left_bytes > self.free_bytes && self.backlog.size().n_events == 0
    }

    /// Gives some free room back to the disk: little at a time, so that nobody waits long.
    async fn shrink(&mut self) {
        const PAGES: u64 = 1_024;
        let gave_back = PAGES * u64::from(schema::PAGE_BYTES);
        self.left_bytes = self.left_bytes.saturating_sub(gave_back);
        let Ok(mut connection) = self.connect().await else {
            return;
        };
        // The file becomes smaller when the log is taken in.
        let shrink = if self.may_shrink() {
            "PRAGMA incremental_vacuum(1024)"
        } else {
            "PRAGMA incremental_vacuum(1024); PRAGMA wal_checkpoint(PASSIVE)"
        };
        let shrink = sqlx::raw_sql(shrink);
        match shrink.execute(&mut connection).await {
            Ok(_) => self.connection = Some(connection),
            Err(error) => {
                let error = convert("the spool cannot give room back", &error);
                tracing::warn!(%error, "the file of the spool stays as large as it is");
            }
        }
    }

    async fn work(&mut self, group: Vec<Command>) {
        let mut sharing = Vec::new();
        for command in group {
            match command {
                // Nothing is written, so nothing has to be waited for.
                Command::SettleIntents(ids, reply) if !self.has_any(&ids) => {
                    drop(reply.send(Ok(())));
                }
                // It cannot be done within a transaction.
                Command::Adopt(path, reply) => {
                    let adopted = self.adopt(&path).await;
                    drop(reply.send(adopted));
                }
                Command::Close(reply) => {
                    self.is_closed = true;
                    drop(reply.send(Ok(())));
                }
                command => sharing.push(command),
            }
        }
        if sharing.is_empty() {
            return;
        }
        let Err((error, commands)) = self.commit(sharing).await else {
            return;
        };
        let is_alone = commands.len() == 1;
        for command in commands {
            if is_alone {
                command.fail(error.clone());
                continue;
            }
            // One of them may be why it failed: each is tried by itself.
            if let Err((error, alone)) = self.commit(vec![command]).await {
                alone
                    .into_iter()
                    .for_each(|command| command.fail(error.clone()));
            }
        }
    }

    /// Does it all in one transaction, and tells whoever asked; or nothing of it.
    async fn commit(&mut self, group: Vec<Command>) -> Result<(), (Error, Vec<Command>)> {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return Err((error, group)),
        };
        let (last, mut done) = (self.last, Vec::with_capacity(group.len()));
        let mut rest = group.into_iter();
        let mut outcome = run("BEGIN IMMEDIATE", &mut connection).await;
        while outcome.is_ok() {
            let Some(command) = rest.next() else {
                break;
            };
            match self.execute(&mut connection, command).await {
                Ok(one) => done.extend(one),
                Err((error, command)) => {
                    done.push(Done::Other(command));
                    outcome = Err(error);
                }
            }
        }
        if outcome.is_ok() {
            outcome = run("COMMIT", &mut connection).await;
        }
        match outcome {
            Ok(()) => {
                self.connection = Some(connection);
                for done in done {
                    self.tell(done);
                }
                Ok(())
            }
            Err(error) => {
                self.last = last;
                // A transaction that cannot be taken back ends with its connection.
                if run("ROLLBACK", &mut connection).await.is_ok() {
                    self.connection = Some(connection);
                }
                let mut commands: Vec<_> = done.into_iter().map(Done::into_command).collect();
                commands.extend(rest);
                Err((error, commands))
            }
        }
    }

    /// Does one thing within the transaction. What is answered at once gives nothing to tell.
    async fn execute(
        &mut self,
        connection: &mut SqliteConnection,
        mut command: Command,
    ) -> Result<Option<Done>, (Error, Command)> {
        match &mut command {
            Command::Append(batch, _) => {
                if !self.has_room_for(batch) {
                    command.fail(full(self.max_bytes));
                    return Ok(None);
                }
                match self.append(connection, batch).await {
                    Ok(spooled) => Ok(Some(Done::Appended {
                        position: spooled.position,
                        spooled,
                        command,
                    })),
                    Err(error) => Err((error, command)),
                }
            }
            Command::OpenIntents(intents, _) => {
                let opened = open_intents(connection, intents).await;
                done(opened, command)
            }
            Command::SettleIntents(ids, _) => {
                let known: Vec<_> = ids.iter().filter(|id| self.intents.contains(id)).collect();
                let settled = settle_intents(connection, known).await;
                done(settled, command)
            }
            Command::Forwarded(forwarded, _) => match self.forwarded(connection, forwarded).await {
                Ok((size, spooled)) => Ok(Some(Done::Forwarded(size, spooled, command))),
                Err(error) => Err((error, command)),
            },
            Command::Retry(dead_letter_id, _) => {
                match self.retry(connection, *dead_letter_id).await {
                    Ok(spooled) => Ok(Some(Done::Retried(spooled, command))),
                    Err(error) => Err((error, command)),
                }
            }
            // Done before.
            Command::Adopt(..) | Command::Close(_) => Ok(Some(Done::Other(command))),
        }
    }

    /// Tells whoever asked that it is on the disk.
    fn tell(&mut self, done: Done) {
        match done {
            Done::Appended {
                position,
                spooled,
                command: Command::Append(batch, reply),
            } => {
                for event in &spooled.events {
                    self.intents.remove(&event.id);
                }
                self.backlog.spooled(spooled, batch.ticket);
                drop(reply.send(Ok(position)));
            }
            Done::Forwarded(size, losses, Command::Forwarded(forwarded, reply)) => {
                self.left_bytes += size.bytes;
                self.backlog.forwarded(forwarded.up_to, size);
                for spooled in losses {
                    self.backlog.spooled(spooled, None);
                }
                drop(reply.send(Ok(())));
            }
            Done::Retried(spooled, Command::Retry(_, reply)) => {
                let is_there = spooled.is_some();
                if let Some(spooled) = spooled {
                    self.backlog.spooled(spooled, None);
                }
                drop(reply.send(Ok(is_there)));
            }
            Done::Other(Command::OpenIntents(intents, reply)) => {
                self.intents.extend(intents.iter().map(|intent| intent.id));
                drop(reply.send(Ok(())));
            }
            Done::Other(Command::SettleIntents(ids, reply)) => {
                for id in &ids {
                    self.intents.remove(id);
                }
                drop(reply.send(Ok(())));
            }
            // Each thing that is done belongs to its own command.
            Done::Appended { command, .. }
            | Done::Forwarded(_, _, command)
            | Done::Retried(_, command)
            | Done::Other(command) => {
                command.fail(Error::new(ErrorKind::Internal, "the spool lost an answer"));
            }
        }
    }

    async fn append(
        &mut self,
        connection: &mut SqliteConnection,
        batch: &Batch,
    ) -> Result<Spooled, Error> {
        let recorded = batch.events.iter().map(|event| &event.id);
        let recorded: Vec<_> = recorded.filter(|id| self.intents.contains(id)).collect();
        settle_intents(connection, recorded).await?;
        self.spool(connection, batch.events.clone(), &batch.lines)
            .await
    }

    async fn spool(
        &mut self,
        connection: &mut SqliteConnection,
        events: Vec<AuditEvent>,
        lines: &[u8],
    ) -> Result<Spooled, Error> {
        const INSERT: &str = "INSERT INTO batches (n_events, bytes, oldest, spooled_at, events)
            VALUES (?, ?, ?, ?, ?) RETURNING position";
        let spooled_at = self.clock.now();
        let oldest = events
            .iter()
            .map(|event| event.ts)
            .min()
            .unwrap_or(spooled_at);
        let bytes = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let inserted = sqlx::query_scalar(INSERT)
            .bind(i64::try_from(events.len()).unwrap_or(i64::MAX))
            .bind(bytes)
            .bind(oldest.as_micros())
            .bind(spooled_at.as_micros())
            .bind(lines)
            .fetch_one(connection)
            .await;
        let position: Position = inserted.map_err(|error| convert(WRITING, &error))?;
        let behind = std::mem::replace(&mut self.last, position);
        Ok(Spooled {
            position,
            behind,
            events,
            bytes: bytes.unsigned_abs(),
            spooled_at,
        })
    }

    async fn forwarded(
        &mut self,
        connection: &mut SqliteConnection,
        forwarded: &Forwarded,
    ) -> Result<(Size, Vec<Spooled>), Error> {
        const DELETE: &str = "DELETE FROM batches WHERE position <= ? RETURNING n_events, bytes";
        for refused in &forwarded.refused {
            set_aside(connection, refused).await?;
        }
        let deleted = sqlx::query_as(DELETE)
            .bind(forwarded.up_to)
            .fetch_all(&mut *connection);
        let deleted: Vec<(i64, i64)> = deleted.await.map_err(|error| convert(WRITING, &error))?;
        let mut size = Size::default();
        for (n_events, bytes) in deleted {
            size.n_events += n_events.unsigned_abs();
            size.bytes += bytes.unsigned_abs();
        }
        let mut spooled = Vec::new();
        for loss in &forwarded.losses {
            let batch = Batch::new(vec![loss.clone()], None);
            spooled.push(self.spool(connection, batch.events, &batch.lines).await?);
        }
        Ok((size, spooled))
    }

    async fn retry(
        &mut self,
        connection: &mut SqliteConnection,
        dead_letter_id: i64,
    ) -> Result<Option<Spooled>, Error> {
        const TAKE: &str = "DELETE FROM dead_letters WHERE dead_letter_id = ? RETURNING event";
        let taken = sqlx::query_scalar(TAKE).bind(dead_letter_id);
        let taken = taken.fetch_optional(&mut *connection).await;
        let Some(text) = taken.map_err(|error| convert(WRITING, &error))? else {
            return Ok(None);
        };
        let text: String = text;
        let event = AuditEvent::from_json(&text).map_err(|error| {
            let text = "the dead letter cannot be read, so it cannot be sent";
            Error::with_source(ErrorKind::Corrupt, text, error)
        })?;
        let batch = Batch::new(vec![event], None);
        Ok(Some(
            self.spool(connection, batch.events, &batch.lines).await?,
        ))
    }

    async fn adopt(&mut self, path: &std::path::Path) -> Result<Adopted, Error> {
        let mut connection = self.connect().await?;
        let adopted = super::adopt::take_in(&mut connection, path, self.last).await;
        if let Ok(adopted) = &adopted {
            self.last = std::cmp::max(self.last, adopted.last);
            self.intents
                .extend(adopted.intents.iter().map(|intent| intent.id));
            self.backlog.found(self.last, adopted.size, adopted.oldest);
            self.connection = Some(connection);
        }
        adopted
    }

    async fn connect(&mut self) -> Result<SqliteConnection, Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => schema::open(&self.path)
                .await
                .map_err(|error| convert("the spool cannot be opened", &error)),
        }
    }

    /// One batch is always taken: it may be larger than the whole spool.
    fn has_room_for(&self, batch: &Batch) -> bool {
        let waiting = self.backlog.size().bytes;
        waiting == 0 || waiting + count(batch.lines.len()) <= self.max_bytes
    }

    fn has_any(&self, ids: &[EventId]) -> bool {
        ids.iter().any(|id| self.intents.contains(id))
    }
}

impl Done {
    fn into_command(self) -> Command {
        match self {
            Self::Appended { command, .. }
            | Self::Forwarded(_, _, command)
            | Self::Retried(_, command)
            | Self::Other(command) => command,
        }
    }
}

fn done(outcome: Result<(), Error>, command: Command) -> Result<Option<Done>, (Error, Command)> {
    match outcome {
        Ok(()) => Ok(Some(Done::Other(command))),
        Err(error) => Err((error, command)),
    }
}

async fn run(sql: &'static str, connection: &mut SqliteConnection) -> Result<(), Error> {
    let ran = sqlx::query(sql).execute(connection).await;
    ran.map(drop).map_err(|error| convert(WRITING, &error))
}

/// Waiting mends it: the store takes what is spooled.
fn full(max_bytes: u64) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the spool is full: events of {max_bytes} bytes wait for the store"),
    )
}
