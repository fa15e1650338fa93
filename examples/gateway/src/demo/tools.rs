use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock};
use rmcp::schemars::{self, JsonSchema};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, tool, tool_handler, tool_router};
use serde::Deserialize;
use tokio::sync::watch;

/// The server behind the demo's gateway. It knows nothing of keys, roles or records.
#[derive(Clone, Debug)]
pub struct DemoServer {
    tool_router: ToolRouter<Self>,
    n_flaky: Arc<AtomicU32>,
    /// How many reports are being written.
    n_reports: Arc<watch::Sender<usize>>,
    n_deleted: Arc<AtomicU32>,
}

#[derive(Deserialize, JsonSchema)]
struct City {
    city: String,
}

#[derive(Deserialize, JsonSchema)]
struct Query {
    query: String,
}

#[derive(Deserialize, JsonSchema)]
struct Customer {
    customer_id: String,
}

#[tool_router]
impl DemoServer {
    /// A server of which nothing was asked.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tool_router: Self::tool_router(),
            n_flaky: Arc::default(),
            n_reports: Arc::new(watch::Sender::new(0)),
            n_deleted: Arc::default(),
        }
    }

    /// How many customers were deleted.
    #[must_use]
    pub fn n_deleted(&self) -> u32 {
        self.n_deleted.load(Ordering::Relaxed)
    }

    /// Waits until so many reports are being written.
    pub async fn reports(&self, n_reports: usize) {
        let mut written = self.n_reports.subscribe();
        // The sender lives in `self`.
        drop(written.wait_for(|n| *n == n_reports).await);
    }

    #[tool(description = "The weather in a city")]
    async fn get_weather(&self, Parameters(City { city }): Parameters<City>) -> String {
        format!("{city}: 21 degrees, a light wind from the west")
    }

    #[tool(description = "Searches the handbook")]
    async fn search(&self, Parameters(Query { query }): Parameters<Query>) -> String {
        format!(
            "nothing found in {} characters of question",
            query.chars().count()
        )
    }

    #[tool(description = "Writes a report that takes longer than anybody waits")]
    async fn slow_report(&self, context: RequestContext<RoleServer>) -> String {
        self.n_reports.send_modify(|n| *n += 1);
        context.ct.cancelled().await;
        self.n_reports.send_modify(|n| *n -= 1);
        "taken back".to_owned()
    }

    #[tool(description = "Deletes a customer for good")]
    async fn delete_customer(
        &self,
        Parameters(Customer { customer_id }): Parameters<Customer>,
    ) -> String {
        self.n_deleted.fetch_add(1, Ordering::Relaxed);
        format!("customer {customer_id} is deleted")
    }

    #[tool(description = "Fails every other time, and the first time")]
    async fn flaky(&self) -> CallToolResult {
        let n_before = self.n_flaky.fetch_add(1, Ordering::Relaxed);
        if n_before.is_multiple_of(2) {
            return CallToolResult::error(vec![ContentBlock::text("the printer is on fire")]);
        }
        CallToolResult::success(vec![ContentBlock::text("printed")])
    }
}

impl Default for DemoServer {
    fn default() -> Self {
        Self::new()
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for DemoServer {}
