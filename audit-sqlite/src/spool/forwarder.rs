use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{AuditEvent, EventDraft, Outcome, Seq, Timestamp, WriterId};
use audit_core::logger::{LOSS_METHOD, Loss, LossReason};
use audit_core::sink::{Receipt, RefusalKind};
use audit_core::{Backoff, Clock as _, Error, ErrorKind, IdSource as _, MonotonicIds, SystemClock};
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, watch};

use super::backlog::{Backlog, Position, Spooled};
use super::claim::Claim;
use super::command::{Batch, Command, Forwarded, Refused};
use super::config::SpoolConfig;
use super::intents::Orphans;
use super::metrics::Meters;
use super::opened;
use super::read::{self, Row};
use super::remote::Remote;

/// Sends on what is spooled, in its order, one batch at a time.
#[derive(Debug)]
pub(super) struct Forwarder {
    pub(super) config: SpoolConfig,
    /// The own file.
    pub(super) path: PathBuf,
    pub(super) reader: Option<SqliteConnection>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) orphans: Arc<Orphans>,
    /// Weak: a forwarder that waits for a store must not keep the writer of a dropped spool.
    pub(super) commands: mpsc::WeakSender<Command>,
    pub(super) remote: Remote,
    pub(super) meters: Arc<Meters>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) teller: Teller,
    /// Everything up to here was handed on.
    pub(super) position: Position,
}

/// Makes the events that tell of losses.
#[derive(Debug)]
pub(super) struct Teller {
    clock: SystemClock,
    ids: MonotonicIds,
    writer: WriterId,
    next: Seq,
}

/// Batches that are sent together.
#[derive(Debug, Default)]
struct Load {
    batches: Vec<Spooled>,
    /// Rows of the file that hold no events.
    unreadable: Vec<Refused>,
    up_to: Position,
}

/// The spool is closed or gone.
pub(super) struct Stopped;

impl Forwarder {
    /// Works until the spool is closed or dropped.
    pub(super) async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            // An error: the spool was dropped.
            _ = stop.wait_for(|stop| *stop) => {}
            Err(Stopped) = self.work() => {}
        }
        self.backlog.end();
    }

    async fn work(&mut self) -> Result<(), Stopped> {
        let mut adoption = tokio::time::interval(self.config.adopt_every);
        adoption.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let load = self.next_load().await;
            if let Some(load) = load {
                self.send(load).await?;
                continue;
            }
            tokio::select! {
                () = self.backlog.grew.notified() => {}
                _ = adoption.tick() => self.adopt().await?,
            }
        }
    }

    /// What is sent next; `None` if nothing waits.
    async fn next_load(&mut self) -> Option<Load> {
        let max_events = self.remote.batch_events();
        let batches = self.backlog.next_in_window(self.position, max_events);
        if let Some(last) = batches.last() {
            let up_to = last.position;
            return Some(Load {
                batches,
                unreadable: Vec::new(),
                up_to,
            });
        }
        if self.backlog.last() <= self.position {
            return None;
        }
        match self.read(max_events).await {
            Ok(load) => load,
            Err(error) => {
                tracing::error!(%error, "the spool cannot be read back, it is tried again");
                self.backlog.failed(error);
                self.reader = None;
                tokio::time::sleep(Duration::from_millis(500)).await;
                None
            }
        }
    }

    /// What stands in the file.
    async fn read(&mut self, max_events: usize) -> Result<Option<Load>, Error> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(super::schema::open_to_read(&self.path).await?),
        };
        let mut load = Load::default();
        for row in read::behind(reader, self.position, max_events).await? {
            load.up_to = row.position();
            match row {
                Row::Batch(batch) => load.batches.push(batch),
                Row::Unreadable(_, refused) => load.unreadable.push(refused),
            }
        }
        Ok((load.up_to > 0).then_some(load))
    }

    /// Sends a load until the store has answered for each of its events.
    async fn send(&mut self, load: Load) -> Result<(), Stopped> {
        let Load {
            batches,
            unreadable,
            up_to,
        } = load;
        let oldest = batches.first().and_then(|batch| batch.events.first());
        self.backlog.sending(oldest.map(|event| event.ts));
        let events: Vec<AuditEvent> = batches
            .iter()
            .flat_map(|batch| batch.events.iter().cloned())
            .collect();
        let receipts = self
            .remote
            .append(&events, &self.backlog, &self.meters)
            .await;
        let forwarded = self.forwarded(up_to, unreadable, &events, &receipts);
        self.tell_metrics(&batches, &receipts);
        self.settle(forwarded).await?;
        let mut receipts = receipts.into_iter();
        for batch in &batches {
            let of_batch = receipts.by_ref().take(batch.events.len()).collect();
            self.backlog.answer(batch.position, of_batch);
        }
        self.position = up_to;
        Ok(())
    }

    fn forwarded(
        &mut self,
        up_to: Position,
        unreadable: Vec<Refused>,
        events: &[AuditEvent],
        receipts: &[Receipt],
    ) -> Forwarded {
        let mut refused = unreadable;
        let mut losses: Vec<(LossReason, Loss)> = Vec::new();
        for (event, receipt) in events.iter().zip(receipts) {
            let Receipt::Refused(refusal) = receipt else {
                continue;
            };
            let reason = match refusal.kind() {
                // What is only presumed of a call gives way to what the store knows of it.
                RefusalKind::Conflict if event.outcome == Outcome::Interrupted => continue,
                RefusalKind::Conflict => LossReason::Conflict,
                _ => LossReason::Unstorable,
            };
            refused.push(Refused {
                id: Some(event.id),
                reason: refusal.to_string(),
                event: event.to_json(),
                set_aside_at: self.teller.clock.now(),
            });
            // A store that does not even take what tells of a loss would be told without end.
            if event.method.as_str() != LOSS_METHOD {
                add(&mut losses, reason, Loss::one(event.ts));
            }
        }
        if !refused.is_empty() {
            let n_events = refused.len();
            tracing::error!(
                n_events,
                "the store refused spooled events: they are dead letters"
            );
        }
        let losses = losses.into_iter();
        Forwarded {
            up_to,
            refused,
            losses: losses
                .filter_map(|(reason, loss)| self.teller.loss(reason, loss))
                .collect(),
        }
    }

    /// Lets the load leave the disk. It must, before it can be told: a dead letter that is not
    /// kept would be lost.
    async fn settle(&self, forwarded: Forwarded) -> Result<(), Stopped> {
        let up_to = forwarded.up_to;
        let n_refused = forwarded.refused.len();
        let mut backoff = Backoff::default();
        loop {
            let again = Forwarded {
                up_to,
                refused: forwarded.refused.clone(),
                losses: forwarded.losses.clone(),
            };
            match self.ask(|reply| Command::Forwarded(again, reply)).await? {
                Ok(()) => {
                    self.meters.set_aside(n_refused);
                    return Ok(());
                }
                Err(error) => {
                    if backoff.is_worth_telling() {
                        tracing::error!(%error, "what was sent on cannot be removed from the spool");
                    }
                    self.backlog.failed(error);
                    tokio::time::sleep(backoff.next_wait()).await;
                }
            }
        }
    }

    /// Takes in what processes left that have died.
    async fn adopt(&mut self) -> Result<(), Stopped> {
        let orphans = match Claim::orphans(self.config.folder()) {
            Ok(orphans) => orphans,
            Err(error) => {
                tracing::warn!(%error, "orphans of the spool cannot be looked for");
                return Ok(());
            }
        };
        for claim in orphans {
            self.adopt_one(claim).await?;
        }
        Ok(())
    }

    pub(super) async fn adopt_one(&mut self, claim: Claim) -> Result<(), Stopped> {
        let path = claim.path().to_owned();
        let adopted = self.ask(|reply| Command::Adopt(path, reply)).await?;
        match adopted {
            Ok(adopted) => {
                let n_events = adopted.size.n_events;
                tracing::info!(n_events, "took over the spool of a process that has died");
                self.orphans.add(adopted.intents);
                claim.remove();
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                match opened::set_aside(claim, &error) {
                    Ok(draft) => drop(self.tell(draft).await),
                    Err(error) => {
                        tracing::error!(%error, "a damaged file of the spool stays in the way")
                    }
                }
            }
            Err(error) => not_taken_over(&claim, &error),
        }
        Ok(())
    }

    /// Spools an event of the spool's own.
    pub(super) async fn tell(&mut self, draft: EventDraft) -> Result<(), Error> {
        let gone = || Error::new(ErrorKind::Closed, "the spool is closed");
        let event = self.teller.stamp(draft).into_iter().collect();
        let batch = Batch::new(event, None);
        let told = self.ask(|reply| Command::Append(batch, reply)).await;
        told.map_err(|_| gone())?.map(drop)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(tokio::sync::oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<Result<T, Error>, Stopped> {
        let commands = self.commands.upgrade().ok_or(Stopped)?;
        let (reply, answer) = tokio::sync::oneshot::channel();
        commands.send(command(reply)).await.map_err(|_| Stopped)?;
        drop(commands);
        answer.await.map_err(|_| Stopped)
    }

    fn tell_metrics(&self, batches: &[Spooled], receipts: &[Receipt]) {
        let now = self.teller.clock.now();
        for batch in batches {
            self.meters
                .queryable(batch.spooled_at, now, batch.events.len());
        }
        self.meters.forwarded(receipts);
    }
}

impl Teller {
    pub(super) fn new() -> Result<Self, Error> {
        let run = format!("audit-spool/{:012x}", rand::random::<u64>() >> 16);
        Ok(Self {
            clock: SystemClock::new(),
            ids: MonotonicIds::new(),
            writer: WriterId::new(run)?,
            next: Seq::FIRST,
        })
    }

    /// The event that tells of a loss.
    fn loss(&mut self, reason: LossReason, loss: Loss) -> Option<AuditEvent> {
        let draft = loss.draft(reason).ok()?;
        self.stamp(draft)
    }

    /// An event of the spool's own. Every field of it is its own, too.
    pub(super) fn stamp(&mut self, draft: EventDraft) -> Option<AuditEvent> {
        let ts: Timestamp = self.clock.now();
        let draft = draft.ts(ts).id(self.ids.event_id(ts));
        let event = draft.stamp(self.writer.clone(), self.next).ok()?;
        self.next = self.next.next();
        Some(event)
    }
}

fn not_taken_over(claim: &Claim, error: &Error) {
    let path = claim.path().display();
    tracing::error!(%error, %path, "the spool of a process that has died cannot be taken over: its events stay there");
}

fn add(losses: &mut Vec<(LossReason, Loss)>, reason: LossReason, loss: Loss) {
    match losses.iter_mut().find(|(it, _)| *it == reason) {
        Some((_, known)) => *known = known.and(loss),
        None => losses.push((reason, loss)),
    }
}
