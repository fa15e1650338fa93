use std::sync::Arc;
use std::time::Instant;

use audit_core::event::{Check, Latency, Outcome, Reason};
use audit_core::logger::SharedCall;
use axum::http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorCode, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, ServiceError};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::config::Config;
use crate::keys::Caller;

/// The MCP side of the gateway: it lets roles use their tools, and asks the server behind.
///
/// It says what it decides to the record, which `Audited` around it has put into the context.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    config: Arc<Config>,
}

impl Gateway {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    /// Whether the caller's role may use the tool: asked here, of the name that is executed.
    fn authorize(&self, tool: &str, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let role = caller(context)?.role;
        let Some(rule) = self.config.roles.allow(&role, tool) else {
            let reason = format!("role `{role}` may not use `{tool}`");
            let check = Check::denied(Reason::lossy(&reason));
            say(context, check, Some(Outcome::Denied));
            return Err(refusal(format!("{reason}: ask for a key of another role")));
        };
        say(context, Check::allowed().rule(rule.clone()), None);
        Ok(())
    }

    /// Asks the server, for as long as a tool may take and its caller waits. What is dropped here
    /// is taken back there.
    async fn ask(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let answer = self.config.upstream.peer().call_tool_once(request);
        let in_time = tokio::time::timeout(self.config.tool_timeout, answer);
        tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(refusal("the call was taken back")),
            answer = in_time => match answer {
                Ok(answer) => answer.map_err(|error| lost(error, context)),
                Err(_) => {
                    said(context, Outcome::Timeout);
                    Err(refusal("the tool did not answer in time: ask for less, or try again"))
                }
            },
        }
    }
}

impl ServerHandler for Gateway {
    fn get_info(&self) -> ServerConfig {
        let tools = ServerCapabilities::builder().enable_tools().build();
        let mut info = ServerConfig::new(tools);
        info.server_info = Implementation::new("audit-example-gateway", env!("CARGO_PKG_VERSION"));
        info
    }

    /// The tools that the caller's role may use.
    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let role = caller(&context)?.role;
        let tools = self.config.upstream.peer().list_tools(page).await;
        let mut tools = tools.map_err(|error| lost(error, &context))?;
        let is_allowed = |tool: &str| self.config.roles.allow(&role, tool).is_some();
        tools.tools.retain(|tool| is_allowed(&tool.name));
        Ok(tools)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.authorize(&request.name, &context)?;
        let began = Instant::now();
        let answer = self.ask(request, &context).await;
        let took = Latency::new(began.elapsed());
        if let Some(call) = call(&context) {
            let upstream = self.config.upstream.name().clone();
            call.update(|call| {
                call.amend(|draft| draft.upstream(upstream).upstream_latency(took));
            });
        }
        answer
    }
}

/// Who calls: `authenticate` put it into the HTTP request, and lets nobody pass without.
fn caller(context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
    let parts: Option<&Parts> = context.extensions.get();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>());
    caller
        .cloned()
        .ok_or_else(|| refusal("nobody knows who calls"))
}

fn call(context: &RequestContext<RoleServer>) -> Option<&SharedCall> {
    context.extensions.get()
}

fn say(context: &RequestContext<RoleServer>, authz: Check, outcome: Option<Outcome>) {
    let Some(call) = call(context) else { return };
    call.update(|call| {
        call.amend(|draft| draft.amend_decision(|decision| decision.authz(authz)));
    });
    if let Some(outcome) = outcome {
        call.say(outcome);
    }
}

fn said(context: &RequestContext<RoleServer>, outcome: Outcome) {
    if let Some(call) = call(context) {
        call.say(outcome);
    }
}

/// What the server's error means: its own errors pass, and a lost server is no error of the tool.
fn lost(error: ServiceError, context: &RequestContext<RoleServer>) -> ErrorData {
    if let ServiceError::McpError(error) = error {
        return error;
    }
    said(context, Outcome::UpstreamDisconnected);
    refusal("the server behind the gateway is gone: try again later")
}

fn refusal(message: impl Into<String>) -> ErrorData {
    ErrorData::new(ErrorCode(-32_000), message.into(), None)
}
