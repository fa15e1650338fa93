//! An MCP server that does what a recorder of MCP meets: [`ScenarioServer`].
//!
//! ```
//! use audit_testkit::mcp::ScenarioServer;
//! use rmcp::ServiceExt;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let (server_end, client_end) = tokio::io::duplex(4096);
//! let server = ScenarioServer::new();
//! tokio::spawn(async move {
//!     let running = server.serve(server_end).await.expect("a handshake");
//!     running.waiting().await
//! });
//! let client = ().serve(client_end).await?;
//! assert!(client.list_all_tools().await?.len() > 10);
//! # Ok(())
//! # }
//! ```

mod answers;
mod server;

pub use server::{Death, ScenarioServer, TOOLS};
