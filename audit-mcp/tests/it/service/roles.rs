//! The client in the wrapper: what its server asks of it.
#![expect(deprecated, reason = "sampling is in use in the earlier era")]

use audit_core::event::Outcome;
use audit_mcp::Audited;
use audit_memory::MemoryStore;
use audit_testkit::mcp::ScenarioServer;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
    Implementation, NumberOrString, ProgressNotificationParam, ProgressToken, SamplingMessage,
};
use rmcp::service::RequestContext;
use rmcp::{ClientHandler, ErrorData, RoleClient};
use serde_json::json;

use super::scene::{Era, Scene, connect, logger, records};

#[derive(Clone, Debug)]
struct Sampling;

impl ClientHandler for Sampling {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_sampling().build();
        ClientConfig::new(capabilities, Implementation::new("sampler", "1"))
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let answer = SamplingMessage::assistant_text("fine");
        Ok(CreateMessageResult::new(answer, "a-model".to_owned()))
    }
}

#[tokio::test]
async fn what_a_server_asks_of_its_client_is_on_record() {
    let store = MemoryStore::new();
    let client = Audited::new(Sampling, logger(&store));
    let client = connect(ScenarioServer::new(), client, Era::Earlier).await;
    let scene = Scene {
        store,
        server: ScenarioServer::new(),
        client,
    };
    let answer = scene.call("sample", json!({})).await.unwrap();
    assert!(
        format!("{answer:?}").contains("a-model answered"),
        "{answer:?}"
    );
    let record = scene.record().await;
    assert_eq!(record.method.as_str(), "sampling/createMessage");
    assert_eq!(record.outcome, Outcome::Ok);
    // The other end is the server.
    assert_eq!(record.client.name.as_ref().unwrap().as_str(), "scenario");
    let answered = record.response().unwrap().json().unwrap();
    assert!(answered.contains("a-model"), "{answered}");
}

#[tokio::test]
async fn notifications_have_no_record() {
    let scene = Scene::open(Era::Earlier).await;
    let token = ProgressToken(NumberOrString::Number(1));
    let progress = ProgressNotificationParam::new(token, 1.0);
    scene.client.notify_progress(progress).await.unwrap();
    // The server answers what was sent after them.
    scene.call("echo", json!({})).await.unwrap();
    assert_eq!(
        records(&scene.store, 1).await[0].method.as_str(),
        "tools/call"
    );
}
