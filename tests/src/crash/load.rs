use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use audit_core::event::{EventDraft, EventId, InvalidField, Method, Outcome, ToolName};
use audit_core::logger::{OpenCall, Recorded};
use audit_core::{AuditLogger, Clock as _, Error, SystemClock};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::Failure;
use super::journal::{Answer, Journal, Line};

/// One of many who call tools without a pause.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) logger: AuditLogger,
    pub(super) journal: Arc<Journal>,
    pub(super) has_intents: bool,
    /// Whether it ever waits for the last store: who does stands still while that is away.
    pub(super) waits_for_store: bool,
    pub(super) random: StdRng,
    pub(super) clock: SystemClock,
    /// Calls that take long.
    pub(super) open: VecDeque<OpenCall>,
}

const MOST_OPEN: usize = 6;
const PLAIN: &[&str] = &["read_file", "list_files", "write_file", "write_row"];
const COMMITTED: &[&str] = &["delete_file", "delete_row", "export_all"];
const OUTCOMES: &[Outcome] = &[
    Outcome::Ok,
    Outcome::Ok,
    Outcome::ToolError,
    Outcome::Timeout,
];

impl Caller {
    pub(super) fn random(seed: u64, number: u64) -> StdRng {
        StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number))
    }

    /// Calls tools until the journal is gone.
    pub(super) async fn work(mut self) -> Result<(), Failure> {
        loop {
            if self.random.random_range(0..10) == 0 {
                self.log_event().await?;
            } else {
                self.call().await?;
            }
        }
    }

    /// An event that is complete.
    async fn log_event(&mut self) -> Result<(), Failure> {
        let ts = self.clock.now();
        let id = EventId::new(ts, self.random.random());
        let outcome = self.outcome();
        let draft = self.draft("read_file")?.ts(ts).id(id).outcome(outcome);
        let begun = Line::Begun {
            id,
            is_announced: false,
        };
        self.journal.write(begun)?;
        let recorded = self.logger.log_event(draft).await;
        self.tell(id, outcome, recorded)?;
        Ok(())
    }

    async fn call(&mut self) -> Result<(), Failure> {
        let tool = self.tool();
        let mut call = match self.logger.begin(self.draft(tool)?).await {
            Ok(call) => call,
            Err(error) => {
                eprintln!("a call was not let in: {error}");
                self.journal.write(Line::Failed)?;
                return Ok(());
            }
        };
        let is_announced =
            self.has_intents && (tool.starts_with("delete_") || tool.starts_with("write_"));
        let begun = Line::Begun {
            id: call.id(),
            is_announced,
        };
        self.journal.write(begun)?;
        // The tool runs.
        call.request_json(self.payload());
        if self.random.random() {
            tokio::task::yield_now().await;
        }
        match self.random.random_range(0..100) {
            0..6 => drop(call),
            6..12 => return self.keep_open(call).await,
            12..25 => self.finish_in_two_steps(call).await?,
            25..35 => self.finish(call, Outcome::Denied).await?,
            _ => {
                let outcome = self.outcome();
                self.finish(call, outcome).await?;
            }
        }
        Ok(())
    }

    /// A call that takes long; the one that is open longest ends.
    async fn keep_open(&mut self, call: OpenCall) -> Result<(), Failure> {
        self.open.push_back(call);
        if self.open.len() > MOST_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            let outcome = self.outcome();
            self.finish(oldest, outcome).await?;
        }
        Ok(())
    }

    async fn finish(&self, call: OpenCall, outcome: Outcome) -> Result<(), Failure> {
        let id = call.id();
        let recorded = call.finish(outcome).await;
        self.tell(id, outcome, recorded)?;
        Ok(())
    }

    async fn finish_in_two_steps(&mut self, call: OpenCall) -> Result<(), Failure> {
        let (id, outcome) = (call.id(), self.outcome());
        let answers = call.finish_in_two_steps(outcome);
        let kept = answers.kept.await;
        self.tell(id, outcome, kept)?;
        if self.waits_for_store {
            let last = answers.last.await;
            self.tell(id, outcome, last)?;
        }
        Ok(())
    }

    fn tell(
        &self,
        id: EventId,
        outcome: Outcome,
        recorded: Result<Recorded, Error>,
    ) -> io::Result<()> {
        if let Err(error) = &recorded {
            eprintln!("the record {id} was not kept: {error}");
        }
        let line = match recorded.ok().and_then(Answer::of) {
            Some(answer) => Line::Told {
                id,
                answer,
                outcome,
            },
            None => Line::Failed,
        };
        self.journal.write(line)
    }

    fn draft(&self, tool: &str) -> Result<EventDraft, InvalidField> {
        Ok(EventDraft::new(Method::tools_call()).tool_name(ToolName::new(tool)?))
    }

    fn tool(&mut self) -> &'static str {
        let tools = if self.waits_for_store && self.random.random() {
            COMMITTED
        } else {
            PLAIN
        };
        tools[self.random.random_range(0..tools.len())]
    }

    fn outcome(&mut self) -> Outcome {
        OUTCOMES[self.random.random_range(0..OUTCOMES.len())]
    }

    fn payload(&mut self) -> String {
        let length = self.random.random_range(0..2_000);
        format!(r#"{{"text":"{}"}}"#, "word ".repeat(length / 5))
    }
}
