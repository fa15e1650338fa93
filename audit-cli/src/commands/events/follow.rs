use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use audit_core::event::EventId;
use audit_core::reader::{
    Filter, FollowFrom, FollowPosition, FollowRequest, Followed, FollowedEvent, PageRequest,
};
use audit_core::{AuditEvent, AuditReader, Backoff};

use super::Printer;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::signals::Signals;
use crate::store::unanswered;

mod cursor_file;

use cursor_file::CursorFile;

/// Where following begins.
pub(super) enum From {
    /// Behind what the file says.
    File(CursorFile),
    /// With this many of those that are there.
    Latest(usize),
}

impl From {
    pub(super) fn of(file: Option<PathBuf>) -> Result<Self, Failure> {
        match file {
            Some(path) => CursorFile::open(path).map(Self::File),
            None => Ok(Self::Latest(0)),
        }
    }
}

/// How long the store waits for an event before it answers without one.
const WAIT: Duration = Duration::from_secs(20);

/// Prints what is stored, in the order in which it is stored, until a signal comes, nobody reads any
/// more, or `limit` events were printed.
pub(super) async fn run(
    reader: &dyn AuditReader,
    filter: Filter,
    from: From,
    limit: Option<usize>,
    printer: Printer,
) -> Result<ExitCode, Failure> {
    if printer.format() == Format::Json {
        return Err(
            Failure::new("what is followed has no end, so it is no JSON value")
                .advice("take --output jsonl")
                .exit(Exit::Usage),
        );
    }
    let mut signals = Signals::new()?;
    let follower = Follower {
        reader,
        filter,
        left: limit,
        printer,
        shown: BTreeSet::new(),
        file: None,
    };
    tokio::select! {
        done = follower.run(from) => done?,
        () = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}

struct Follower<'a> {
    reader: &'a dyn AuditReader,
    filter: Filter,
    left: Option<usize>,
    printer: Printer,
    /// Those that were listed before following began: they may come once more.
    shown: BTreeSet<EventId>,
    file: Option<CursorFile>,
}

impl Follower<'_> {
    async fn run(mut self, from: From) -> Result<(), Failure> {
        let mut from = match from {
            From::Latest(n) => {
                // The place comes first, so that nothing falls between both.
                let now = self.answer(FollowFrom::Now, Duration::ZERO).await?;
                if !self.show_latest(n).await? {
                    return Ok(());
                }
                FollowFrom::After(now.position)
            }
            From::File(file) => {
                let from = file.place();
                self.file = Some(file);
                from
            }
        };
        while self.left != Some(0) {
            let answer = self.answer(from, WAIT).await?;
            if !self.show(&answer)? {
                return Ok(());
            }
            from = FollowFrom::After(answer.position);
        }
        Ok(())
    }

    /// Asks until the store answers: who follows outlives its restarts.
    async fn answer(&self, from: FollowFrom, wait: Duration) -> Result<Followed, Failure> {
        let request = FollowRequest::new(self.filter.clone())
            .from(from)
            .wait(wait);
        let most = self.left.unwrap_or(FollowRequest::MAX_LIMIT);
        let request = request
            .limit(most.clamp(1, FollowRequest::MAX_LIMIT))
            .map_err(|error| unanswered(&error))?;
        let mut backoff = Backoff::default();
        loop {
            match self.reader.follow(&request).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_retryable() => {
                    let wait = backoff.next_wait();
                    if backoff.is_worth_telling() {
                        tracing::warn!(%error, "the store does not answer; it is asked again");
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(error) => return Err(unanswered(&error)),
            }
        }
    }

    /// Prints the latest events, the oldest of them first.
    async fn show_latest(&mut self, n: usize) -> Result<bool, Failure> {
        if n == 0 {
            return Ok(true);
        }
        let request = PageRequest::new(self.filter.clone()).limit(n);
        let request = request
            .map_err(|error| Failure::because("-n cannot be used", &error).exit(Exit::Usage))?;
        let page = self.reader.page_with_payloads(&request).await;
        let mut events = page.map_err(|error| unanswered(&error))?.events;
        events.reverse();
        self.shown = events.iter().map(|event| event.id).collect();
        let text = self.text(&events)?;
        output::print_some(&text)
    }

    /// Prints an answer, and only then moves the place on; says whether somebody still reads.
    fn show(&mut self, answer: &Followed) -> Result<bool, Failure> {
        let events = answer
            .events
            .iter()
            .map(|FollowedEvent { event, .. }| event);
        let new = events.filter(|event| !self.shown.contains(&event.id));
        let new: Vec<AuditEvent> = new.cloned().collect();
        let text = self.text(&new)?;
        if !text.is_empty() && !output::print_some(&text)? {
            return Ok(false);
        }
        self.left = self.left.map(|left| left.saturating_sub(new.len()));
        self.keep(&answer.position)?;
        Ok(true)
    }

    fn keep(&mut self, position: &FollowPosition) -> Result<(), Failure> {
        match &mut self.file {
            Some(file) => file.keep(position),
            None => Ok(()),
        }
    }

    /// A table would have other columns with every answer: lines instead.
    fn text(&mut self, events: &[AuditEvent]) -> Result<String, Failure> {
        match self.printer.is_for_people() {
            true => Ok(events
                .iter()
                .map(|event| self.printer.line(event))
                .collect()),
            false => self.printer.events(events),
        }
    }
}
