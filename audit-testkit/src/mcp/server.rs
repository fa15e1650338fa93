#![expect(
    deprecated,
    reason = "sampling is given up in the later era, and in use in the earlier one"
)]

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CreateMessageRequestParams,
    CustomRequest, CustomResult, ErrorCode, Implementation, InputRequiredResult, JsonObject,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, SamplingMessage,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;
use tokio::sync::watch;

use super::answers;

/// The tools, with what they do.
pub const TOOLS: &[(&str, &str)] = &[
    ("echo", "answers its arguments"),
    ("fail", "answers with isError"),
    ("error", "answers with a JSON-RPC error, of the code `code`"),
    (
        "slow",
        "answers when the tool `release` was called, or its caller takes it back",
    ),
    (
        "stubborn",
        "as `slow`, but it does not listen when it is taken back",
    ),
    (
        "release",
        "lets every `slow` and `stubborn` answer, those that are called later too",
    ),
    (
        "progress",
        "tells of its progress three times, then answers",
    ),
    ("big", "answers with `bytes` bytes of text, or 2 MiB"),
    ("env", "answers with the environment of the server"),
    ("image", "answers with a text and an image"),
    ("ask", "asks back: answers that it needs input"),
    (
        "sample",
        "asks the client for a message of a model, and answers it",
    ),
    ("panic", "panics"),
    ("die", "ends the server in the middle of the call"),
];

/// What the tool `die` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Death {
    /// The process exits with status 3: for a server that is a program.
    Exit,
    /// The call never answers, and [`ScenarioServer::is_dead`] says so: for a test, which then
    /// drops the server's end.
    #[default]
    Silence,
}

/// A server of the [`TOOLS`]; clones share what is going on.
#[derive(Clone, Debug)]
pub struct ScenarioServer {
    death: Death,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// How many calls of `slow` and `stubborn` wait.
    n_waiting: watch::Sender<usize>,
    is_released: watch::Sender<bool>,
    is_dead: watch::Sender<bool>,
}

impl Default for ScenarioServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ScenarioServer {
    /// A server for tests in this process.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared {
            n_waiting: watch::Sender::new(0),
            is_released: watch::Sender::new(false),
            is_dead: watch::Sender::new(false),
        };
        Self {
            death: Death::default(),
            shared: Arc::new(shared),
        }
    }

    /// Says what `die` does.
    #[must_use]
    pub fn death(mut self, death: Death) -> Self {
        self.death = death;
        self
    }

    /// Waits until so many calls of `slow` and `stubborn` wait for their release.
    pub async fn waiting(&self, n_calls: usize) {
        let mut waiting = self.shared.n_waiting.subscribe();
        // The sender lives in `self`.
        drop(waiting.wait_for(|waiting| *waiting == n_calls).await);
    }

    /// Does what the tool `release` does.
    pub fn release(&self) {
        self.shared.is_released.send_replace(true);
    }

    /// Waits until `die` was called.
    pub async fn is_dead(&self) {
        let mut dead = self.shared.is_dead.subscribe();
        drop(dead.wait_for(|dead| *dead).await);
    }

    /// Waits until `release` was called.
    pub async fn released(&self) {
        let mut released = self.shared.is_released.subscribe();
        drop(released.wait_for(|released| *released).await);
    }

    async fn wait(&self, taken_back: impl Future<Output = ()>) -> CallToolResult {
        let _waiting = Waiting::new(&self.shared.n_waiting);
        let mut released = self.shared.is_released.subscribe();
        tokio::select! {
            biased;
            () = taken_back => answers::text("taken back"),
            _ = released.wait_for(|released| *released) => answers::text("released"),
        }
    }

    async fn die(&self) -> CallToolResult {
        self.shared.is_dead.send_replace(true);
        match self.death {
            Death::Exit => std::process::exit(3),
            Death::Silence => std::future::pending().await,
        }
    }
}

/// Counts a call that waits, until it does no more.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(n_waiting: &'a watch::Sender<usize>) -> Self {
        n_waiting.send_modify(|n_waiting| *n_waiting += 1);
        Self(n_waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n_waiting| *n_waiting -= 1);
    }
}

impl ServerHandler for ScenarioServer {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("scenario", "1.0.0");
        info
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOLS.iter().map(|(name, does)| tool(name, does));
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let (name, does) = TOOLS.iter().find(|(known, _)| *known == name)?;
        Some(tool(name, does))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let answer = match &*request.name {
            "echo" => answers::echo(&arguments),
            "fail" => answers::fail(),
            "error" => return Err(error(&arguments)),
            "slow" => {
                tell(&context, 0.0).await?;
                self.wait(context.ct.cancelled()).await
            }
            "stubborn" => {
                tell(&context, 0.0).await?;
                self.wait(std::future::pending()).await
            }
            "release" => {
                self.release();
                answers::text("released")
            }
            "progress" => {
                for step in [1.0, 2.0, 3.0] {
                    tell(&context, step).await?;
                }
                answers::text("done")
            }
            "big" => answers::big(&arguments),
            "env" => answers::environment(),
            "image" => answers::image(),
            "ask" => {
                let question = InputRequiredResult::from_request_state("asked");
                return Ok(CallToolResponse::InputRequired(question));
            }
            "sample" => sample(&context).await?,
            "panic" => panic!("the tool panicked, as it was asked to"),
            "die" => self.die().await,
            unknown => {
                let text = format!("unknown tool: {unknown}");
                return Err(ErrorData::invalid_params(text, None));
            }
        };
        Ok(answer.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method != "scenario/custom" {
            return Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                request.method,
                None,
            ));
        }
        Ok(CustomResult::new(json!({ "asked": request.params })))
    }
}

fn tool(name: &'static str, does: &'static str) -> Tool {
    let schema = json!({ "type": "object", "additionalProperties": true });
    let schema: JsonObject = schema.as_object().cloned().unwrap_or_default();
    Tool::new(name, does, schema)
}

fn error(arguments: &JsonObject) -> ErrorData {
    let code = arguments.get("code").and_then(serde_json::Value::as_i64);
    let code = code
        .and_then(|code| i32::try_from(code).ok())
        .unwrap_or(-32_000);
    ErrorData::new(ErrorCode(code), "an error, as it was asked for", None)
}

/// Tells a caller who wants to know how far the call has come.
async fn tell(context: &RequestContext<RoleServer>, progress: f64) -> Result<(), ErrorData> {
    let Some(token) = context.meta.get_progress_token() else {
        return Ok(());
    };
    let told = ProgressNotificationParam::new(token, progress).with_total(3.0);
    context.peer.notify_progress(told).await.map_err(lost)
}

async fn sample(context: &RequestContext<RoleServer>) -> Result<CallToolResult, ErrorData> {
    let question = vec![SamplingMessage::user_text("how are you?")];
    let asked = CreateMessageRequestParams::new(question, 16);
    let answer = context.peer.create_message(asked).await.map_err(lost)?;
    Ok(answers::text(format!("{} answered", answer.model)))
}

fn lost(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
