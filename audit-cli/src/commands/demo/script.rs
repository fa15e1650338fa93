//! What the callers do.

use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_example_gateway::demo::Demo;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::caller::Caller;
use crate::failure::Failure;

/// One call: what was done, what its caller saw, what has to be on record.
pub(super) struct Step {
    pub(super) deed: String,
    pub(super) seen: String,
    pub(super) expected: Outcome,
    pub(super) asked: Asked,
    /// The id of its message, unless it had none that could be read.
    request_id: Option<String>,
}

/// What a call carried.
pub(super) enum Asked {
    Nothing,
    /// These must be on no record.
    WithSecrets(Vec<String>),
}

/// How long a call that is taken back may need to begin.
const SOON: Duration = Duration::from_secs(10);

impl Step {
    /// Ids are unique within a script, so they tell whose record it is.
    pub(super) fn is_recorded_as(&self, record: &AuditEvent) -> bool {
        record.request_id.as_ref().map(|id| id.as_str()) == self.request_id.as_deref()
    }
}

/// Every secret that was sent.
pub(super) fn secrets(demo: &Demo, steps: &[Step]) -> Vec<String> {
    let keys = demo.keys.all().map(str::to_owned);
    let others = steps.iter().flat_map(|step| match &step.asked {
        Asked::Nothing => &[][..],
        Asked::WithSecrets(secrets) => secrets,
    });
    keys.chain(others.cloned()).collect()
}

/// A script under way.
struct Stage<'a> {
    caller: &'a Caller,
    steps: Vec<Step>,
}

/// Plays all calls, one after the other.
pub(super) async fn play(demo: &Demo, caller: &Caller) -> Result<Vec<Step>, Failure> {
    let keys = &demo.keys;
    let (operator, reader, trial) = (
        Some(keys.operator.as_str()),
        Some(keys.reader.as_str()),
        Some(keys.trial.as_str()),
    );
    let mut stage = Stage {
        caller,
        steps: Vec::new(),
    };
    let city = json!({ "city": "Bern" });
    let query = json!({ "query": "holidays" });
    let customer = json!({ "customer_id": "C-1042" });

    stage
        .call(
            "A reader asks for the weather",
            reader,
            "get_weather",
            &city,
            Outcome::Ok,
        )
        .await?;
    stage
        .call(
            "Somebody without a key searches",
            None,
            "search",
            &query,
            Outcome::Unauthenticated,
        )
        .await?;
    stage
        .call(
            "Somebody with a key that nobody gave out searches",
            Some(&keys.unknown),
            "search",
            &query,
            Outcome::Unauthenticated,
        )
        .await?;
    stage
        .call(
            "The reader deletes a customer",
            reader,
            "delete_customer",
            &customer,
            Outcome::Denied,
        )
        .await?;
    stage
        .call(
            "An operator does",
            operator,
            "delete_customer",
            &customer,
            Outcome::Ok,
        )
        .await?;
    for (nth, expected) in [
        ("once", Outcome::Ok),
        ("twice", Outcome::Ok),
        ("a third time within the minute", Outcome::RateLimited),
    ] {
        let deed = format!("A trial key, good for two calls, searches {nth}");
        stage.call(&deed, trial, "search", &query, expected).await?;
    }
    stage
        .call(
            "The operator uses a tool that fails",
            operator,
            "flaky",
            &json!({}),
            Outcome::ToolError,
        )
        .await?;
    stage
        .call(
            "… and one that is not there",
            operator,
            "make_coffee",
            &json!({}),
            Outcome::RpcError,
        )
        .await?;
    stage
        .call(
            "… and one that takes too long",
            operator,
            "slow_report",
            &json!({}),
            Outcome::Timeout,
        )
        .await?;
    stage
        .leave(demo, "… and leaves before it answers", operator)
        .await?;
    stage
        .send_nonsense("A program sends what is no JSON", reader)
        .await?;
    stage
        .carry_secrets(
            "An agent puts a password, a token and its own key into its question",
            operator,
        )
        .await?;
    Ok(stage.steps)
}

impl Stage<'_> {
    async fn call(
        &mut self,
        deed: &str,
        key: Option<&str>,
        tool: &str,
        arguments: &Value,
        expected: Outcome,
    ) -> Result<(), Failure> {
        let (id, message) = self.message(tool, arguments);
        let answer = self.caller.send(key, &message).await?;
        self.add(deed, answer.in_words(), expected, Asked::Nothing, Some(id));
        Ok(())
    }

    /// The tool has begun when its caller leaves.
    async fn leave(&mut self, demo: &Demo, deed: &str, key: Option<&str>) -> Result<(), Failure> {
        // The call that timed out was taken back from the tool.
        let (id, message) = self.message("slow_report", &json!({}));
        let idle = timeout(SOON, demo.server.reports(0)).await;
        let begun = async {
            idle?;
            tokio::select! {
                _ = self.caller.send(key, &message) => Ok(false),
                begun = timeout(SOON, demo.server.reports(1)) => begun.map(|()| true),
            }
        };
        match begun.await {
            Ok(true) => {}
            _ => return Err(Failure::new("a tool of the demo did not begin")),
        }
        // The gateway notices, and takes the call back from the tool.
        if timeout(SOON, demo.server.reports(0)).await.is_err() {
            return Err(Failure::new("a call that was left went on"));
        }
        self.add(
            deed,
            "nothing".to_owned(),
            Outcome::Cancelled,
            Asked::Nothing,
            Some(id),
        );
        Ok(())
    }

    async fn send_nonsense(&mut self, deed: &str, key: Option<&str>) -> Result<(), Failure> {
        let answer = self.caller.send(key, "{\"jsonrpc\": \"2.0\", ").await?;
        self.add(
            deed,
            answer.in_words(),
            Outcome::InvalidRequest,
            Asked::Nothing,
            None,
        );
        Ok(())
    }

    /// Drawn anew each time, so that they are nobody's.
    async fn carry_secrets(&mut self, deed: &str, key: Option<&str>) -> Result<(), Failure> {
        let drawn = || uuid::Uuid::new_v4().simple().to_string();
        let password = format!("Zurich-{}", &drawn()[..12]);
        let token = format!("ghp_{}{}", drawn(), &drawn()[..4]);
        let arguments = json!({
            "query": format!("why does the login fail? password={password} token={token}"),
            "max_tokens": 50,
            "my_key": key,
        });
        let (id, message) = self.message("search", &arguments);
        let answer = self.caller.send(key, &message).await?;
        let secrets = Asked::WithSecrets(vec![password, token]);
        self.add(deed, answer.in_words(), Outcome::Ok, secrets, Some(id));
        Ok(())
    }

    fn message(&self, tool: &str, arguments: &Value) -> (String, String) {
        let id = format!("demo-{}", self.steps.len() + 1);
        let message = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        (id, message.to_string())
    }

    fn add(
        &mut self,
        deed: &str,
        seen: String,
        expected: Outcome,
        asked: Asked,
        request_id: Option<String>,
    ) {
        self.steps.push(Step {
            deed: deed.to_owned(),
            seen,
            expected,
            asked,
            request_id,
        });
    }
}
