//! Random traffic against a model of a few lines.

use std::collections::{HashMap, VecDeque};

use audit_core::event::Outcome;
use audit_mcp::conversation::Side;
use audit_mcp::relay::Relay;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::wire::{Peer, Wire};
use crate::conversation::stand::{Stand, cancel, error, request, result};

#[derive(Clone, Debug)]
enum Step {
    Answer(Side, Id, Reply),
    Cancel(Side, Id),
    Note(Side),
    Request(Side, Id, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Id {
    Number(u8),
    Text(u8),
}

impl Id {
    fn json(self) -> Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Text(number) => json!(number.to_string()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Reply {
    Error,
    Ok,
    ToolError,
}

impl Reply {
    fn outcome(self) -> Outcome {
        match self {
            Self::Error => Outcome::RpcError,
            Self::Ok => Outcome::Ok,
            Self::ToolError => Outcome::ToolError,
        }
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![3 => Just(Side::Client), 1 => Just(Side::Server)]
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![(0_u8..3).prop_map(Id::Number), (0_u8..3).prop_map(Id::Text)]
}

fn step() -> impl Strategy<Value = Step> {
    let reply = prop_oneof![Just(Reply::Error), Just(Reply::Ok), Just(Reply::ToolError)];
    prop_oneof![
        4 => (side(), id(), 0_usize..200).prop_map(|(side, id, long)| Step::Request(side, id, long)),
        3 => (side(), id(), reply).prop_map(|(side, id, reply)| Step::Answer(side, id, reply)),
        1 => (side(), id()).prop_map(|(side, id)| Step::Cancel(side, id)),
        1 => side().prop_map(Step::Note),
    ]
}

/// What each call comes to, by the order in which they were made.
#[derive(Default)]
struct Model {
    outcomes: Vec<Option<Outcome>>,
    waiting: HashMap<(Side, Id), VecDeque<usize>>,
    senders: Vec<Side>,
}

impl Model {
    fn see(&mut self, step: &Step) {
        match *step {
            Step::Answer(side, id, reply) => self.end(side, id, reply.outcome()),
            Step::Cancel(side, id) => self.end(side, id, Outcome::Cancelled),
            Step::Note(_) => {}
            Step::Request(side, id, _) => {
                let number = self.outcomes.len();
                self.outcomes.push(None);
                self.senders.push(side);
                self.waiting
                    .entry((side, id))
                    .or_default()
                    .push_back(number);
            }
        }
    }

    fn end(&mut self, asker: Side, id: Id, outcome: Outcome) {
        let waiting = self.waiting.get_mut(&(asker, id));
        if let Some(number) = waiting.and_then(VecDeque::pop_front) {
            self.outcomes[number] = Some(outcome);
        }
    }

    fn ended_by(self, side: Side) -> Vec<Outcome> {
        let unanswered = |sender| match sender == side {
            true => Outcome::Cancelled,
            false => Outcome::UpstreamDisconnected,
        };
        let calls = self.outcomes.iter().zip(self.senders);
        calls
            .map(|(outcome, sender)| outcome.unwrap_or_else(|| unanswered(sender)))
            .collect()
    }
}

/// Who says it, and what: an answer is said by the other side than the one that asked.
fn line(step: &Step, number: usize) -> (Side, Value) {
    match *step {
        Step::Answer(asker, id, reply) => {
            let id = id.json();
            let line = match reply {
                Reply::Error => error(id, -32603),
                Reply::Ok => result(id, &json!({ "content": [] })),
                Reply::ToolError => result(id, &json!({ "content": [], "isError": true })),
            };
            (asker.other(), line)
        }
        Step::Cancel(side, id) => (side, cancel(id.json())),
        Step::Note(side) => (
            side,
            json!({ "jsonrpc": "2.0", "method": "notifications/progress" }),
        ),
        Step::Request(side, id, long) => {
            let name = format!("t{number}");
            let params = json!({ "name": name, "arguments": "x".repeat(long) });
            (side, request(id.json(), "tools/call", &params))
        }
    }
}

async fn run(steps: &[Step], window: usize, ended_by: Side) -> Vec<(String, Outcome)> {
    let mut wire = Wire::new(Stand::new(), window, 4096);
    let mut n_requests = 0;
    for step in steps {
        let (side, line) = line(step, n_requests);
        n_requests += usize::from(matches!(step, Step::Request(..)));
        let (from, to): (&mut Peer, &mut Peer) = match side {
            Side::Client => (&mut wire.client, &mut wire.server),
            Side::Server => (&mut wire.server, &mut wire.client),
        };
        from.say(&line).await;
        to.hears_line(&line).await;
    }
    let (_, events) = match ended_by {
        Side::Client => wire.close().await,
        Side::Server => {
            wire.server.leave().await;
            wire.end().await
        }
    };
    let tool = |event: &audit_core::AuditEvent| event.tool_name.as_ref().unwrap().to_string();
    events.iter().map(|it| (tool(it), it.outcome)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_call_has_one_record_and_it_is_true(
        steps in vec(step(), 0..40),
        window in prop_oneof![0_usize..150, Just(Relay::DEFAULT_WINDOW)],
        ended_by in prop_oneof![Just(Side::Client), Just(Side::Server)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut recorded = runtime.block_on(run(&steps, window, ended_by));
        let mut model = Model::default();
        steps.iter().for_each(|step| model.see(step));
        let mut expected: Vec<_> = model.ended_by(ended_by).into_iter().enumerate()
            .map(|(number, outcome)| (format!("t{number}"), outcome))
            .collect();
        recorded.sort();
        expected.sort();
        prop_assert_eq!(recorded, expected);
    }
}
